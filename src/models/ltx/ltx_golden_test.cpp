// LTX-Video's transformer and VAEs against diffusers.
#include <gtest/gtest.h>

#include "models/golden/golden_case.hpp"
#include "models/loaded.hpp"
#include "models/ltx/transformer.hpp"
#include "models/ltx/vae.hpp"

namespace kinora::models::ltx {
namespace {

nlohmann::json plain(const golden::Case& test, const std::string& name, int set) {
  return test.json().at("inputs").at((set == 0 ? "in." : "in" + std::to_string(set) + ".") + name).at("value");
}

void run_transformer(const golden::Case& test) {
  const auto loaded = load_component<Transformer, TransformerConfig>(test.model_dir(), {});
  const auto& model = *loaded.model;
  for (int set = 0; set < test.sets(); ++set) {
    const auto context = model.context(test.input("encoder_hidden_states", set), test.input("encoder_attention_mask", set));
    const TokenGrid grid{.count = {plain(test, "num_frames", set), plain(test, "height", set), plain(test, "width", set)},
                         .scale = plain(test, "rope_interpolation_scale", set)};
    const auto table = rotary_table(grid, model.config().width(), c10::kCPU);
    test.expect_close("sample", set, model.forward(test.input("hidden_states", set), test.input("timestep", set), context, table));
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
      int drawn = 0;
      const auto normal = [&](at::IntArrayRef shape) {
        const auto noise = test.input("noise." + std::to_string(drawn++), set);
        EXPECT_EQ(noise.sizes(), shape);
        return noise;
      };
      const auto time = test.has_input("temb", set) ? test.input("temb", set) : at::Tensor();
      test.expect_close("decoded", set, loaded.model->decode(test.input("latents", set), {.time = time, .normal = normal}));
    }
  }
}

const golden::Register transformer{"LTXVideoTransformer3DModel", run_transformer};
const golden::Register vae{"AutoencoderKLLTXVideo", run_vae};

}  // namespace
}  // namespace kinora::models::ltx
