// AutoencoderKL against diffusers.
#include <gtest/gtest.h>

#include "models/golden/golden_case.hpp"
#include "models/loaded.hpp"
#include "models/stable_diffusion/vae.hpp"

namespace kinora::models::stable_diffusion {
namespace {

void run(const golden::Case& test) {
  // Tiles are part of a case when its description says so; elsewhere a picture may well be larger than sample_size.
  const VaeSavings savings{.tiling = test.json().value("what", std::string()).find("tiling") != std::string::npos};
  for (const bool channels_last : {false, true}) {
    SCOPED_TRACE(channels_last ? "channels-last" : "contiguous");
    const auto loaded = load_component<Vae, VaeConfig>(test.model_dir(), {.dtype = at::kFloat, .channels_last = channels_last});
    for (int set = 0; set < test.sets(); ++set) {
      if (test.has_input("image", set)) {
        const auto posterior = loaded.model->encode(test.input("image", set), savings);
        test.expect_close("moments_mean", set, posterior.mean);
        if (test.has_output("moments_logvar", set)) test.expect_close("moments_logvar", set, posterior.logvar);
        if (test.has_output("std", set)) test.expect_close("std", set, posterior.deviation());
      }
      if (test.has_input("latents", set)) test.expect_close("decoded", set, loaded.model->decode(test.input("latents", set), savings));
    }
  }
}

const golden::Register registered{"AutoencoderKL", run};

}  // namespace
}  // namespace kinora::models::stable_diffusion
