// Wan's transformer and VAEs against diffusers.
#include <gtest/gtest.h>

#include "models/golden/golden_case.hpp"
#include "models/loaded.hpp"
#include "models/wan/transformer.hpp"
#include "models/wan/vae.hpp"

namespace kinora::models::wan {
namespace {

void run_transformer(const golden::Case& test) {
  const auto loaded = load_component<Transformer, TransformerConfig>(test.model_dir(), {});
  for (int set = 0; set < test.sets(); ++set) {
    const auto image = test.has_input("encoder_hidden_states_image", set) ? test.input("encoder_hidden_states_image", set) : at::Tensor();
    const auto context = loaded.model->context(test.input("encoder_hidden_states", set), image);
    test.expect_close("sample", set, loaded.model->forward(test.input("hidden_states", set), test.input("timestep", set), context));
  }
}

void run_vae(const golden::Case& test) {
  for (const bool channels_last : {false, true}) {
    SCOPED_TRACE(channels_last ? "channels-last" : "contiguous");
    const auto loaded = load_component<Vae, VaeConfig>(test.model_dir(), {.channels_last = channels_last});
    for (int set = 0; set < test.sets(); ++set) {
      const auto posterior = loaded.model->encode(test.input("video", set));
      test.expect_close("moments_mean", set, posterior.mean);
      test.expect_close("moments_logvar", set, posterior.logvar);
      for (const std::int64_t at_once : {1, 2, 64}) {
        SCOPED_TRACE("latent frames at once: " + std::to_string(at_once));
        test.expect_close("decoded", set, loaded.model->decode(test.input("latents", set), {.frames_at_once = at_once}));
      }
    }
  }
}

const golden::Register transformer{"WanTransformer3DModel", run_transformer};
const golden::Register vae{"AutoencoderKLWan", run_vae};

}  // namespace
}  // namespace kinora::models::wan
