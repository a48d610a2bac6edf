#pragma once
// Schedulers ("samplers"): the noise levels of a generation and the rule that takes a noisy sample to the next lower level. Built from
// a diffusers scheduler_config.json, with the numbers of the reference's class of that name.
//
//   auto scheduler = nn::make_scheduler(nn::JsonConfig::read(folder / "scheduler/scheduler_config.json"));
//   scheduler->plan({.steps = 30});
//   at::Tensor x = noise * scheduler->init_noise_sigma();
//   for (std::int64_t i = first; i < scheduler->size(); ++i) {
//     const auto output = model(scheduler->scale_model_input(x, i), scheduler->timesteps()[i]);
//     x = scheduler->step(output, i, x, {.normal = draw});
//   }
//
// Multistep schedulers keep a history: plan() begins anew, then the steps are taken in order from any first one (a later first step is
// image-to-image). One thread. Samples and model outputs are [B, C, ...] of any floating type on one device; the arithmetic is float32.
#include <ATen/core/Tensor.h>
#include <c10/util/ArrayRef.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "nn/json_config.hpp"

namespace kinora::nn {

// Draws unit normal noise of a shape; of the given type, or of the type in which the pipeline draws its latents.
using Normal = std::function<at::Tensor(at::IntArrayRef shape, std::optional<at::ScalarType> dtype)>;

struct StepPlan {
  std::int64_t steps = 0;        // 1..num_train_timesteps
  std::vector<double> sigmas{};  // flow schedulers: the levels before shifting, descending in (0, 1]; then `steps` is not read
  std::optional<double> mu{};    // flow schedulers with use_dynamic_shifting: the exponent of the shift
};

struct StepOptions {
  Normal normal{};              // needed by schedulers that add noise
  std::optional<double> eta{};  // 0..1, share of fresh noise in DDIM (default 0) and TCD (default 0.3)
};

class Scheduler {
 public:
  virtual ~Scheduler() = default;

  // Throws std::invalid_argument, saying what is allowed, when the schedule cannot be cut into that many steps.
  virtual void plan(const StepPlan& plan) = 0;
  // Model calls of the plan; may be one more than asked for (PNDM).
  std::int64_t size() const { return timesteps_.defined() ? timesteps_.size(0) : 0; }
  // [size()] int64 or float32 on the CPU: what the model is told.
  const at::Tensor& timesteps() const { return timesteps_; }
  // [size() + 1] float32 on the CPU, the last one included; undefined for schedulers that have none.
  const at::Tensor& sigmas() const { return sigmas_; }
  // Deviation of the first sample.
  virtual double init_noise_sigma() const { return 1.0; }
  virtual at::Tensor scale_model_input(const at::Tensor& sample, std::int64_t /*i*/) const { return sample; }
  // The sample after step i, in the sample's type.
  virtual at::Tensor step(const at::Tensor& model_output, std::int64_t i, const at::Tensor& sample, const StepOptions& options) = 0;
  // What the model thinks the clean sample is (float32); for previews.
  virtual at::Tensor predict_clean(const at::Tensor& model_output, std::int64_t i, const at::Tensor& sample) const = 0;
  // A clean sample with the noise of the beginning of step i.
  virtual at::Tensor add_noise(const at::Tensor& original, const at::Tensor& noise, std::int64_t i) const = 0;

 protected:
  at::Tensor timesteps_, sigmas_;
};

// By the config's "_class_name". Throws LoadError for unknown classes (naming the known ones) and for values that the class does not know.
std::unique_ptr<Scheduler> make_scheduler(const JsonConfig& config);
const std::vector<std::string_view>& scheduler_classes();

}  // namespace kinora::nn
