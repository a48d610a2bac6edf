#include "media/verify.hpp"

#include <gtest/gtest.h>

#include "media/test_tools.hpp"

namespace kinora::media {
namespace {

using namespace testing;

// Numbers from ffprobe -count_frames.
TEST(Verify, counts_what_ffprobe_counts) {
  for (const char* name : {"london_roofs_360p_5s.mp4", "odd/vfr_640x360.mp4", "bbb_360p_2s_002.ts"}) {
    const auto decoded = verify(clip(name));
    ASSERT_TRUE(decoded) << name << decoded.error().message;
    const auto times = frame_times(clip(name));
    EXPECT_EQ(static_cast<std::size_t>(decoded->frames), times.size()) << name;
    EXPECT_NEAR(decoded->duration_s, std::atof(ffprobe_line(clip(name), "format=duration").c_str()), 0.01) << name;
    EXPECT_FALSE(decoded->blank) << name;
    EXPECT_EQ(decoded->damaged_frames, 0) << name;
  }
}

TEST(Verify, tells_a_blank_video_from_a_dark_one) {
  ScratchDir folder;
  const auto make = [&](const std::string& name, const std::string& source) {
    EXPECT_EQ(shell("ffmpeg -y -f lavfi -i " + source + " -frames:v 5 -c:v libx264 -pix_fmt yuv420p " + quoted(folder / name)).status, 0);
    return verify(folder / name);
  };
  EXPECT_TRUE(make("black.mp4", "color=black:s=64x64")->blank);
  EXPECT_TRUE(make("gray.mp4", "color=gray:s=64x64")->blank);
  EXPECT_FALSE(make("dark.mp4", "testsrc=s=64x64,eq=brightness=-0.6")->blank);
}

TEST(Verify, sees_that_a_file_is_cut_off) {
  ScratchDir folder;
  const auto whole = verify(clip("london_roofs_360p_5s.mp4"));
  ASSERT_TRUE(whole);
  ASSERT_EQ(
      shell("ffmpeg -y -i " + quoted(clip("london_roofs_360p_5s.mp4")) + " -c copy -movflags +faststart " + quoted(folder / "fast.mp4"))
          .status,
      0);
  std::filesystem::resize_file(folder / "fast.mp4", std::filesystem::file_size(folder / "fast.mp4") / 2);
  const auto half = verify(folder / "fast.mp4");
  ASSERT_TRUE(half) << half.error().message;
  EXPECT_LT(half->frames, whole->frames);
  EXPECT_LT(half->duration_s, whole->duration_s - 0.5);
}

TEST(Verify, stops_when_told_to) {
  std::stop_source stop;
  Control control;
  control.stop = stop.get_token();
  control.report = [&](const Progress& progress) {
    if (progress.frames_done == 3) stop.request_stop();
  };
  const auto decoded = verify(clip("london_roofs_360p_5s.mp4"), {}, control);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, base::ErrorCode::canceled);
}

TEST(Verify, takes_sound_alone_and_refuses_what_is_no_media) {
  const auto sound = verify(clip("odd/audioonly_eac3_5p1.mp4"));
  ASSERT_TRUE(sound);
  EXPECT_EQ(sound->frames, 0);
  EXPECT_NEAR(sound->duration_s, 1.73, 0.05);
  EXPECT_EQ(verify(clip("broken/text_named.mp4")).error().code, base::ErrorCode::invalid);
}

TEST(Verify, counts_the_last_pictures_time_where_packets_have_none) {
  ScratchDir dir;
  ASSERT_TRUE(
      ffmpeg(clip("london_roofs_360p_5s.mp4"), "-an -r 10 -frames:v 40 -c:v libx264 -bf 2 -video_track_timescale 200000", dir / "a.mp4"));
  const auto decoded = verify(dir / "a.mp4");
  ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
  EXPECT_EQ(decoded->frames, 40);
  EXPECT_NEAR(decoded->duration_s, 4.0, 0.001);
}

TEST(Verify, tells_a_film_that_stands_still_from_one_that_moves) {
  ScratchDir dir;
  ASSERT_TRUE(ffmpeg(clip("cat_chelsea.png"), "-vf loop=24:1:0,scale=320:212 -c:v libx264 -pix_fmt yuv420p", dir / "still.mp4"));
  const auto still = verify(dir / "still.mp4");
  ASSERT_TRUE(still.has_value()) << still.error().message;
  EXPECT_LT(still->movement, 0.25);
  EXPECT_FALSE(still->blank);
  EXPECT_GT(verify(clip("london_roofs_360p_5s.mp4"))->movement, 1);
  EXPECT_LT(verify(clip("odd/subtitles_pgs_ac3.mkv"))->movement, 1);  // 50 ms of a man who sits still, and noise
  EXPECT_EQ(verify(clip("cat_chelsea.png"))->movement, 0);            // one picture is no film
}

}  // namespace
}  // namespace kinora::media
