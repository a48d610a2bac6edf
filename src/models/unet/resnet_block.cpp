#include "models/unet/resnet_block.hpp"

namespace kinora::models::unet {
namespace {

// [B, C, H, W] seen as [T, B / T, C, H, W], so that a row of the time embedding reaches its pictures without being repeated.
at::Tensor by_time(const at::Tensor& x, const at::Tensor& time) { return x.unflatten(0, {time.size(0), -1}); }
at::Tensor over_pictures(const at::Tensor& vector) { return vector.unsqueeze(1).unsqueeze(-1).unsqueeze(-1); }

}  // namespace

ResnetBlock::ResnetBlock(const nn::Weights& w, const ResnetConfig& config_)
    : config(config_),
      norm1(w / "norm1", config.groups, config.in, config.eps),
      norm2(w / "norm2", config.groups, config.out, config.eps),
      conv1(w / "conv1", config.in, config.out, 3, 1, 1),
      conv2(w / "conv2", config.out, config.out, 3, 1, 1) {
  if (config.time > 0) time_emb_proj = nn::Linear(w / "time_emb_proj", config.time, config.scale_shift ? 2 * config.out : config.out);
  if (config.in != config.out) conv_shortcut.emplace(w / "conv_shortcut", config.in, config.out, 1);
}

at::Tensor ResnetBlock::operator()(const at::Tensor& x, const at::Tensor& time) const {
  auto h = conv1(nn::apply_in_place(config.act, norm1(x)));
  const bool timed = config.time > 0 && time.defined();
  const auto vector = timed ? over_pictures(time_emb_proj(time)) : at::Tensor();
  if (timed && !config.scale_shift) by_time(h, time).add_(vector);
  h = norm2(h);
  if (timed && config.scale_shift)
    by_time(h, time).mul_(vector.narrow(2, 0, config.out).add(1)).add_(vector.narrow(2, config.out, config.out));
  h = conv2(nn::apply_in_place(config.act, std::move(h)));
  h.add_(conv_shortcut ? (*conv_shortcut)(x) : x);
  return config.output_scale == 1 ? h : h.div_(config.output_scale);
}

}  // namespace kinora::models::unet
