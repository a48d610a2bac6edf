// UNet2DConditionModel against diffusers.
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

const golden::Register registered{"UNet2DConditionModel", run};

}  // namespace
}  // namespace kinora::models::stable_diffusion
