#include "models/wan/distilled.hpp"

#include "models/single_file/plain_name.hpp"
#include "models/stable_diffusion/few_steps.hpp"
#include "nn/json_config.hpp"

namespace kinora::models::wan {

void apply_distilled(std::string_view adapter, PipelineInfo& info) {
  const auto name = single_file::plain_name(adapter);
  const auto has = [&](std::string_view word) { return name.find(word) != std::string::npos; };
  if (!has("lightx2v") && !has("lightning") && !has("stepdistill")) return;
  const auto steps = stable_diffusion::steps_in_name(adapter);
  info.steps = steps > 0 ? steps : 4;
  info.guidance_scale = 1;
  info.few_steps = true;
  // UniPC of order 1 without its corrector is Euler; its levels are even steps from 1, those of the Euler class end at the lowest level.
  auto members = nn::JsonConfig::parse(info.scheduler_config, "scheduler_config.json").json();
  members.update({{"_class_name", "UniPCMultistepScheduler"},
                  {"prediction_type", "flow_prediction"},
                  {"use_flow_sigmas", true},
                  {"solver_order", 1},
                  {"disable_corrector", {0, 1, 2, 3, 4, 5, 6, 7}},
                  {"flow_shift", 5.0}});
  info.scheduler_config = members.dump();
}

}  // namespace kinora::models::wan
