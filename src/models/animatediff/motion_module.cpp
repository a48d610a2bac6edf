#include "models/animatediff/motion_module.hpp"

#include "models/unet/tokens.hpp"

namespace kinora::models::animatediff {
namespace {

unet::AttentionSizes sizes(const MotionModuleConfig& config) {
  return {.query = config.channels, .context = config.channels, .heads = config.heads, .inner = config.channels};
}

}  // namespace

MotionBlock::MotionBlock(const nn::Weights& w, const MotionModuleConfig& config)
    : norm1(w / "norm1", config.channels),
      norm2(w / "norm2", config.channels),
      norm3(w / "norm3", config.channels),
      attn1(w / "attn1", sizes(config)),
      attn2(w / "attn2", sizes(config)),
      ff(w / "ff", config.channels),
      positions((w / "pos_embed").take("pe", {1, config.max_frames, config.channels})) {}

void MotionBlock::operator()(const at::Tensor& x) const {
  const auto pe = positions.narrow(1, 0, x.size(1));
  x.add_(attn1.self(norm1(x).add_(pe)));
  x.add_(attn2.self(norm2(x).add_(pe)));
  x.add_(ff(norm3(x)));
}

MotionModule::MotionModule(const nn::Weights& w, const MotionModuleConfig& config)
    : norm(w / "norm", config.groups, config.channels, 1e-6),
      proj_in(w / "proj_in", config.channels, config.channels),
      proj_out(w / "proj_out", config.channels, config.channels) {
  for (std::int64_t k = 0; k < config.depth; ++k) blocks.emplace_back(w / "transformer_blocks" / k, config);
}

at::Tensor MotionModule::operator()(const at::Tensor& x, std::int64_t videos) const {
  const auto rows = unet::frames_to_rows(x, videos);                            // groups span all frames
  const auto tokens = proj_in(norm(rows).permute({0, 3, 2, 1}).flatten(0, 1));  // [videos H W, F, C]
  for (const auto& block : blocks) block(tokens);
  const auto change = proj_out(tokens).unflatten(0, {videos, -1}).permute({0, 3, 2, 1});  // [videos, C, F, H W]
  return unet::rows_to_frames(rows.add(change), x.size(2), x.size(3));
}

}  // namespace kinora::models::animatediff
