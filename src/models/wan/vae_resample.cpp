#include "models/wan/vae_resample.hpp"

#include <ATen/ops/_upsample_nearest_exact2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>

namespace kinora::models::wan {

Downsample::Downsample(const nn::Weights& w, std::int64_t channels, bool time)
    : resample_(w / "resample" / 1, channels, channels, 3, /*stride=*/2) {
  if (time) time_conv_.emplace(w / "time_conv", channels, channels, nn::Conv3d::Sides{3, 1, 1}, nn::Conv3d::Sides{2, 1, 1});
}

at::Tensor Downsample::operator()(const at::Tensor& x, Passage& passage) const {
  auto y = from_frames(resample_(at::constant_pad_nd(to_frames(x), {0, 1, 0, 1})), x.size(0));
  if (!time_conv_) return y;
  auto& kept = passage.kept[this];
  const auto before = kept;
  kept = y.narrow(2, y.size(2) - 1, 1).clone();
  return passage.first ? y : (*time_conv_)(at::cat({before, y}, 2));
}

Upsample::Upsample(const nn::Weights& w, std::int64_t in, std::int64_t out, bool time) : resample_(w / "resample" / 1, in, out, 3, 1, 1) {
  if (time) time_conv_.emplace(w / "time_conv", in, 2 * in, nn::Conv3d::Sides{3, 1, 1});
}

at::Tensor Upsample::operator()(const at::Tensor& x, Passage& passage) const {
  auto y = x;
  if (time_conv_ && !passage.first) {
    // The first half of the channels is the earlier frame of the two.
    y = (*time_conv_)(x, passage).unflatten(1, {2, x.size(1)}).permute({0, 3, 1, 4, 5, 2}).flatten(1, 2).permute({0, 4, 1, 2, 3});
  }
  const auto wide = at::_upsample_nearest_exact2d(to_frames(y), {2 * y.size(3), 2 * y.size(4)});
  return from_frames(resample_(wide), x.size(0));
}

at::Tensor averaged_down(const at::Tensor& x, std::int64_t out_channels, std::int64_t time, std::int64_t side) {
  const std::int64_t missing = (time - x.size(2) % time) % time;
  const auto padded = missing > 0 ? at::constant_pad_nd(x, {0, 0, 0, 0, missing, 0}) : x;
  const auto cut = padded.unflatten(4, {-1, side}).unflatten(3, {-1, side}).unflatten(2, {-1, time});  // B C T t H h W w
  return cut.permute({0, 1, 3, 5, 7, 2, 4, 6}).flatten(1, 4).unflatten(1, {out_channels, -1}).mean(2);
}

at::Tensor repeated_up(const at::Tensor& x, std::int64_t out_channels, std::int64_t time, std::int64_t side, bool first) {
  const std::int64_t repeats = out_channels * time * side * side / x.size(1);
  const auto spread = x.repeat_interleave(repeats, 1).unflatten(1, {out_channels, time, side, side});  // B C t h w T H W
  const auto y = spread.permute({0, 1, 5, 2, 6, 3, 7, 4}).flatten(6, 7).flatten(4, 5).flatten(2, 3);
  return first ? y.slice(2, time - 1) : y;
}

}  // namespace kinora::models::wan
