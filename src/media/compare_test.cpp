#include "media/compare.hpp"

#include <gtest/gtest.h>

#include "media/test_tools.hpp"

namespace kinora::media {
namespace {

using namespace testing;

TEST(Compare, finds_a_file_equal_to_itself) {
  const auto same = compare(clip("london_roofs_360p_5s.mp4"), clip("london_roofs_360p_5s.mp4"));
  ASSERT_TRUE(same.has_value()) << same.error().message;
  EXPECT_EQ(same->samples, 8);
  EXPECT_EQ(same->worst.psnr_y, kMaxPsnr);
  EXPECT_DOUBLE_EQ(same->mean.ssim_y, 1);
}

TEST(Compare, finds_a_smaller_encode_like_its_source_and_another_film_unlike) {
  ScratchDir dir;
  ASSERT_TRUE(ffmpeg(clip("london_roofs_360p_5s.mp4"), "-an -vf scale=320:180 -c:v libx264 -crf 23", dir / "small.mp4"));
  const auto like = compare(clip("london_roofs_360p_5s.mp4"), dir / "small.mp4");
  ASSERT_TRUE(like.has_value()) << like.error().message;
  EXPECT_GT(like->mean.psnr_y, 30);
  EXPECT_GT(like->mean.ssim_y, 0.9);
  const auto unlike = compare(clip("london_roofs_360p_5s.mp4"), clip("bbb_360p_2s_002.ts"));
  ASSERT_TRUE(unlike.has_value());
  EXPECT_LT(unlike->mean.ssim_y, 0.6);
}

TEST(Compare, sees_pictures_that_stand_upside_down_or_came_too_late) {
  ScratchDir dir;
  ASSERT_TRUE(ffmpeg(clip("london_roofs_360p_5s.mp4"), "-an -vf vflip -c:v libx264", dir / "flipped.mp4"));
  EXPECT_LT(compare(clip("london_roofs_360p_5s.mp4"), dir / "flipped.mp4")->mean.ssim_y, 0.7);
}

TEST(Compare, finds_the_last_picture_of_a_file_whose_packets_have_no_length) {
  ScratchDir dir;
  ASSERT_TRUE(ffmpeg(clip("london_roofs_360p_5s.mp4"), "-an -r 8 -frames:v 9 -s 96x64 -c:v libx264 -bf 2 -video_track_timescale 200000",
                     dir / "slow.mp4"));
  const auto same = compare(dir / "slow.mp4", dir / "slow.mp4");
  ASSERT_TRUE(same.has_value()) << same.error().message;
  EXPECT_EQ(same->samples, 8);  // the last of them lies in the last picture
}

TEST(Compare, takes_stills_and_refuses_sound) {
  ScratchDir dir;
  ASSERT_TRUE(ffmpeg(clip("cat_chelsea.png"), "-vf scale=902:600:flags=bicubic", dir / "big.png"));
  const auto still = compare(clip("cat_chelsea.png"), dir / "big.png");
  ASSERT_TRUE(still.has_value()) << still.error().message;
  EXPECT_EQ(still->samples, 1);
  EXPECT_GT(still->mean.psnr_y, 28);
  EXPECT_FALSE(compare(clip("odd/audioonly_eac3_5p1.mp4"), clip("cat_chelsea.png")));
}

}  // namespace
}  // namespace kinora::media
