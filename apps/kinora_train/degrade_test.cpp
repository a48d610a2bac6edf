#include "kinora_train/degrade.hpp"

#include <ATen/ops/avg_pool2d.h>
#include <gtest/gtest.h>

#include "kinora_train/error.hpp"
#include "kinora_train/pictures.hpp"
#include "kinora_train/test_pictures.hpp"

namespace kinora::train {
namespace {

std::vector<Pair> pairs_of(const Recipe& recipe, std::uint64_t seed) {
  Random random(seed);
  return degrade(shot_of_photo(wavy_picture(700, 800), recipe, random), recipe, random);
}

// Mean absolute difference of `low` to `high` halved by plain averaging.
double mismatch(const Pair& pair) {
  const at::Tensor halved = at::avg_pool2d(pair.high.to(at::kFloat).unsqueeze(0), {2, 2}).squeeze(0);
  return (halved - pair.low.to(at::kFloat)).abs().mean().item<double>();
}

TEST(Degrade, is_the_same_for_the_same_seed_and_differs_for_another) {
  const Recipe recipe{.zoom = 0.6, .pan_x = 3, .pan_y = -1, .blur = 0.7, .noise = 4};
  const auto a = pairs_of(recipe, 11);
  const auto b = pairs_of(recipe, 11);
  const auto c = pairs_of(recipe, 12);
  ASSERT_EQ(a.size(), static_cast<std::size_t>(kShotKept));
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_TRUE(a[i].low.equal(b[i].low)) << i;
    EXPECT_TRUE(a[i].high.equal(b[i].high)) << i;
  }
  EXPECT_FALSE(a[0].low.equal(c[0].low));
}

TEST(Degrade, low_and_high_show_the_same_place_at_two_sizes) {
  for (const Recipe& recipe : {Recipe{.zoom = 0.7, .coded = false}, Recipe{.zoom = 0.7, .pan_x = kMaxPan, .pan_y = 2, .crf = 18},
                               Recipe{.zoom = 0.7, .pan_x = -kMaxPan, .pan_y = -2, .crf = 18}}) {
    for (const Pair& pair : pairs_of(recipe, 3)) {
      EXPECT_EQ(pair.low.sizes(), (at::IntArrayRef{3, kShotSide / 2, kShotSide / 2}));
      EXPECT_EQ(pair.high.sizes(), (at::IntArrayRef{3, kShotSide, kShotSide}));
      EXPECT_LT(mismatch(pair), 3);
    }
  }
}

TEST(Degrade, a_higher_crf_is_further_from_the_truth) {
  EXPECT_LT(mismatch(pairs_of({.zoom = 0.7, .noise = 5, .crf = 15}, 4)[1]), mismatch(pairs_of({.zoom = 0.7, .noise = 5, .crf = 38}, 4)[1]));
}

TEST(Degrade, recipes_stay_within_their_stated_ranges) {
  Random random(5);
  int clean = 0, soft = 0, noisy_count = 0;
  for (int i = 0; i < 2000; ++i) {
    const Recipe recipe = draw_recipe(random, 0.3);
    ASSERT_GE(recipe.zoom, 0.3);
    ASSERT_LE(recipe.zoom, 1.0);
    ASSERT_LE(std::abs(recipe.pan_x), kMaxPan);
    ASSERT_LE(std::abs(recipe.pan_y), kMaxPan);
    ASSERT_GE(recipe.crf, kMinCrf);
    ASSERT_LE(recipe.crf, kMaxCrf);
    clean += recipe.coded ? 0 : 1;
    soft += recipe.blur > 0 ? 1 : 0;
    noisy_count += recipe.noise > 0 ? 1 : 0;
  }
  EXPECT_GT(clean, 40);
  EXPECT_GT(soft, 200);
  EXPECT_GT(noisy_count, 200);
}

TEST(Degrade, refuses_what_is_too_small_or_too_short) {
  Random random(6);
  EXPECT_GT(min_zoom(200, 4000), 1);
  EXPECT_THROW(shot_of_photo(wavy_picture(200, 400), {.zoom = 1}, random), Failure);
  const std::vector<at::Tensor> few(kShotFrames - 1, wavy_picture(400, 400));
  EXPECT_THROW(shot_of_clip(few, random), Failure);
  const std::vector<at::Tensor> small(kShotFrames, wavy_picture(kShotSide - 1, 400));
  EXPECT_THROW(shot_of_clip(small, random), Failure);
}

TEST(Degrade, a_clip_gives_the_same_window_of_every_picture) {
  Random random(7);
  const at::Tensor picture = wavy_picture(400, 500);
  const auto shot = shot_of_clip(std::vector<at::Tensor>(kShotFrames, picture), random);
  ASSERT_EQ(shot.size(), static_cast<std::size_t>(kShotFrames));
  for (const at::Tensor& part : shot) EXPECT_TRUE(part.equal(shot.front()));
}

}  // namespace
}  // namespace kinora::train
