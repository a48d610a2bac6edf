#pragma once
// Adam (Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1) and an exponential moving average of the
// weights, over named tensors. Not thread-safe.
#include <cstdint>

#include "nn/tensor_map.hpp"

namespace kinora::train {

struct AdamSettings {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
};

class Adam {
 public:
  // The weights need gradients (leaf tensors); they are shared, not copied.
  explicit Adam(nn::TensorMap weights, AdamSettings settings = {});
  // One update by the gradients at hand, which are cleared. A weight without a gradient stays.
  void step(double learning_rate);

  std::int64_t steps() const { return steps_; }
  // Moments, named "first.NAME" and "second.NAME": for a checkpoint.
  nn::TensorMap state() const;
  // Throws Failure when names or shapes are not those of the weights.
  void restore(const nn::TensorMap& state, std::int64_t steps);

 private:
  nn::TensorMap weights_, first_, second_;
  AdamSettings settings_;
  std::int64_t steps_ = 0;
};

// Averaged weights: average += (1 - decay) * (weight - average), with a decay that starts low, so that the random start is forgotten.
class Average {
 public:
  Average(const nn::TensorMap& weights, double decay);
  void update(const nn::TensorMap& weights, std::int64_t step);
  const nn::TensorMap& weights() const { return average_; }
  void restore(const nn::TensorMap& average);

 private:
  nn::TensorMap average_;
  double decay_;
};

// Linear rise over `warmup` (fraction of the run), then half a cosine from `peak` down to `last`. progress: 0..1.
double cosine_rate(double progress, double peak, double last, double warmup);

}  // namespace kinora::train
