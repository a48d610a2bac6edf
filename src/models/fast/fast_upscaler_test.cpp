// A network whose results are known: each pixel becomes a small pattern of itself, so that what is carried right is equal to the last bit.
#include "models/fast/fast_upscaler.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

namespace kinora::models::fast {
namespace {

constexpr int kScale = 2, kWidth = 256, kHeight = 160;

class Pattern final : public Upscaler {
 public:
  std::int64_t scale() const override { return kScale; }
  std::string description() const override { return "pattern"; }
  using Upscaler::upscale;
  void upscale(const Picture& in, void* out, const Watch& watch) override {
    now += time;
    pixels += in.width * in.height;
    if (in.width == kWidth && in.height == kHeight) ++whole;
    if (in.type == SampleType::packed_u8)
      fill<std::uint8_t>(in, out, 3, 1, 12);
    else
      fill<std::uint16_t>(in, out, 1, 3, 12 * 257);
    if (watch && !watch(1)) throw Stopped();
  }
  int whole = 0;
  std::int64_t pixels = 0;
  std::chrono::milliseconds time{0};            // that a call takes on the test's clock
  std::chrono::steady_clock::time_point now{};  // each look at it takes a millisecond
  FastUpscaler::Clock clock() {
    return [this] { return now += std::chrono::milliseconds(1); };
  }

 private:
  template <class Sample>
  static void fill(const Picture& in, void* out, int step, int planes, int depth) {
    const auto* from = static_cast<const Sample*>(in.data);
    auto* to = static_cast<Sample*>(out);
    const auto w = static_cast<int>(in.width), h = static_cast<int>(in.height);
    for (int p = 0; p < planes; ++p)
      for (int y = 0; y < h * kScale; ++y)
        for (int x = 0; x < w * kScale; ++x)
          for (int c = 0; c < step; ++c)
            to[((p * h * kScale + y) * w * kScale + x) * step + c] =
                static_cast<Sample>(from[((p * h + y / kScale) * w + x / kScale) * step + c] + ((x + y) % 2 == 0 ? depth : -depth));
  }
};

using Samples = std::vector<std::uint8_t>;

// A window at (x, y) onto a smooth scene; values stay 20 from the ends, so that the pattern fits.
Samples scene(double x, double y, int seed = 0) {
  Samples out(kWidth * kHeight * 3);
  for (int j = 0; j < kHeight; ++j)
    for (int i = 0; i < kWidth; ++i)
      for (int c = 0; c < 3; ++c) {
        const double u = i + x + 37 * seed, v = j + y - 11 * seed;
        const double value =
            128 + 50 * std::sin(u / (6 + seed) + c) * std::cos(v / 7) + 35 * std::sin((u * u / 190 + v) / 11) + 15 * std::cos(v * u / 500);
        out[static_cast<std::size_t>((j * kWidth + i) * 3 + c)] = static_cast<std::uint8_t>(value);
      }
  return out;
}

struct FastTest : testing::Test {
  Pattern network;
  FastUpscaler fast{network, Mode::always};

