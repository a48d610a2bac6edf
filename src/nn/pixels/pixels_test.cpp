// Limits and hand-computed values of the pixel operations; the comparison with the reference libraries is the golden test in models.
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "nn/load_error.hpp"
#include "nn/pixels/image_processor.hpp"
#include "nn/pixels/interpolate.hpp"

namespace kinora::nn {
namespace {

at::Tensor bytes(const std::vector<std::int64_t>& values) { return at::tensor(values, at::kByte); }

TEST(PillowResize, halving_with_the_box_filter_averages_pairs_and_rounds_half_up) {
  const auto row = bytes({0, 1, 10, 20, 255, 255}).view({1, 6, 1});
  EXPECT_TRUE(pillow_resize(row, 1, 3, Filter::box).flatten().equal(bytes({1, 15, 255})));
}

TEST(PillowResize, a_flat_picture_stays_flat_under_every_filter) {
  const auto flat = at::full({9, 13, 3}, 200, at::kByte);
  for (const auto filter : {Filter::nearest, Filter::lanczos, Filter::bilinear, Filter::bicubic, Filter::box, Filter::hamming})
    EXPECT_TRUE(pillow_resize(flat, 20, 5, filter).eq(200).all().item<bool>()) << static_cast<int>(filter);
}

TEST(PillowResize, refuses_other_tensors_and_sides_beyond_the_limit) {
  const auto picture = at::zeros({2, 2, 3}, at::kByte);
  EXPECT_THROW(pillow_resize(picture.to(at::kFloat), 1, 1, Filter::box), std::invalid_argument);
  EXPECT_THROW(pillow_resize(picture.unsqueeze(0), 1, 1, Filter::box), std::invalid_argument);
  EXPECT_THROW(pillow_resize(picture, 0, 1, Filter::box), std::invalid_argument);
  EXPECT_THROW(pillow_resize(picture, 1, kMaxPictureSide + 1, Filter::nearest), std::invalid_argument);
  EXPECT_EQ(pillow_resize(picture, 1, kMaxPictureSide, Filter::nearest).size(1), kMaxPictureSide);
}

TEST(ImageProcessor, a_whole_number_as_size_is_the_shorter_side) {  // as configurations of before 2022 have it
  const auto processor = ImageProcessor::read(JsonConfig({{"do_resize", true}, {"size", 8}, {"resample", 3}}, "old"));
  EXPECT_EQ(processor(at::zeros({16, 40, 3}, at::kByte)).sizes(), (std::vector<std::int64_t>{1, 3, 8, 20}));
  EXPECT_EQ(processor(at::zeros({40, 16, 3}, at::kByte)).sizes(), (std::vector<std::int64_t>{1, 3, 20, 8}));
}

TEST(ImageProcessor, pads_with_black_what_is_smaller_than_the_crop) {
  const auto processor = ImageProcessor::read(JsonConfig({{"do_center_crop", true}, {"crop_size", 4}, {"do_normalize", false}}, "crop"));
  const auto out = processor(at::full({1, 3, 3}, 255, at::kByte));
  const auto expected = at::zeros({4, 4});
  expected[1].narrow(0, 0, 3).fill_(1);  // 1 row of padding above and 2 below, none left and 1 right
  EXPECT_TRUE(out[0][0].allclose(expected)) << out;
}

TEST(ImageProcessor, bad_configurations_and_pictures_are_refused) {
  const auto read = [](nlohmann::json json) { return ImageProcessor::read(JsonConfig(std::move(json), "preprocessor_config.json")); };
  EXPECT_THROW(read({{"do_resize", true}, {"size", {{"height", 8}}}}), LoadError);
  EXPECT_THROW(read({{"do_resize", true}, {"size", 0}}), LoadError);
  EXPECT_THROW(read({{"resample", 9}}), LoadError);
  EXPECT_THROW(read({{"image_std", {0, 1, 1}}}), LoadError);
  EXPECT_THROW(read({{"image_mean", {1, 1}}}), LoadError);
  EXPECT_THROW(read({{"rescale_factor", 0}}), LoadError);
  EXPECT_THROW(read(nlohmann::json::object())(at::zeros({2, 2, 4}, at::kByte)), std::invalid_argument);
  EXPECT_THROW(read({{"do_resize", true}, {"size", 4096}})(at::zeros({1, 4096, 3}, at::kByte)), std::invalid_argument);
}

TEST(LatentRange, results_outside_are_clamped_and_the_middle_is_128) {
  const auto x = at::tensor({-3.0F, -1.0F, 0.0F, 1.0F, 9.0F}).view({1, 1, 1, 5}).expand({1, 3, 1, 5});
  EXPECT_TRUE(latent_range_to_pictures(x).select(3, 1).flatten().equal(bytes({0, 0, 128, 255, 255})));  // 127.5 to the even neighbour
}

TEST(LatentRange, a_mask_is_cut_at_half_of_the_luma) {
  const auto picture = at::zeros({1, 4, 3}, at::kByte);
  picture[0][1][1].fill_(255);  // green: 0.587 of white
  picture[0][2][0].fill_(255);  // red: 0.299
  picture[0][3].fill_(255);
  const auto mask = mask_from_picture(picture, 1, 4).flatten();
  EXPECT_TRUE(mask.equal(at::tensor({0.0F, 1.0F, 0.0F, 1.0F}))) << mask;
}

TEST(Antialiasing, a_flat_picture_stays_flat) {
  const auto x = at::full({1, 3, 40, 60}, 0.25F);
  EXPECT_TRUE(resize_with_antialiasing(x, 7, 70).allclose(at::full({1, 3, 7, 70}, 0.25F), 0, 1e-6));
}

}  // namespace
}  // namespace kinora::nn
