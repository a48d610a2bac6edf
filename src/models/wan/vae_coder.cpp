#include "models/wan/vae_coder.hpp"

namespace kinora::models::wan {
namespace {

constexpr nn::Conv3d::Sides kCube{3, 3, 3};

}  // namespace

MidBlock::MidBlock(const nn::Weights& w, std::int64_t channels)
    : before(w / "resnets" / 0, channels, channels),
      after(w / "resnets" / 1, channels, channels),
      attention(w / "attentions" / 0, channels) {}

at::Tensor MidBlock::operator()(const at::Tensor& x, Passage& passage) const { return after(attention(before(x, passage)), passage); }

Encoder::Encoder(const VaeConfig& c, const nn::Weights& w)
    : residual_(c.residual),
      conv_in_(w / "conv_in", c.in_channels, c.base, kCube),
      mid_(w / "mid_block", c.base * c.multipliers.back()),
      norm_out_(w / "norm_out", c.base * c.multipliers.back(), 3),
      conv_out_(w / "conv_out", c.base * c.multipliers.back(), 2 * c.latent_channels, kCube) {
  const auto blocks = w / "down_blocks";
  std::int64_t in = c.base, flat = 0;  // without residual levels the layers of all are one list
  for (std::size_t i = 0; i < c.levels(); ++i) {
    const auto scope = blocks / static_cast<std::int64_t>(i);
    const bool last = i + 1 == c.levels();
    Level level{.resnets = {}, .down = {}, .out = c.base * c.multipliers[i], .time = c.halves_time[i] ? 2 : 1, .side = last ? 1 : 2};
    for (std::int64_t j = 0; j < c.layers; ++j, in = level.out)
      level.resnets.emplace_back(c.residual ? scope / "resnets" / j : blocks / flat++, in, level.out);
    if (!last) level.down.emplace(c.residual ? scope / "downsampler" : blocks / flat++, level.out, c.halves_time[i]);
    levels_.push_back(std::move(level));
  }
}

at::Tensor Encoder::operator()(const at::Tensor& input, Passage& passage) const {
  auto x = conv_in_(input, passage);
  for (const auto& level : levels_) {
    auto y = x;
    for (const auto& resnet : level.resnets) y = resnet(y, passage);
    if (level.down) y = (*level.down)(y, passage);
    x = residual_ ? y.add(averaged_down(x, level.out, level.time, level.side)) : y;
  }
  return conv_out_(norm_out_.act(mid_(x, passage)), passage);
}

Decoder::Decoder(const VaeConfig& c, const nn::Weights& w)
    : residual_(c.residual),
      conv_in_(w / "conv_in", c.latent_channels, c.decoder_base * c.multipliers.back(), kCube),
      mid_(w / "mid_block", c.decoder_base * c.multipliers.back()),
      norm_out_(w / "norm_out", c.decoder_base * c.multipliers.front(), 3),
      conv_out_(w / "conv_out", c.decoder_base * c.multipliers.front(), c.out_channels, kCube) {
  std::int64_t in = c.decoder_base * c.multipliers.back();
  for (std::size_t i = 0; i < c.levels(); ++i) {
    const auto scope = w / "up_blocks" / static_cast<std::int64_t>(i);
    const bool last = i + 1 == c.levels();
    const bool time = !last && c.halves_time[c.levels() - 2 - i];
    Level level{.resnets = {}, .up = {}, .out = c.decoder_base * c.multipliers[c.levels() - 1 - i], .time = time ? 2 : 1};
    for (std::int64_t j = 0; j <= c.layers; ++j, in = level.out) level.resnets.emplace_back(scope / "resnets" / j, in, level.out);
    // The step up halves the width, but not in a residual level.
    if (!last) in = c.residual ? level.out : level.out / 2;
    if (!last) level.up.emplace(c.residual ? scope / "upsampler" : scope / "upsamplers" / 0, level.out, in, time);
    levels_.push_back(std::move(level));
  }
}

at::Tensor Decoder::operator()(const at::Tensor& z, Passage& passage) const {
  auto x = mid_(conv_in_(z, passage), passage);
  for (const auto& level : levels_) {
    auto y = x;
    for (const auto& resnet : level.resnets) y = resnet(y, passage);
    if (level.up) y = (*level.up)(y, passage);
    x = residual_ && level.up ? y.add(repeated_up(x, level.out, level.time, 2, passage.first)) : y;
  }
  return conv_out_(norm_out_.act(x), passage);
}

}  // namespace kinora::models::wan
