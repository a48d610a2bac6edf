// The bicubic layer against LibTorch's own resampling.
#include "models/fast/detail.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "models/resample.hpp"

namespace kinora::models::fast {
namespace {

template <class Sample>
std::vector<Sample> noise(std::size_t count) {
  std::mt19937 random(7);
  std::vector<Sample> out(count);
  for (Sample& sample : out) sample = static_cast<Sample>(random());
  return out;
}

template <class Sample>
void matches_torch(SampleType type, int scale, double levels) {
  constexpr int width = 13, height = 9;
  const auto samples = noise<Sample>(width * height * 3);
  const Picture picture{.data = samples.data(), .type = type, .width = width, .height = height};
  std::vector<Sample> reference(samples.size() * static_cast<std::size_t>(scale * scale)), ours(reference.size());
  resample(picture, width * scale, height * scale, reference.data());
  const Layer base = bicubic(picture, scale);
  add(base, Layer(type, width * scale, height * scale), type, ours.data());
  // Two pixels from the edges: beyond them torch leaves out what we repeat.
  double farthest = 0;
  const int step = base.samples_per_pixel();
  for (int plane = 0; plane < base.planes(); ++plane)
    for (int y = 2 * scale; y < (height - 2) * scale; ++y)
      for (int x = 2 * scale * step; x < (width - 2) * scale * step; ++x) {
        const auto i = static_cast<std::size_t>((plane * height * scale + y) * width * scale * step + x);
        farthest = std::max(farthest, std::abs(static_cast<double>(ours[i]) - reference[i]));
      }
  EXPECT_LE(farthest, levels) << "scale " << scale;
}

TEST(DetailLayer, bicubic_is_torchs) {
  for (const int scale : {1, 2, 3, 4}) {
    matches_torch<std::uint8_t>(SampleType::packed_u8, scale, 1);             // a half may be rounded either way
    matches_torch<std::uint16_t>(SampleType::planar_u16, scale, 257.0 / 64);  // the layer's unit
  }
}

TEST(DetailLayer, what_is_taken_away_comes_back) {
  constexpr int width = 7, height = 5, scale = 2;
  const auto small = noise<std::uint8_t>(width * height * 3);
  const auto large = noise<std::uint8_t>(width * height * 3 * scale * scale);
  const Layer base = bicubic({.data = small.data(), .width = width, .height = height}, scale);
  const Layer detail = difference({.data = large.data(), .width = width * scale, .height = height * scale}, base);
  std::vector<std::uint8_t> out(large.size());
  add(base, detail, SampleType::packed_u8, out.data());
  EXPECT_EQ(out, large);
}

}  // namespace
}  // namespace kinora::models::fast
