#include "models/wan/vae_config.hpp"

#include <ATen/ops/tensor.h>

#include <algorithm>

namespace kinora::models::wan {
namespace {

// Of the published Wan 2.1 VAE; its configuration may leave them out.
const std::vector<double> kMean{-0.7571, -0.7089, -0.9113, 0.1075,  -0.1745, 0.9653,  -0.1517, 1.5508,
                                0.4134,  -0.0715, 0.5517,  -0.3632, -0.1922, -0.9497, 0.2503,  -0.2921};
const std::vector<double> kStd{2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743,
                               3.2687, 2.1526, 2.8652, 1.5579, 1.6382, 1.1253, 2.8251, 1.916};

at::Tensor per_channel(const std::vector<double>& values, const at::Tensor& like) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(like.dim()), 1);
  shape[1] = -1;
  return at::tensor(values, like.options().device(c10::kCPU)).to(like.device()).view(shape);
}

// What goes past a residual level is averaged in whole groups downwards, and repeated whole upwards.
void check_ways_past(const nn::JsonConfig& c, const VaeConfig& v) {
  const auto& widths = v.multipliers;
  const std::size_t last = widths.size() - 1;
  const auto neighbours = [&](std::size_t level) { return v.halves_time[level] ? 8 : 4; };  // of the step between it and the next
  bool whole = true;
  for (std::size_t i = 0; i <= last; ++i) {
    const std::int64_t in = i == 0 ? 1 : widths[i - 1];
    whole = whole && in * (i == last ? 1 : neighbours(i)) % widths[i] == 0;
    if (i > 0) whole = whole && widths[i] * neighbours(i - 1) % widths[std::min(i + 1, last)] == 0;
  }
  if (!whole) c.refuse("dim_mult", "does not divide: a residual level averages and repeats whole channels");
}

}  // namespace

VaeConfig VaeConfig::read(const nn::JsonConfig& c) {
  VaeConfig v;
  v.base = c.integer("base_dim", 96, 1, 1 << 12);
  v.decoder_base = c.integer("decoder_base_dim", v.base, 1, 1 << 12);
  v.latent_channels = c.integer("z_dim", 16, 1, 1024);
  v.multipliers = c.integers("dim_mult", {1, 2, 4, 4}, 1, 64);
  const std::size_t levels = v.multipliers.size();
  if (levels < 2 || levels > 8) c.refuse("dim_mult", "must have 2 to 8 elements");
  v.layers = c.integer("num_res_blocks", 2, 1, 16);
  if (!c.numbers("attn_scales", {}).empty()) c.refuse("attn_scales", "must be empty: attention is known in the middle only");
  // A third flag for four levels: the last level has no step down.
  v.halves_time = c.flags("temperal_downsample", {false, true, true}, levels - 1);
  v.halves_time.push_back(false);
  v.residual = c.flag("is_residual", false);
  v.in_channels = c.integer("in_channels", 3, 1, 1024);
  v.out_channels = c.integer("out_channels", 3, 1, 1024);
  v.patch = c.integer("patch_size", 1, 1, 16);
  v.latents_mean = c.numbers("latents_mean", kMean);
  v.latents_std = c.numbers("latents_std", kStd);
  for (const auto& [name, values] : {std::pair{"latents_mean", &v.latents_mean}, {"latents_std", &v.latents_std}})
    if (values->size() != static_cast<std::size_t>(v.latent_channels)) c.refuse(name, "must have z_dim elements");
  for (const double deviation : v.latents_std)
    if (deviation <= 0) c.refuse("latents_std", "must be above 0");
  if (v.residual) check_ways_past(c, v);
  // The steps up halve the width.
  if (!v.residual && v.decoder_base * *std::min_element(v.multipliers.begin() + 1, v.multipliers.end()) < 2)
    c.refuse("decoder_base_dim", "leaves a level without channels");
  return v;
}

std::int64_t VaeConfig::time_factor() const { return 1LL << std::count(halves_time.begin(), halves_time.end(), true); }

at::Tensor VaeConfig::to_denoiser(const at::Tensor& z) const {
  return z.sub(per_channel(latents_mean, z)).div(per_channel(latents_std, z));
}
at::Tensor VaeConfig::from_denoiser(const at::Tensor& z) const {
  return z.mul(per_channel(latents_std, z)).add(per_channel(latents_mean, z));
}

}  // namespace kinora::models::wan
