#include "models/tiled_upscaler.hpp"

#include <ATen/ops/upsample_nearest2d.h>
#include <gtest/gtest.h>

#include <vector>

namespace kinora::models {
namespace {

// Repeats pixels; works as hard as it is told to.
class Repeats final : public TiledUpscaler {
 public:
  Repeats(std::int64_t context, std::int64_t macs_per_pixel, std::uint64_t memory_bytes)
      : TiledUpscaler({.scale = 2, .context = context, .multiple = 1, .bytes_per_pixel = 1000, .macs_per_pixel = macs_per_pixel}, c10::kCPU,
                      memory_bytes) {}
  std::string description() const override { return "repeats"; }
  bool set_denoise(double) override { return false; }
  mutable std::vector<std::int64_t> calls;  // pixels of each

 private:
  at::Tensor enlarge(const at::Tensor& rgb) const override {
    calls.push_back(rgb.size(2) * rgb.size(3));
    return at::upsample_nearest2d(rgb, {rgb.size(2) * 2, rgb.size(3) * 2});
  }
};

std::vector<std::int64_t> calls_for(Repeats network, std::int64_t width, std::int64_t height) {
  const std::vector<std::uint8_t> in(static_cast<std::size_t>(3 * width * height), 77);
  std::vector<std::uint8_t> out(in.size() * 4);
  network.upscale({.data = in.data(), .type = SampleType::packed_u8, .width = width, .height = height}, out.data());
  EXPECT_EQ(out, std::vector<std::uint8_t>(out.size(), 77));
  return network.calls;
}

constexpr std::uint64_t kGib = 1ULL << 30;

// RealESRGAN_x4plus: 50 G multiply-accumulates are 2 793 pixels, less than a tile's context alone. 6 x 32 pixels are kept instead: 4 x 2
// tiles.
TEST(TiledUpscaler, keeps_most_of_what_a_heavy_network_with_much_context_computes) {
  const auto calls = calls_for(Repeats(32, 17'900'000, 8 * kGib), 640, 360);
  EXPECT_EQ(calls.size(), 8U);
  for (const std::int64_t pixels : calls) EXPECT_LE(pixels, 256 * 256);
}

TEST(TiledUpscaler, asks_a_watch_in_time_where_context_is_small) {
  const auto calls = calls_for(Repeats(4, 1'000'000, 8 * kGib), 640, 360);
  EXPECT_GE(calls.size(), 640U * 360U / 50'000);
  for (const std::int64_t pixels : calls) EXPECT_LE(pixels, 50'000);
}

TEST(TiledUpscaler, stays_within_the_memory_given_whatever_is_lost_to_context) {
  for (const std::int64_t pixels : calls_for(Repeats(32, 17'900'000, 10'000'000), 320, 180)) EXPECT_LE(pixels, 10'000);
}

}  // namespace
}  // namespace kinora::models
