#pragma once
// For benchmarks of networks whose published weights are not at hand: a checkpoint with random ones, pictures of noise, the best of some
// runs.
#include <ATen/ops/randn.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "models/interpolator.hpp"
#include "models/rife/ifnet_config.hpp"
#include "models/upscaler.hpp"
#include "nn/safetensors.hpp"

namespace kinora::bench {

// A checkpoint of these shapes in the folder for temporary files, gone with the object. Weights are small enough that nothing overflows.
class RandomFile {
 public:
  RandomFile(const std::string& name, const nn::WeightShapes& shapes)
      : path_(std::filesystem::temp_directory_path() / (name + std::to_string(::getpid()) + ".safetensors")) {
    nn::TensorMap weights;
    for (const auto& [weight, shape] : shapes) {
      double fan_in = 1;
      for (std::size_t i = 1; i < shape.size(); ++i) fan_in *= static_cast<double>(shape[i]);
      weights.emplace(weight, at::randn(shape).mul(0.5 / std::sqrt(fan_in)));
    }
    nn::write_safetensors(path_, weights);
  }
  RandomFile(const RandomFile&) = delete;
  RandomFile& operator=(const RandomFile&) = delete;
  ~RandomFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// 8 bits, [height, width, 3].
struct Noise {
  Noise(std::int64_t width, std::int64_t height, std::uint32_t seed)
      : width(width), height(height), pixels(static_cast<std::size_t>(3 * width * height)) {
    for (auto& pixel : pixels) pixel = static_cast<std::uint8_t>((seed = seed * 1664525U + 1013904223U) >> 24);
  }
  models::Picture picture() const {
    return {.data = pixels.data(), .type = models::SampleType::packed_u8, .width = width, .height = height};
  }
  std::int64_t width, height;
  std::vector<std::uint8_t> pixels;
};

// Seconds of the quickest of `runs`, after one that does not count.
inline double best_seconds(int runs, const std::function<void()>& work) {
  work();
  double best = 1e9;
  for (int run = 0; run < runs; ++run) {
    const auto start = std::chrono::steady_clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

// Upscaling one picture; one picture between two, where the first was prepared for the pair before.
inline double upscale_seconds(int runs, models::Upscaler& network, std::int64_t width, std::int64_t height) {
  const Noise in(width, height, 1);
  std::vector<std::uint8_t> out(in.pixels.size() * static_cast<std::size_t>(network.scale() * network.scale()));
  return best_seconds(runs, [&] { network.upscale(in.picture(), out.data()); });
}
inline double interpolate_seconds(int runs, models::Interpolator& network, std::int64_t width, std::int64_t height) {
  const Noise first(width, height, 1), second(width, height, 2);
  std::vector<std::uint8_t> out(first.pixels.size());
  const auto a = network.prepare(first.picture(), {});
  return best_seconds(runs, [&] {
    const auto b = network.prepare(second.picture(), {});
    network.between(*a, *b, 0.5, {}, models::SampleType::packed_u8, out.data());
  });
}

// IFNet 4.25 at its published size.
inline const models::rife::IfnetConfig kRife425{.channels = {192, 128, 96, 64, 32}, .layers = {8, 8, 8, 8, 8}, .scales = {16, 8, 4, 2, 1}};

}  // namespace kinora::bench
