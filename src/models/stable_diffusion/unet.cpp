#include "models/stable_diffusion/unet.hpp"

namespace kinora::models::stable_diffusion {

UNet::UNet(const UNetConfig& config, const nn::Weights& w)
    : config_(config),
      ends_(config_, w),
      body_(config_.body, w, [&](const nn::Weights& block, const unet::LayerPlace& place) { return UNetLayer(config_, block, place); }) {}

at::Tensor UNet::forward(const at::Tensor& sample, const at::Tensor& timestep, const Conditioning& c) const {
  const unet::LayerInputs inputs{.time = ends_.time(config_, timestep, c.guidance, c.pooled_text, c.size_ids), .context = c.context};
  return ends_.out(config_, body_(ends_.in(config_, sample), inputs)).contiguous();
}

at::Tensor guidance_embedding(const at::Tensor& guidance_scale_minus_1, std::int64_t size) {
  const unet::Sinusoid form{.flip_sin_to_cos = false, .freq_shift = 1};
  return unet::sinusoidal_embedding(guidance_scale_minus_1.to(at::kFloat).mul(1000), size, form);
}

}  // namespace kinora::models::stable_diffusion
