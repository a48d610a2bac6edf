#include "kinora_train/degrade.hpp"

#include <ATen/ops/avg_pool2d.h>
#include <gtest/gtest.h>

#include "kinora_train/error.hpp"
#include "kinora_train/pictures.hpp"
#include "kinora_train/test_pictures.hpp"

namespace kinora::train {
namespace {

std::vector<Pair> pairs_of(const Recipe& recipe, std::uint64_t seed, std::int64_t scale = 2) {
  Random random(seed);
  return degrade(shot_of_photo(wavy_picture(700, 800), recipe, random), scale, recipe, random);
}

// The luma of `low` less that of `high` shrunk by plain averaging. (4:2:0 is not to be judged here.)
at::Tensor difference(const Pair& pair) {
  const at::Tensor shrunk = at::avg_pool2d(pair.high.to(at::kFloat).unsqueeze(0), {pair.scale(), pair.scale()}).squeeze(0);
  return luma(pair.low.to(at::kFloat) - shrunk);
}
double mismatch(const Pair& pair) { return difference(pair).abs().mean().item<double>(); }

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
    for (const std::int64_t scale : {2, 4}) {
      for (const Pair& pair : pairs_of(recipe, 3, scale)) {
        EXPECT_EQ(pair.scale(), scale);
        EXPECT_EQ(pair.low.sizes(), (at::IntArrayRef{3, kShotSide / scale, kShotSide / scale}));
        EXPECT_EQ(pair.high.sizes(), (at::IntArrayRef{3, kShotSide, kShotSide}));
        EXPECT_LT(mismatch(pair), 4) << scale;
      }
    }
  }
}

TEST(Degrade, a_higher_crf_is_further_from_the_truth) {
  EXPECT_LT(mismatch(pairs_of({.zoom = 0.7, .noise = 5, .crf = 15}, 4)[1]), mismatch(pairs_of({.zoom = 0.7, .noise = 5, .crf = 38}, 4)[1]));
}

TEST(Degrade, what_should_come_back_is_neither_blurred_nor_noisy) {
  const at::Tensor clean = pairs_of({.zoom = 0.7, .coded = false}, 3)[0].high;
  for (const Recipe& recipe : {Recipe{.zoom = 0.7, .blur = 2, .coded = false}, Recipe{.zoom = 0.7, .noise = 8, .coded = false}}) {
    const Pair pair = pairs_of(recipe, 3)[0];
    EXPECT_LT((pair.high.to(at::kFloat) - clean.to(at::kFloat)).abs().mean().item<double>(), 3);
    EXPECT_LT(detail(pair.high) / detail(clean), 1.1);
    EXPECT_GT(detail(pair.high) / detail(clean), 0.9);
  }
}

// Four of five parts of the noise are shared by the channels, so luma has nearly all of it.
TEST(Degrade, noise_has_the_stated_deviation_in_the_small_picture) {
  const Pair pair = pairs_of({.zoom = 0.7, .noise = 6, .coded = false}, 3)[0];
  EXPECT_NEAR(difference(pair).std().item<double>(), 6, 1.2);
}

TEST(Degrade, refuses_a_scale_that_leaves_no_whole_pixels) {
  EXPECT_THROW(pairs_of({.zoom = 0.7}, 3, 3), Failure);
  EXPECT_THROW(pairs_of({.zoom = 0.7}, 3, 0), Failure);
}

TEST(Degrade, recipes_stay_within_their_stated_ranges) {
  Random random(5);
  int not_coded = 0, soft = 0, noisy_count = 0, neither = 0, other_kernel = 0;
  for (int i = 0; i < 2000; ++i) {
    const Recipe recipe = draw_recipe(random, 2, 0.3);
    ASSERT_GE(recipe.zoom, 0.3);
    ASSERT_LE(recipe.zoom, 1.0);
    ASSERT_LE(std::abs(recipe.pan_x), kMaxPan);
    ASSERT_LE(std::abs(recipe.pan_y), kMaxPan);
    ASSERT_GE(recipe.crf, kMinCrf);
    ASSERT_LE(recipe.crf, kMaxCrf);
    ASSERT_LE(recipe.blur, 1.5);
    ASSERT_LE(recipe.noise, 10);
    not_coded += recipe.coded ? 0 : 1;
    neither += recipe.blur == 0 && recipe.noise == 0 ? 1 : 0;
    other_kernel += recipe.kernel == Kernel::bicubic ? 0 : 1;
    soft += recipe.blur > 0 ? 1 : 0;
    noisy_count += recipe.noise > 0 ? 1 : 0;
  }
  EXPECT_GT(not_coded, 40);
  EXPECT_NEAR(soft, 300, 60);
  EXPECT_NEAR(noisy_count, 600, 80);
  EXPECT_NEAR(neither, 1190, 100);
  EXPECT_NEAR(other_kernel, 500, 100);
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
