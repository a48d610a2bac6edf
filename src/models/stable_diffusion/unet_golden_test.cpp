// UNet2DConditionModel against diffusers.
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include "models/golden/golden_case.hpp"
#include "models/loaded.hpp"
#include "models/stable_diffusion/unet.hpp"

namespace kinora::models::stable_diffusion {
namespace {

Conditioning conditioning(const golden::Case& test, int set) {
  const auto given = [&](std::string_view name) { return test.has_input(name, set) ? test.input(name, set) : at::Tensor(); };
  return {.context = test.input("encoder_hidden_states", set),
          .guidance = given("timestep_cond"),
          .pooled_text = given("text_embeds"),
          .size_ids = given("time_ids")};
}

void run(const golden::Case& test) {
  for (const bool channels_last : {false, true}) {
    const auto loaded = load_component<UNet, UNetConfig>(test.model_dir(), {.channels_last = channels_last});
    for (int set = 0; set < test.sets(); ++set) {
      SCOPED_TRACE(channels_last ? "channels-last" : "contiguous");
      test.expect_close("sample", set,
                        loaded.model->forward(test.input("sample", set), test.input("timestep", set), conditioning(test, set)));
    }
  }
}

// The guidance embedding that the case stores is that of 7.5, says its description.
void run_with_guidance(const golden::Case& test) {
  run(test);
  if (!test.has_input("timestep_cond") || test.json().dump().find("w=7.5") == std::string::npos) return;
  const auto stored = test.input("timestep_cond");
  test.expect_tensor("in.timestep_cond", guidance_embedding(at::full({stored.size(0)}, 7.5), stored.size(1)), 1e-4, 1e-4);
}

const golden::Register registered{"UNet2DConditionModel", run_with_guidance};

}  // namespace
}  // namespace kinora::models::stable_diffusion
