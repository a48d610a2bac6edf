// AnimateDiff's UNetMotionModel against diffusers.
#include <gtest/gtest.h>

#include "models/animatediff/unet.hpp"
#include "models/golden/golden_case.hpp"

namespace kinora::models::animatediff {
namespace {

void run(const golden::Case& test) {
  for (const bool channels_last : {false, true}) {
    SCOPED_TRACE(channels_last ? "channels-last" : "contiguous");
    const auto loaded = load_unet(test.model_dir() / "unet", test.model_dir() / "motion_adapter", {.channels_last = channels_last});
    for (int set = 0; set < test.sets(); ++set)
      test.expect_close("sample", set,
                        loaded.model->forward(test.input("sample", set), test.input("timestep", set),
                                              {.context = test.input("encoder_hidden_states", set)}));
  }
}

const golden::Register registered{"UNetMotionModel", run};

}  // namespace
}  // namespace kinora::models::animatediff
