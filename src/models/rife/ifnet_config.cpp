#include "models/rife/ifnet_config.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "nn/load_error.hpp"

namespace kinora::models::rife {
namespace {

constexpr std::int64_t kMaxBlocks = 8, kMaxLayers = 64, kMaxChannels = 1024;
constexpr std::int64_t kLiteChannels = 24;  // of the last block of the published lite network

std::string block(std::size_t index, std::string_view part) { return "block" + std::to_string(index) + "." + std::string(part); }

std::vector<std::int64_t> kernel(const nn::WeightShapes& shapes, const std::string& name, std::string_view file) {
  const auto found = shapes.find(name);
  if (found == shapes.end() || found->second.size() != 4)
    throw nn::LoadError(file, name, "is missing or no convolution: not a RIFE network of version 4.6, 4.25 or 4.26");
  return found->second;
}

}  // namespace

std::int64_t IfnetConfig::inputs(std::size_t index) const {
  constexpr std::int64_t kPictures = 6, kTime = 1, kFlow = 4, kMask = 1;
  const std::int64_t first = kPictures + kTime + 2 * features;
  return index == 0 ? first : first + kMask + carried + kFlow;
}

std::int64_t IfnetConfig::outputs() const { return has_encoder() ? 5 + carried : 6; }

std::int64_t IfnetConfig::pad_multiple(double scale) const {
  // A block shrinks by its scale, its two first convolutions by 4.
  const double coarsest = *std::max_element(scales.begin(), scales.end());
  return static_cast<std::int64_t>(std::lround(4 * std::max(coarsest, coarsest / scale)));
}

IfnetConfig infer_ifnet_config(const nn::WeightShapes& shapes, std::string_view file) {
  IfnetConfig config;
  const bool encoder = shapes.contains("encode.cnn0.weight");
  config.features = encoder ? kernel(shapes, "encode.cnn3.weight", file)[1] : 0;
  config.encoder_width = encoder ? kernel(shapes, "encode.cnn0.weight", file)[0] : 0;
  config.carried = encoder ? kernel(shapes, "block0.lastconv.0.weight", file)[1] / 4 - 5 : 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(kMaxBlocks) && shapes.contains(block(i, "conv0.0.0.weight")); ++i) {
    const auto channels = kernel(shapes, block(i, "conv0.1.0.weight"), file)[0];
    if (channels < 2 || channels > kMaxChannels || channels % 2 != 0)
      throw nn::LoadError(file, block(i, "conv0.1.0.weight"), "must have 2 to 1024 channels, an even number");
    config.channels.push_back(channels);
    std::int64_t layers = 0;
    while (layers < kMaxLayers && shapes.contains(block(i, "convblock." + std::to_string(layers) + ".beta"))) ++layers;
    config.layers.push_back(layers);
  }
  if (config.channels.empty() || config.features < 0 || config.features > 64 || config.carried < 0 || config.carried > 64 ||
      config.encoder_width > kMaxChannels || *std::min_element(config.layers.begin(), config.layers.end()) < 1)
    throw nn::LoadError(file, "block0.conv0.0.0.weight", "is missing: not a RIFE network of version 4.6, 4.25 or 4.26");
  const auto blocks = config.channels.size();
  const bool lite = blocks == 5 && config.channels.back() == kLiteChannels;
  for (std::size_t i = 0; i < blocks; ++i)
    config.scales.push_back(std::pow(2.0, static_cast<double>(blocks - 1 - i + (lite && i < 4 ? 1 : 0))));
  return config;
}

}  // namespace kinora::models::rife
