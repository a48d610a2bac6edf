// Stable Video Diffusion's UNet and VAE against diffusers.
#include <gtest/gtest.h>

#include "models/golden/golden_case.hpp"
#include "models/loaded.hpp"
#include "models/svd/unet.hpp"
#include "models/svd/vae.hpp"

namespace kinora::models::svd {
namespace {

void run_unet(const golden::Case& test) {
  for (const bool channels_last : {false, true}) {
    SCOPED_TRACE(channels_last ? "channels-last" : "contiguous");
    const auto loaded = load_component<UNet, UNetConfig>(test.model_dir(), {.channels_last = channels_last});
    for (int set = 0; set < test.sets(); ++set)
      test.expect_close("sample", set,
                        loaded.model->forward(test.input("sample", set), test.input("timestep", set),
                                              test.input("encoder_hidden_states", set), test.input("added_time_ids", set)));
  }
}

void run_vae(const golden::Case& test) {
  for (const bool channels_last : {false, true}) {
    SCOPED_TRACE(channels_last ? "channels-last" : "contiguous");
    const auto loaded = load_component<TemporalVae, stable_diffusion::VaeConfig>(test.model_dir(), {.channels_last = channels_last});
    for (int set = 0; set < test.sets(); ++set) {
      const auto posterior = loaded.model->encode(test.input("image", set));
      test.expect_close("moments_mean", set, posterior.mean);
      test.expect_close("moments_logvar", set, posterior.logvar);
      const std::string name = set == 0 ? "in.num_frames" : "in" + std::to_string(set) + ".num_frames";
      const auto frames = test.json().at("inputs").at(name).at("value").get<std::int64_t>();
      const auto latents = test.input("latents", set);
      test.expect_close("decoded", set, loaded.model->decode(latents, latents.size(0) / frames));
    }
  }
}

const golden::Register unet{"UNetSpatioTemporalConditionModel", run_unet};
const golden::Register vae{"AutoencoderKLTemporalDecoder", run_vae};

}  // namespace
}  // namespace kinora::models::svd
