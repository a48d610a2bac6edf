#include "models/diffusion/scheduler_config.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/sum.h>

#include <cmath>

namespace kinora::models::diffusion {

nn::JsonConfig read_scheduler_config(const ModelFiles& files, bool old_sd) {
  auto config = files.config("scheduler");
  if (!old_sd) return config;
  auto members = config.json();
  // Where the class has the member, it is 1 and false for these models, whatever the file says; an absent one means the class's default.
  const auto cls = config.text("_class_name", "");
  if (cls != "FlowMatchEulerDiscreteScheduler") members["steps_offset"] = 1;
  if (cls == "DDIMScheduler" || cls == "LCMScheduler") members["clip_sample"] = false;
  return {std::move(members), config.file()};
}

std::unique_ptr<nn::Scheduler> make_scheduler(const PipelineInfo& info, const std::string& replacements) {
  auto members = nn::JsonConfig::parse(info.scheduler_config, "scheduler_config.json").json();
  if (!replacements.empty()) members.merge_patch(nn::JsonConfig::parse(replacements, "scheduler").json());
  return nn::make_scheduler({std::move(members), "scheduler"});
}

std::int64_t steps_before(double share, const nn::Scheduler& scheduler, const PipelineInfo& info) {
  const auto config = nn::JsonConfig::parse(info.scheduler_config, "scheduler_config.json");
  const auto training = static_cast<double>(config.integer("num_train_timesteps", 1000, 1, 1'000'000));
  const double cutoff = std::nearbyint(training - share * training);  // to even, as Python's round
  return (scheduler.timesteps() >= cutoff).sum().item<std::int64_t>();
}

}  // namespace kinora::models::diffusion
