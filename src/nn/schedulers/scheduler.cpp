#include "nn/schedulers/scheduler.hpp"

#include <array>

#include "nn/schedulers/scheduler_base.hpp"

namespace kinora::nn {
namespace {

struct Class {
  std::string_view name;
  std::unique_ptr<Scheduler> (*make)(const JsonConfig&);
};
constexpr std::array kClasses{Class{"DDIMScheduler", make_ddim},
                              Class{"DPMSolverMultistepScheduler", make_dpm_solver},
                              Class{"EulerAncestralDiscreteScheduler", make_euler_ancestral},
                              Class{"EulerDiscreteScheduler", make_euler},
                              Class{"FlowMatchEulerDiscreteScheduler", make_flow_match_euler},
                              Class{"LCMScheduler", make_lcm},
                              Class{"PNDMScheduler", make_pndm},
                              Class{"TCDScheduler", make_tcd},
                              Class{"UniPCMultistepScheduler", make_unipc}};

}  // namespace

const std::vector<std::string_view>& scheduler_classes() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all;
    all.reserve(std::size(kClasses));
    for (const auto& one : kClasses) all.push_back(one.name);
    return all;
  }();
  return names;
}

std::unique_ptr<Scheduler> make_scheduler(const JsonConfig& config) {
  const auto name = config.choice("_class_name", "", scheduler_classes());
  for (const auto& one : kClasses)
    if (one.name == name) return one.make(config);
  return nullptr;  // choice() has thrown
}

}  // namespace kinora::nn
