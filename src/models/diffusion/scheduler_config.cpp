#include "models/diffusion/scheduler_config.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/sum.h>

#include <cmath>

namespace kinora::models::diffusion {
namespace {

constexpr const char* kFlowEuler = "FlowMatchEulerDiscreteScheduler";

// The members of a model that follows a flow once a request has put another class in: its shift and its kind of prediction in that class's
// words. "Euler" is then the Euler of flows.
void keep_flow(nlohmann::json& members, const nlohmann::json& own) {
  const auto word = [](const nlohmann::json& from, const char* key) {
    const auto found = from.find(key);
    return found != from.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const auto is_set = [&members](const char* key) {
    const auto found = members.find(key);
    return found != members.end() && *found == true;
  };
  const auto before = word(own, "_class_name"), now = word(members, "_class_name");
  if ((before != kFlowEuler && word(own, "prediction_type") != "flow_prediction") || now == before) return;
  if (now == "EulerDiscreteScheduler" || now == kFlowEuler) {
    members["_class_name"] = kFlowEuler;
    if (before != kFlowEuler) members["shift"] = own.value("flow_shift", nlohmann::json(1));
    return;
  }
  const bool by_size = is_set("use_dynamic_shifting");
  const bool fits = now == "UniPCMultistepScheduler" || (now == "DPMSolverMultistepScheduler" && !is_set("use_karras_sigmas"));
  if (!fits || by_size)
    throw nn::LoadError(
        "scheduler", "",
        "this one does not fit a model that follows a flow: euler does" + std::string(by_size ? "" : ", unipc and dpmpp-2m do"));
  members["prediction_type"] = "flow_prediction";
  members["use_flow_sigmas"] = true;
  if (before == kFlowEuler) members["flow_shift"] = own.value("shift", nlohmann::json(1));
}

}  // namespace

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
  if (!replacements.empty()) {
    const auto own = members;
    members.merge_patch(nn::JsonConfig::parse(replacements, "scheduler").json());
    keep_flow(members, own);
  }
  return nn::make_scheduler({std::move(members), "scheduler"});
}

std::int64_t steps_before(double share, const nn::Scheduler& scheduler, const PipelineInfo& info) {
  const auto config = nn::JsonConfig::parse(info.scheduler_config, "scheduler_config.json");
  const auto training = static_cast<double>(config.integer("num_train_timesteps", 1000, 1, 1'000'000));
  const double cutoff = std::nearbyint(training - share * training);  // to even, as Python's round
  return (scheduler.timesteps() >= cutoff).sum().item<std::int64_t>();
}

}  // namespace kinora::models::diffusion
