#include "models/ltx/vae_config.hpp"

#include <algorithm>

namespace kinora::models::ltx {
namespace {

Down down_named(const nn::JsonConfig& c, const std::string& name) {
  if (name == "conv") return Down::strided;
  if (name == "spatial") return Down::spatial;
  if (name == "temporal") return Down::temporal;
  if (name == "spatiotemporal") return Down::spatiotemporal;
  c.refuse("downsample_type", "holds \"" + name.substr(0, 64) + "\"; known: conv, spatial, temporal, spatiotemporal");
}

template <typename T>
void expect_size(const nn::JsonConfig& c, const char* name, const std::vector<T>& list, std::size_t size) {
  if (list.size() < size) c.refuse(name, "must have at least " + std::to_string(size) + " elements");
}

void read_encoder(const nn::JsonConfig& c, VaeConfig& v) {
  const auto channels = c.integers("block_out_channels", {128, 256, 512, 512}, 1, 1 << 14);
  const auto types = c.texts("down_block_types", std::vector<std::string>(channels.size(), "LTXVideoDownBlock3D"));
  // 0.9.5 names the width before the first block too.
  const bool later = !types.empty() && types.back() == "LTXVideo095DownBlock3D";
  for (const auto& type : types)
    if (type != (later ? "LTXVideo095DownBlock3D" : "LTXVideoDownBlock3D"))
      c.refuse("down_block_types", "must all be LTXVideoDownBlock3D, or all LTXVideo095DownBlock3D");
  if (channels.size() < 2 || channels.size() > 9) c.refuse("block_out_channels", "must have 2 to 9 elements");
  const std::size_t levels = channels.size() - (later ? 1 : 0);
  const auto layers = c.integers("layers_per_block", {4, 3, 3, 3, 4}, 0, 64);
  const auto scaling = c.json().contains("spatio_temporal_scaling") ? c.json().at("spatio_temporal_scaling").size() : 4;
  const auto scales = c.flags("spatio_temporal_scaling", {true, true, true, false}, scaling);
  const auto kinds = c.texts("downsample_type", std::vector<std::string>(levels, "conv"));
  expect_size(c, "layers_per_block", layers, levels + 1);
  expect_size(c, "spatio_temporal_scaling", scales, levels);
  expect_size(c, "downsample_type", kinds, levels);
  std::int64_t in = channels.front();
  for (std::size_t i = 0; i < levels; ++i) {
    const std::int64_t out = later ? channels[i + 1] : channels[std::min(i + 1, levels - 1)];
    v.encoder.push_back({.in = in, .out = out, .layers = layers[i]});
    if (scales[i]) v.encoder.back().down = later ? down_named(c, kinds[i]) : Down::strided;
    if (later && (v.encoder.back().down == Down::strided || v.encoder.back().down == Down::none) && in != out)
      c.refuse("downsample_type", "conv keeps the channels, block_out_channels change them");
    const auto down = v.encoder.back().down;
    const std::int64_t folds = down == Down::spatial ? 4 : down == Down::temporal ? 2 : 8;  // neighbours that become channels
    if (later && down != Down::none && down != Down::strided && (out % folds != 0 || in * folds % out != 0))
      c.refuse("block_out_channels", "must divide: a step down folds " + std::to_string(folds) + " neighbours into channels");
    in = out;
  }
  v.encoder_mid_layers = layers.back();
}

void read_decoder(const nn::JsonConfig& c, VaeConfig& v) {
  const auto list_size = [&](const char* name, std::size_t fallback) { return c.has(name) ? c.json().at(name).size() : fallback; };
  auto channels = c.integers("decoder_block_out_channels", {128, 256, 512, 512}, 1, 1 << 14);
  const std::size_t levels = channels.size();
  if (levels < 1 || levels > 8) c.refuse("decoder_block_out_channels", "must have 1 to 8 elements");
  auto layers = c.integers("decoder_layers_per_block", {4, 3, 3, 3, 4}, 0, 64);
  auto scales = c.flags("decoder_spatio_temporal_scaling", {true, true, true, false}, list_size("decoder_spatio_temporal_scaling", 4));
  auto noise = c.flags("decoder_inject_noise", std::vector<bool>(5, false), list_size("decoder_inject_noise", 5));
  auto residual = c.flags("upsample_residual", std::vector<bool>(4, false), list_size("upsample_residual", 4));
  auto factors = c.integers("upsample_factor", {1, 1, 1, 1}, 1, 8);
  expect_size(c, "decoder_layers_per_block", layers, levels + 1);
  expect_size(c, "decoder_spatio_temporal_scaling", scales, levels);
  expect_size(c, "decoder_inject_noise", noise, levels + 1);
  expect_size(c, "upsample_residual", residual, levels);
  expect_size(c, "upsample_factor", factors, levels);
  // All are told from the pixels' side.
  const auto reverse = [](auto& list) { std::reverse(list.begin(), list.end()); };
  reverse(channels), reverse(layers), reverse(scales), reverse(noise), reverse(residual), reverse(factors);
  v.decoder_in = channels.front();
  v.decoder_mid_layers = layers.front();
  v.decoder_mid_noise = noise.front();
  std::int64_t in = channels.front();
  for (std::size_t i = 0; i < levels; ++i) {
    v.decoder.push_back({.in = in / factors[i],
                         .out = channels[i] / factors[i],
                         .layers = layers[i + 1],
                         .up = scales[i],
                         .noise = noise[i + 1],
                         .residual = residual[i],
                         .factor = factors[i]});
    if (in % factors[i] != 0 || channels[i] % factors[i] != 0 || (8 % factors[i] != 0 && v.decoder.back().residual))
      c.refuse("upsample_factor", "must divide decoder_block_out_channels, and 8 where upsample_residual is set");
    in = v.decoder.back().out;
    if (in < 1 || v.decoder.back().in < 1) c.refuse("upsample_factor", "leaves a level without channels");
  }
}

}  // namespace

VaeConfig VaeConfig::read(const nn::JsonConfig& c) {
  VaeConfig v;
  v.in_channels = c.integer("in_channels", 3, 1, 1024);
  v.out_channels = c.integer("out_channels", 3, 1, 1024);
  v.latent_channels = c.integer("latent_channels", 128, 1, 4096);
  v.patch = c.integer("patch_size", 4, 1, 64);
  c.integer("patch_size_t", 1, 1, 1);
  read_encoder(c, v);
  read_decoder(c, v);
  v.timed = c.flag("timestep_conditioning", false);
  v.encoder_causal = c.flag("encoder_causal", true);
  v.decoder_causal = c.flag("decoder_causal", false);
  v.eps = c.number("resnet_norm_eps", 1e-6);
  v.scaling_factor = c.number("scaling_factor", 1.0);
  if (v.scaling_factor == 0) c.refuse("scaling_factor", "must not be 0");
  const auto ups = std::count_if(v.decoder.begin(), v.decoder.end(), [](const auto& level) { return level.up; });
  v.factor = c.integer("spatial_compression_ratio", v.patch << ups, 1, 1 << 12);
  v.time_factor = c.integer("temporal_compression_ratio", std::int64_t{1} << ups, 1, 1 << 12);
  return v;
}

}  // namespace kinora::models::ltx
