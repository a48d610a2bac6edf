// The checker against clips whose content is known, clean and damaged, and against clips that show something else.
#include "kinora_train/clips/clip_checker.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kinora_train/error.hpp"

namespace kinora::train {
namespace {

Seen all_of(const Combination& what) {
  return {.shape = what.shape, .colour = what.colour, .direction = what.direction, .background = what.background};
}

Clip clip_of(const Combination& what, std::uint64_t seed) {
  Random random(seed);
  return render(draw_scene(what, random));
}

// Gaussian noise of this deviation in levels.
Clip noisy(Clip clip, double deviation, std::uint64_t seed) {
  Random random(seed);
  for (auto& value : clip.pixels) value = static_cast<std::uint8_t>(std::clamp(std::lround(value + deviation * random.normal()), 0L, 255L));
  return clip;
}

// The mean of a window of 2 n + 1 pixels a side.
Clip blurred(const Clip& clip, int n) {
  Clip out = clip;
  for (int frame = 0; frame < clip.frames; ++frame) {
    for (int y = 0; y < clip.height; ++y) {
      for (int x = 0; x < clip.width; ++x) {
        for (int channel = 0; channel < 3; ++channel) {
          int sum = 0, count = 0;
          for (int v = std::max(0, y - n); v <= std::min(clip.height - 1, y + n); ++v)
            for (int u = std::max(0, x - n); u <= std::min(clip.width - 1, x + n); ++u, ++count) sum += clip.at(frame, v, u)[channel];
          out.at(frame, y, x)[channel] = static_cast<std::uint8_t>(sum / count);
        }
      }
    }
  }
  return out;
}

Clip backwards(const Clip& clip) {
  Clip out = clip;
  const std::size_t frame = clip.pixels.size() / static_cast<std::size_t>(clip.frames);
  for (int i = 0; i < clip.frames; ++i)
    std::copy_n(clip.pixels.begin() + static_cast<std::ptrdiff_t>(frame * static_cast<std::size_t>(i)), frame,
                out.pixels.begin() + static_cast<std::ptrdiff_t>(frame * static_cast<std::size_t>(clip.frames - 1 - i)));
  return out;
}

TEST(ClipChecker, reads_every_combination) {
  std::uint64_t seed = 0;
  for (const auto& what : all_combinations()) {
    if (++seed % 7 != 0) continue;  // to save time; of 7, so that every value occurs
    EXPECT_EQ(look_at(clip_of(what, seed)), all_of(what)) << describe(all_of(what));
  }
}

TEST(ClipChecker, reads_noisy_and_blurred_clips) {
  const auto all = all_combinations();
  for (std::size_t i = 0; i < all.size(); i += 97) {
    EXPECT_EQ(look_at(noisy(clip_of(all[i], i), 12, i)), all_of(all[i])) << "noisy " << describe(all_of(all[i]));
    EXPECT_EQ(look_at(blurred(clip_of(all[i], i), 2)), all_of(all[i])) << "blurred " << describe(all_of(all[i]));
  }
}

TEST(ClipChecker, tells_a_clip_that_runs_backwards) {
  const Combination what{Shape::star, Colour::yellow, Direction::up, Background::night};
  const Seen seen = look_at(backwards(clip_of(what, 1)));
  EXPECT_EQ(seen.direction, Direction::down);
  const Agreement agreement = compare(seen, what);
  EXPECT_TRUE(agreement.shape && agreement.colour && agreement.background);
  EXPECT_FALSE(agreement.direction);
  EXPECT_FALSE(agreement.all());
}

TEST(ClipChecker, finds_fault_with_each_property_alone) {
  const Combination what{Shape::ball, Colour::blue, Direction::left, Background::sand};
  const Seen seen = look_at(clip_of(what, 2));
  EXPECT_TRUE(compare(seen, what).all());
  EXPECT_FALSE(compare(seen, {Shape::square, Colour::blue, Direction::left, Background::sand}).shape);
  EXPECT_FALSE(compare(seen, {Shape::ball, Colour::purple, Direction::left, Background::sand}).colour);
  EXPECT_FALSE(compare(seen, {Shape::ball, Colour::blue, Direction::right, Background::sand}).direction);
  EXPECT_FALSE(compare(seen, {Shape::ball, Colour::blue, Direction::left, Background::snow}).background);
}

TEST(ClipChecker, sees_nothing_in_an_empty_scene_and_no_direction_in_a_still_one) {
  const Combination what{Shape::square, Colour::red, Direction::left, Background::grass};
  Clip clip = clip_of(what, 3);
  for (int frame = 0; frame < clip.frames; ++frame) std::copy_n(clip.at(8, 0, 0), 3 * clip.width * clip.height, clip.at(frame, 0, 0));
  const Seen still = look_at(clip);
  EXPECT_EQ(still.direction, std::nullopt);
  EXPECT_EQ(still.shape, Shape::square);

  for (int frame = 0; frame < clip.frames; ++frame)
    for (int y = 0; y < clip.height; ++y)
      for (int x = 0; x < clip.width; ++x) std::copy_n(clip.at(frame, y, 0), 3, clip.at(frame, y, x));
  EXPECT_EQ(look_at(clip), (Seen{.shape = {}, .colour = {}, .direction = {}, .background = Background::grass}));
  EXPECT_EQ(describe(look_at(clip)), "? ?, ?, grass");
}

TEST(ClipChecker, sees_no_shape_in_a_bar_and_no_background_in_pink) {
  Clip clip = clip_of({Shape::square, Colour::red, Direction::left, Background::grass}, 4);
  for (int frame = 0; frame < clip.frames; ++frame) {
    for (int y = 0; y < clip.height; ++y) {
      for (int x = 0; x < clip.width; ++x) {
        const bool bar = y >= 60 && y < 68 && x >= 2 * frame && x < 2 * frame + 60;
        const std::array<std::uint8_t, 3> pink{255, 120, 220}, blue{35, 60, 215};
        std::copy_n(bar ? blue.begin() : pink.begin(), 3, clip.at(frame, y, x));
      }
    }
  }
  EXPECT_EQ(look_at(clip), (Seen{.shape = {}, .colour = Colour::blue, .direction = Direction::right, .background = {}}));
}

TEST(ClipChecker, refuses_what_is_no_clip) {
  EXPECT_THROW(look_at(Clip{}), Failure);
  EXPECT_THROW(look_at(Clip{.frames = 2, .height = 32, .width = 32, .pixels = std::vector<std::uint8_t>(2 * 32 * 32 * 3)}), Failure);
}

}  // namespace
}  // namespace kinora::train
