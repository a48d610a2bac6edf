#include "models/svd/temporal_transformer.hpp"

#include <ATen/ops/add.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>

#include "models/unet/tokens.hpp"

namespace kinora::models::svd {

TemporalBlock::TemporalBlock(const nn::Weights& w, std::int64_t width, std::int64_t heads, std::int64_t context_width)
    : norm_in(w / "norm_in", width), ff_in(w / "ff_in", width), block(w, width, heads, context_width) {}

void TemporalBlock::operator()(const at::Tensor& x, const at::Tensor& context) const {
  x.add_(ff_in(norm_in(x)));
  block(x, context);
}

SpatioTemporalTransformer::SpatioTemporalTransformer(const nn::Weights& w, const unet::TransformerConfig& config)
    : norm(w / "norm", config.groups, config.channels, 1e-6),
      proj_in(w / "proj_in", config.channels, config.inner(), config.linear_projection),
      proj_out(w / "proj_out", config.inner(), config.channels, config.linear_projection),
      time_pos_embed(w / "time_pos_embed", config.channels, 4 * config.channels, config.channels),
      time_mixer(w / "time_mixer", /*exchanged_=*/false) {
  for (std::int64_t k = 0; k < config.depth; ++k) {
    blocks.emplace_back(w / "transformer_blocks" / k, config.inner(), config.heads, config.context);
    temporal_blocks.emplace_back(w / "temporal_transformer_blocks" / k, config.inner(), config.heads, config.context);
  }
}

at::Tensor SpatioTemporalTransformer::operator()(const at::Tensor& x, const at::Tensor& context, std::int64_t videos) const {
  const auto tokens = proj_in(unet::to_tokens(norm(x)));    // [videos F, S, C]
  const auto by_frame = tokens.unflatten(0, {videos, -1});  // [videos, F, S, C]
  const std::int64_t frames = by_frame.size(1), pixels = by_frame.size(2), width = by_frame.size(3);
  const auto numbers = unet::sinusoidal_embedding(at::arange(frames, tokens.options()), x.size(1)).to(tokens.scalar_type());
  const auto frame_embedding = time_pos_embed(numbers).unsqueeze(1);  // [F, 1, C]
  const auto temporal_share = time_mixer.temporal_share();
  const auto by_pixel = at::empty({videos * pixels, frames, width}, tokens.options());
  const auto by_pixel_as_frames = by_pixel.view({videos, pixels, frames, width}).transpose(1, 2);  // [videos, F, S, C]
  for (std::size_t k = 0; k < blocks.size(); ++k) {
    blocks[k](tokens, context);
    auto out = by_pixel_as_frames;
    at::add_out(out, by_frame, frame_embedding);
    temporal_blocks[k](by_pixel, context);
    by_frame.lerp_(by_pixel_as_frames, temporal_share);
  }
  return unet::to_picture(proj_out(tokens), x.size(2), x.size(3)).add_(x);
}

}  // namespace kinora::models::svd
