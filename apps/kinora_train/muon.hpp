#pragma once
// Muon (Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024): the momentum of a weight matrix with all its
// singular values brought near one, by five Newton-Schulz steps in bfloat16. A rate means the same as for Adam: an update is scaled by
// 0.2 * sqrt(longer side) (Liu et al., "Muon is scalable for LLM training", 2025). A convolution's weight is the matrix of its first
// dimension by all others, as in the former. Not thread-safe.
#include <map>
#include <vector>

#include "nn/tensor_map.hpp"

namespace kinora::train {

class Muon {
 public:
  // Matrices and weights of convolutions with gradients (leaf tensors); they are shared, not copied. Of one dimension: Failure.
  explicit Muon(nn::TensorMap weights, double momentum = 0.95);
  // One update by the gradients at hand, which are cleared. A weight without a gradient stays.
  void step(double learning_rate);

  // Moments, named "first.NAME" as Adam's are: for a checkpoint.
  nn::TensorMap state() const;
  // Throws Failure when names or shapes are not those of the weights.
  void restore(const nn::TensorMap& state);

 private:
  nn::TensorMap weights_, first_;
  std::map<std::vector<std::int64_t>, std::vector<std::string>> by_shape_;  // names: matrices of one shape are worked on together
  double momentum_;
};

}  // namespace kinora::train
