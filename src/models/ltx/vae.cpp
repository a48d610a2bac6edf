#include "models/ltx/vae.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>

#include <algorithm>

#include "models/stable_diffusion/blended_tiles.hpp"

namespace kinora::models::ltx {
namespace {

Sides stride_of(Down down) { return {down == Down::spatial ? 1 : 2, down == Down::temporal ? 1 : 2, down == Down::temporal ? 1 : 2}; }

}  // namespace

Vae::Vae(const Config& c, const nn::Weights& w)
    : config_(c), latents_mean_(w.take("latents_mean", {c.latent_channels})), latents_std_(w.take("latents_std", {c.latent_channels})) {
  build_encoder(w / "encoder");
  build_decoder(w / "decoder");
}

void Vae::build_encoder(const nn::Weights& w) {
  const auto& c = config_;
  const auto resnet = [&](std::int64_t in, std::int64_t out) {
    return ResnetSettings{.in = in, .out = out, .eps = c.eps, .causal = c.encoder_causal};
  };
  encoder_in_ = CausalConv3d(w / "conv_in", c.in_channels * c.patch * c.patch, c.encoder.front().in, 3, c.encoder_causal);
  for (std::size_t i = 0; i < c.encoder.size(); ++i) {
    const auto scope = w / "down_blocks" / static_cast<std::int64_t>(i);
    const auto& plan = c.encoder[i];
    Level level;
    for (std::int64_t j = 0; j < plan.layers; ++j) level.resnets.emplace_back(scope / "resnets" / j, resnet(plan.in, plan.in));
    const auto down = scope / "downsamplers" / 0;
    if (plan.down == Down::strided) {
      level.strided.emplace(down, plan.in, plan.in, 3, c.encoder_causal, Sides{2, 2, 2});
    } else if (plan.down != Down::none) {
      level.down.emplace(down, plan.in, plan.out, stride_of(plan.down), c.encoder_causal);
    }
    if (plan.in != plan.out && !level.down) level.change.emplace(scope / "conv_out", resnet(plan.in, plan.out));
    encoder_.push_back(std::move(level));
  }
  const auto width = c.encoder.back().out;
  for (std::int64_t j = 0; j < c.encoder_mid_layers; ++j)
    encoder_mid_.resnets.emplace_back(w / "mid_block" / "resnets" / j, resnet(width, width));
  encoder_out_ = CausalConv3d(w / "conv_out", width, c.latent_channels + 1, 3, c.encoder_causal);
}

void Vae::build_decoder(const nn::Weights& w) {
  const auto& c = config_;
  const auto resnet = [&](std::int64_t in, std::int64_t out, bool noise) {
    return ResnetSettings{.in = in, .out = out, .eps = c.eps, .causal = c.decoder_causal, .noise = noise, .timed = c.timed};
  };
  decoder_in_ = CausalConv3d(w / "conv_in", c.latent_channels, c.decoder_in, 3, c.decoder_causal);
  const auto mid = w / "mid_block";
  if (c.timed) decoder_mid_.time = TimeEmbedder(mid / "time_embedder", 4 * c.decoder_in);
  for (std::int64_t j = 0; j < c.decoder_mid_layers; ++j)
    decoder_mid_.resnets.emplace_back(mid / "resnets" / j, resnet(c.decoder_in, c.decoder_in, c.decoder_mid_noise));
  for (std::size_t i = 0; i < c.decoder.size(); ++i) {
    const auto scope = w / "up_blocks" / static_cast<std::int64_t>(i);
    const auto& plan = c.decoder[i];
    Level level;
    if (c.timed) level.time = TimeEmbedder(scope / "time_embedder", 4 * plan.in);
    if (plan.in != plan.out) level.change.emplace(scope / "conv_in", resnet(plan.in, plan.out, plan.noise));
    if (plan.up) level.up.emplace(scope / "upsamplers" / 0, plan.out * plan.factor, plan.factor, plan.residual, c.decoder_causal);
    for (std::int64_t j = 0; j < plan.layers; ++j)
      level.resnets.emplace_back(scope / "resnets" / j, resnet(plan.out, plan.out, plan.noise));
    decoder_.push_back(std::move(level));
  }
  const auto width = c.decoder.back().out;
  decoder_out_ = CausalConv3d(w / "conv_out", width, c.out_channels * c.patch * c.patch, 3, c.decoder_causal);
  if (!c.timed) return;
  time_multiplier_ = w.take("timestep_scale_multiplier", {});
  last_time_ = TimeEmbedder(w / "time_embedder", 2 * width);
  last_table_ = w.take("scale_shift_table", {2, width});
}

stable_diffusion::Posterior Vae::encode(const at::Tensor& video) const {
  const Conditions none;
  // Pixels of a patch become channels in the order colour, column, row.
  const auto patched =
      video.unflatten(4, {-1, config_.patch}).unflatten(3, {-1, config_.patch}).permute({0, 1, 6, 4, 2, 3, 5}).flatten(1, 3);
  auto x = encoder_in_(patched.contiguous(at::MemoryFormat::ChannelsLast3d));
  for (const auto& level : encoder_) {
    for (const auto& resnet : level.resnets) x = resnet(x, {}, none);
    if (level.strided) x = (*level.strided)(x);
    if (level.down) x = (*level.down)(x);
    if (level.change) x = (*level.change)(x, {}, none);
  }
  for (const auto& resnet : encoder_mid_.resnets) x = resnet(x, {}, none);
  x = encoder_out_(nn::apply_in_place(nn::Act::silu, channel_norm(x)));
  // One variance for all channels.
  const auto mean = x.narrow(1, 0, config_.latent_channels);
  const auto logvar = x.narrow(1, config_.latent_channels, 1).expand_as(mean);
  return stable_diffusion::Posterior(at::cat({mean, logvar}, 1).contiguous());
}

at::Tensor Vae::decode_whole(const at::Tensor& latents, const Conditions& conditions) const {
  const auto dtype = latents.scalar_type();
  auto x = decoder_in_(latents);
  const auto mid_time = decoder_mid_.time(conditions, dtype);
  for (const auto& resnet : decoder_mid_.resnets) x = resnet(x, mid_time, conditions);
  for (const auto& level : decoder_) {
    const auto time = level.time(conditions, dtype);
    if (level.change) x = (*level.change)(x, time, conditions);
    if (level.up) x = (*level.up)(x);
    for (const auto& resnet : level.resnets) x = resnet(x, time, conditions);
  }
  x = channel_norm(x);
  if (last_table_.defined()) x = modulated(x, last_time_(conditions, dtype).unflatten(1, {2, -1}).add(last_table_), 0);
  x = decoder_out_(nn::apply_in_place(nn::Act::silu, x));
  return x.unflatten(1, {-1, config_.patch, config_.patch}).permute({0, 1, 4, 5, 3, 6, 2}).flatten(5, 6).flatten(3, 4);
}

at::Tensor Vae::decode(const at::Tensor& latents, Conditions conditions, bool tiling) const {
  if (config_.timed) conditions.time = conditions.time.to(latents.options()).mul(time_multiplier_);
  const auto z = latents.contiguous(at::MemoryFormat::ChannelsLast3d);
  const stable_diffusion::TileSides sides{.in = kTileSide / config_.factor, .out = kTileSide};
  if (!tiling || std::max(z.size(3), z.size(4)) <= sides.in) return decode_whole(z, conditions).contiguous();
  return stable_diffusion::blended_tiles(z, sides, [&](const at::Tensor& tile) { return decode_whole(tile, conditions).contiguous(); });
}

at::Tensor Vae::to_denoiser(const at::Tensor& z) const {
  return z.sub(latents_mean_.to(z.options()).view({1, -1, 1, 1, 1})).div(latents_std_.to(z.options()).view({1, -1, 1, 1, 1}));
}

at::Tensor Vae::from_denoiser(const at::Tensor& z) const {
  return z.mul(latents_std_.to(z.options()).view({1, -1, 1, 1, 1}))
      .div(config_.scaling_factor)
      .add(latents_mean_.to(z.options()).view({1, -1, 1, 1, 1}));
}

std::uint64_t Vae::decode_bytes(std::int64_t frames, std::int64_t height, std::int64_t width) const {
  // At full size: input, norm, padded copy and output of a convolution.
  const std::int64_t pixels = frames * (height / config_.patch) * (width / config_.patch);
  return static_cast<std::uint64_t>(4 * config_.decoder.back().out * pixels) * at::elementSize(dtype());
}

}  // namespace kinora::models::ltx
