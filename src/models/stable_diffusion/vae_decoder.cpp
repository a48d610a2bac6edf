#include "models/stable_diffusion/vae_decoder.hpp"

namespace kinora::models::stable_diffusion {

VaeDecoder::VaeDecoder(const VaeConfig& config, const nn::Weights& w)
    : conv_in(w / "conv_in", config.latent_channels, config.channels.back(), 3, 1, 1),
      conv_out(w / "conv_out", config.channels.front(), config.out_channels, 3, 1, 1),
      mid(config, w / "mid_block"),
      conv_norm_out(w / "conv_norm_out", config.groups, config.channels.front(), 1e-6),
      act(config.act) {
  const std::size_t count = config.channels.size();
  std::int64_t in = config.channels.back();
  for (std::size_t i = 0; i < count; ++i) {
    const auto scope = w / "up_blocks" / static_cast<std::int64_t>(i);
    const std::int64_t out = config.channels[count - 1 - i];
    Level level;
    for (std::int64_t j = 0; j <= config.layers; ++j, in = out)
      level.resnets.emplace_back(scope / "resnets" / j, vae_resnet(config, in, out));
    if (i + 1 < count) level.upsample.emplace(scope / "upsamplers" / 0, out);
    levels.push_back(std::move(level));
  }
}

at::Tensor VaeDecoder::operator()(const at::Tensor& latents) const {
  auto x = mid(conv_in(latents));
  for (const auto& level : levels) {
    for (const auto& resnet : level.resnets) x = resnet(x);
    if (level.upsample) x = (*level.upsample)(x);
  }
  return conv_out(nn::apply_in_place(act, conv_norm_out(x)));
}

}  // namespace kinora::models::stable_diffusion
