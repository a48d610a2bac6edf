#include "media/ladder.hpp"

#include <gtest/gtest.h>

namespace kinora::media {
namespace {

StreamInfo video(int width, int height, int rotation = 0, Rational sar = {1, 1}) {
  StreamInfo info;
  info.type = StreamType::video;
  info.width = width;
  info.height = height;
  info.rotation = rotation;
  info.sample_aspect = sar;
  info.average_rate = {30, 1};
  return info;
}

std::vector<std::string> sizes(const std::vector<Rendition>& ladder) {
  std::vector<std::string> out;
  for (const Rendition& r : ladder) out.push_back(r.name + " " + std::to_string(r.width) + "x" + std::to_string(r.height));
  return out;
}
using Sizes = std::vector<std::string>;

TEST(Ladder, takes_the_three_largest_steps_that_the_source_reaches) {
  EXPECT_EQ(sizes(auto_ladder(video(1920, 1080))), (Sizes{"1080p 1920x1080", "720p 1280x720", "480p 854x480"}));
  EXPECT_EQ(sizes(auto_ladder(video(640, 360))), (Sizes{"360p 640x360", "240p 426x240"}));
  EXPECT_EQ(sizes(auto_ladder(video(3840, 2160), 1)), (Sizes{"1080p 1920x1080"}));
}

TEST(Ladder, gives_a_small_source_its_own_size_made_even) {
  EXPECT_EQ(sizes(auto_ladder(video(16, 16))), (Sizes{"16p 16x16"}));
  EXPECT_EQ(sizes(auto_ladder(video(321, 181))), (Sizes{"180p 320x180"}));
  EXPECT_EQ(sizes(auto_ladder(video(1, 1))), (Sizes{"2p 2x2"}));
  EXPECT_EQ(sizes(auto_ladder(video(16, 4000))), (Sizes{"16p 16x4000"}));
}

TEST(Ladder, measures_the_picture_upright_with_square_pixels) {
  EXPECT_EQ(sizes(auto_ladder(video(1920, 1080, 90), 2)), (Sizes{"1080p 1080x1920", "720p 720x1280"}));
  // 480 * 32/15 = 1024; PAL 16:9: 720 * 64/45 = 1024.
  EXPECT_EQ(display_size(video(480, 576, 0, {32, 15})).width, 1024);
  EXPECT_EQ(display_size(video(720, 576, 0, {64, 45})).width, 1024);
  // Tall pixels make the picture taller: 1920 / (3/4)... never narrower.
  EXPECT_EQ(display_size(video(720, 480, 0, {8, 9})).height, 540);
  // A shape that no camera has is a mistake of the file.
  EXPECT_EQ(display_size(video(100, 100, 0, {1000, 1})).width, 100);
}

TEST(Ladder, fits_requests_into_the_source_and_never_grows_it) {
  const auto fitted = fit_ladder(video(1280, 720), {{"a", 4000, 4000, 0, -1}, {"b", 640, 0, 0, -1}, {"c", 300, 300, 0, -1}});
  ASSERT_TRUE(fitted.has_value());
  EXPECT_EQ(sizes(*fitted), (Sizes{"a 1280x720", "b 640x360", "c 300x168"}));
  const auto portrait = fit_ladder(video(1080, 1920), {{"", 1280, 720, 0, -1}});
  ASSERT_TRUE(portrait.has_value());
  EXPECT_EQ(sizes(*portrait), (Sizes{"720p 720x1280"}));
}

TEST(Ladder, spends_more_bits_on_more_pixels_and_frames) {
  EXPECT_EQ(default_bitrate(1920, 1080, 30), 5'000'000);
  EXPECT_GT(default_bitrate(1280, 720, 60), default_bitrate(1280, 720, 30));
  EXPECT_GT(default_bitrate(640, 360, 30), 800'000);
  EXPECT_EQ(default_bitrate(2, 2, 1), 50'000);
}

TEST(Ladder, refuses_bad_names_numbers_and_too_many) {
  const StreamInfo source = video(1280, 720);
  EXPECT_FALSE(fit_ladder(source, {{"../x", 0, 0, 0, -1}}));
  EXPECT_FALSE(fit_ladder(source, {{"audio_1", 0, 0, 0, -1}}));
  EXPECT_FALSE(fit_ladder(source, {{"a", 0, 0, 0, -1}, {"a", 0, 100, 0, -1}}));
  EXPECT_FALSE(fit_ladder(source, {{"a", 0, 0, 15'999, -1}}));
  EXPECT_FALSE(fit_ladder(source, {{"a", 0, 0, 0, 52}}));
  EXPECT_FALSE(fit_ladder(source, {{"a", -2, 0, 0, -1}}));
  EXPECT_FALSE(fit_ladder(source, {{"a", kMaxSide + 1, 0, 0, -1}}));
  std::vector<RenditionRequest> many(kMaxRenditions + 1);
  for (std::size_t i = 0; i < many.size(); ++i) many[i].name = "r" + std::to_string(i);
  EXPECT_FALSE(fit_ladder(source, many));
  many.pop_back();
  EXPECT_TRUE(fit_ladder(source, many));
}

}  // namespace
}  // namespace kinora::media
