#include "kinora_train/h264_loop.hpp"

#include <gtest/gtest.h>

#include "kinora_train/pictures.hpp"
#include "kinora_train/test_pictures.hpp"

namespace kinora::train {
namespace {

std::vector<media::Frame> moving(int count) {
  const at::Tensor wide = wavy_picture(64, 96 + 4 * count);
  std::vector<media::Frame> pictures;
  for (int i = 0; i < count; ++i) pictures.push_back(frame_of(wide.slice(2, 4 * i, 4 * i + 96), {}));
  return pictures;
}

double difference(const media::Frame& a, const media::Frame& b) {
  return (rgb_of(a).to(at::kFloat) - rgb_of(b).to(at::kFloat)).abs().mean().item<double>();
}

TEST(H264Loop, gives_every_picture_back_in_order) {
  const auto pictures = moving(12);
  const auto out = through_h264(pictures, {18, "medium"});
  ASSERT_EQ(out.size(), pictures.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    EXPECT_LT(difference(out[i], pictures[i]), 3) << i;
    if (i > 0) EXPECT_GT(difference(out[i], pictures[i - 1]), 5) << "moved by 4 pixels since picture " << i - 1;
  }
}

TEST(H264Loop, a_higher_crf_is_worse_and_smaller) {
  const auto pictures = moving(8);
  std::size_t fine = 0, coarse = 0;
  const auto good = through_h264(pictures, {15, "fast"}, &fine);
  const auto bad = through_h264(pictures, {40, "fast"}, &coarse);
  EXPECT_LT(difference(good[4], pictures[4]), difference(bad[4], pictures[4]));
  EXPECT_GT(fine, coarse);
}

TEST(H264Loop, repeats_exactly) {
  const auto pictures = moving(6);
  const auto a = through_h264(pictures, {23, "medium"});
  const auto b = through_h264(pictures, {23, "medium"});
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_EQ(difference(a[i], b[i]), 0);
}

TEST(H264Loop, keeps_colour_tags_and_takes_single_pictures_and_none) {
  media::ColorTags tags;
  tags.matrix = 1;
  std::vector<media::Frame> one{frame_of(wavy_picture(32, 32), tags)};
  const auto out = through_h264(one, {});
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].color().matrix, 1);
  EXPECT_TRUE(through_h264({}, {}).empty());
}

}  // namespace
}  // namespace kinora::train