  static Picture picture(const Samples& samples) { return {.data = samples.data(), .width = kWidth, .height = kHeight}; }
  Samples run(const Samples& samples) {
    Samples out(samples.size() * kScale * kScale);
    fast.upscale(picture(samples), out.data());
    return out;
  }
  static Samples whole(const Samples& samples) {
    Samples out(samples.size() * kScale * kScale);
    Pattern().upscale(picture(samples), out.data());
    return out;
  }
  // Share of samples that are more than one level from what the network makes of it.
  static double wrong(const Samples& out, const Samples& samples) {
    const Samples right = whole(samples);
    std::size_t count = 0;
    for (std::size_t i = 0; i < out.size(); ++i) count += std::abs(out[i] - right[i]) > 1 ? 1U : 0U;
    return static_cast<double>(count) / static_cast<double>(out.size());
  }
};

TEST_F(FastTest, a_still_needs_the_network_once) {
  const Samples still = scene(0, 0);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(run(still), whole(still)) << i;
  EXPECT_EQ(network.whole, 1);
  EXPECT_EQ(fast.counts().frames, 10);
  EXPECT_EQ(fast.counts().whole, 1);
  EXPECT_DOUBLE_EQ(fast.counts().carried_share(), 0.9);
}

TEST_F(FastTest, a_canvas_is_made_anew_after_a_while) {
  const Samples still = scene(0, 0);
  for (int i = 0; i < 50; ++i) (void)run(still);
  EXPECT_EQ(network.whole, 2);
}

// Fractions of a source pixel: what is carried is off by at most half a pixel of the result, and does not add up.
TEST_F(FastTest, a_moving_picture_is_carried) {
  for (int i = 0; i < 8; ++i) {
    const Samples now = scene(2 * i, i);
    EXPECT_LT(wrong(run(now), now), 0.12) << i;  // what came in at the borders
  }
  EXPECT_EQ(network.whole, 1);
}

TEST_F(FastTest, a_cut_gives_a_new_canvas_at_once) {
  (void)run(scene(0, 0));
  const Samples other = scene(0, 0, 3);
  EXPECT_EQ(run(other), whole(other));
  EXPECT_EQ(network.whole, 2);
  EXPECT_EQ(run(other), whole(other));
  EXPECT_EQ(network.whole, 2);
}

TEST_F(FastTest, only_what_is_new_goes_through_the_network) {
  const Samples before = scene(0, 0), other = scene(0, 0, 3);
  Samples now = before;
  for (int y = 40; y < 60; ++y)
    std::copy_n(&other[static_cast<std::size_t>((y * kWidth + 72) * 3)], 24 * 3, &now[static_cast<std::size_t>((y * kWidth + 72) * 3)]);
  (void)run(before);
  network.pixels = 0;
  EXPECT_EQ(run(now), whole(now));
  EXPECT_EQ(network.whole, 1);
  EXPECT_GT(fast.counts().tiles, 0);
  EXPECT_LT(network.pixels, kWidth * kHeight * 6 / 10);
  // The tiles are on the canvas now.
  const auto tiles = fast.counts().tiles;
  EXPECT_EQ(run(now), whole(now));
  EXPECT_EQ(fast.counts().tiles, tiles);
}

TEST_F(FastTest, what_moves_too_fast_to_be_searched_for_is_carried_along_the_codecs_vectors) {
  (void)run(scene(0, 0));
  (void)run(scene(40, 0));
  EXPECT_EQ(network.whole, 2);
  FastUpscaler hinted(network, Mode::always);
  Samples out(kWidth * kHeight * 3 * kScale * kScale);
  const Samples first = scene(0, 0), second = scene(40, 0);
  hinted.upscale(picture(first), out.data());
  hinted.hint({{.x = 0, .y = 0, .width = kWidth, .height = kHeight, .dx = 40, .dy = 0}});
  hinted.upscale(picture(second), out.data());
  EXPECT_EQ(hinted.counts().whole, 1);
  EXPECT_GT(hinted.counts().carried_share(), 0.25);  // of two pictures: more than half of the second
}

TEST_F(FastTest, wild_vectors_do_no_harm) {
  const Samples still = scene(0, 0);
  (void)run(still);
  fast.hint({{.x = -500, .y = 1 << 20, .width = 1 << 30, .height = 16, .dx = 1e9F, .dy = -1e9F},
             {.x = 0, .y = 0, .width = 64, .height = 64, .dx = 3000, .dy = -3000}});
  EXPECT_EQ(run(still), whole(still));
}

TEST_F(FastTest, scenes_that_move_too_much_are_tried_ever_more_rarely) {
  for (int i = 0; i < 40; ++i) (void)run(scene(0, 0, i));
  EXPECT_EQ(network.whole, 40);
  EXPECT_EQ(fast.counts().whole, 40);
}

TEST_F(FastTest, another_size_is_a_new_beginning) {
  (void)run(scene(0, 0));
  const Samples small(64 * 48 * 3, 100);
  Samples out(small.size() * kScale * kScale);
  fast.upscale({.data = small.data(), .width = 64, .height = 48}, out.data());
  EXPECT_EQ(fast.counts().whole, 2);
  EXPECT_EQ(out[0], 112);
}

TEST_F(FastTest, what_follows_a_restart_is_made_as_if_nothing_came_before) {
  for (const bool cuts : {true, false}) {  // after cuts pictures go to the network untried for a while
    FastUpscaler fresh(network, Mode::always);
    for (int i = 0; i < 6; ++i) (void)run(cuts ? scene(0, 0, i) : scene(0.5 * i, 0));
    fast.restart();
    for (int i = 0; i < 4; ++i) {
      const Samples now = scene(3 + 0.7 * i, 0.3 * i);
      Samples out(now.size() * kScale * kScale);
      fresh.upscale(picture(now), out.data());
      EXPECT_EQ(run(now), out) << i;
    }
    EXPECT_EQ(fresh.counts().whole, 1);
  }
}

TEST_F(FastTest, sixteen_bits_are_carried_too) {
  const Samples bytes = scene(0, 0);
  std::vector<std::uint16_t> deep(bytes.size());
  for (std::size_t i = 0; i < deep.size(); ++i) deep[i] = static_cast<std::uint16_t>(bytes[i] * 257);
  const Picture in{.data = deep.data(), .type = SampleType::planar_u16, .width = kWidth, .height = kHeight};
  std::vector<std::uint16_t> right(deep.size() * kScale * kScale), out(right.size());
  Pattern().upscale(in, right.data());
  fast.upscale(in, out.data());
  fast.upscale(in, out.data());
  EXPECT_EQ(fast.counts().whole, 1);
  int farthest = 0;
  for (std::size_t i = 0; i < out.size(); ++i) farthest = std::max(farthest, std::abs(out[i] - right[i]));
  EXPECT_LE(farthest, 5);  // 1/64 of an 8-bit level, and half a step of 16 bits
}

TEST_F(FastTest, a_stop_within_a_tile_ends_the_picture) {
  const Samples before = scene(0, 0), other = scene(0, 0, 3);
  Samples now = before;
  std::copy_n(&other[0], 32 * kWidth * 3, &now[0]);
  (void)run(before);
  Samples out(now.size() * kScale * kScale);
  EXPECT_THROW(fast.upscale(picture(now), out.data(), [](double) { return false; }), Stopped);
}

TEST_F(FastTest, a_quick_network_is_left_alone) {
  FastUpscaler when_it_pays(network, Mode::when_it_pays, network.clock());
  const Samples still = scene(0, 0);
  Samples out(still.size() * kScale * kScale);
  for (int i = 0; i < 6; ++i) when_it_pays.upscale(picture(still), out.data());
  EXPECT_EQ(when_it_pays.counts().whole, 5);  // one was carried before it was known what that costs
}

TEST_F(FastTest, a_slow_network_is_spared) {
  network.time = std::chrono::milliseconds(20);
  FastUpscaler when_it_pays(network, Mode::when_it_pays, network.clock());
  const Samples still = scene(0, 0);
  Samples out(still.size() * kScale * kScale);
  for (int i = 0; i < 6; ++i) when_it_pays.upscale(picture(still), out.data());
  EXPECT_EQ(when_it_pays.counts().whole, 1);
}

}  // namespace
}  // namespace kinora::models::fast
