#include "media/probe.hpp"

#include <gtest/gtest.h>

#include "media/test_tools.hpp"

namespace kinora::media {
namespace {

using namespace testing;
using base::ErrorCode;

TEST(Probe, tells_what_ffprobe_tells) {
  const auto info = probe(clip("london_roofs_360p_5s.mp4"));
  ASSERT_TRUE(info.has_value());
  EXPECT_NEAR(info->duration_s, 5.03, 0.01);
  ASSERT_NE(info->video(), nullptr);
  const StreamInfo& video = *info->video();
  EXPECT_EQ(video.codec, "h264");
  EXPECT_EQ(video.width, 640);
  EXPECT_EQ(video.height, 360);
  EXPECT_EQ(video.frames, 151);
  EXPECT_EQ(video.pixel_format, "yuv420p");
  EXPECT_FALSE(video.variable_rate);
  const StreamInfo* audio = info->first(StreamType::audio);
  ASSERT_NE(audio, nullptr);
  EXPECT_EQ(audio->codec, "aac");
  EXPECT_EQ(audio->channels, 2);
  EXPECT_EQ(audio->sample_rate, 48000);
}

TEST(Probe, sees_hdr_rotation_pixel_shape_and_variable_rate) {
  const auto hdr = probe(clip("odd/hdr10_av1_portrait_720x1280.mp4"));
  ASSERT_TRUE(hdr && hdr->video() != nullptr);
  EXPECT_TRUE(hdr->video()->color.hdr());
  EXPECT_EQ(hdr->video()->bit_depth, 10);
  EXPECT_EQ(matrix_name(hdr->video()->color.matrix), "bt2020nc");
  const auto anamorphic = probe(clip("odd/anamorphic_sar_480x576.mp4"));
  ASSERT_TRUE(anamorphic && anamorphic->video() != nullptr);
  EXPECT_EQ(anamorphic->video()->sample_aspect, (Rational{32, 15}));
  const auto vfr = probe(clip("odd/vfr_640x360.mp4"));
  ASSERT_TRUE(vfr && vfr->video() != nullptr);
  EXPECT_TRUE(vfr->video()->variable_rate);
  ScratchDir dir;
  for (const int degrees : {90, 180, 270}) {
    ASSERT_TRUE(ffmpeg(clip("odd/tiny_16x16.mp4"), "-c copy -metadata:s:v rotate=" + std::to_string(degrees), dir / "r.mp4"));
    const auto turned = probe(dir / "r.mp4");
    ASSERT_TRUE(turned && turned->video() != nullptr);
    // ffprobe counts counterclockwise, from -180 to 180.
    const int peer = std::atoi(ffprobe_line(dir / "r.mp4", "stream_side_data=rotation").c_str());
    EXPECT_EQ(turned->video()->rotation, (360 - peer) % 360);
    EXPECT_FALSE(turned->video()->mirrored);
  }
}

TEST(Probe, does_not_take_a_cover_for_a_video) {
  const auto info = probe(clip("odd/audioonly_flac_cover_picture.flac"));
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->video(), nullptr);
  ASSERT_NE(info->first(StreamType::cover), nullptr);
  EXPECT_EQ(info->first(StreamType::cover)->width, 371);
}

TEST(Probe, refuses_files_that_are_no_media) {
  for (const char* name : {"broken/zero_byte.mp4", "broken/text_named.mp4", "broken/truncated_no_moov.mp4", "broken/malformed_free_box.mp4",
                           "broken/stts_count_2147483647.mp4"}) {
    const auto info = probe(clip(name));
    ASSERT_FALSE(info.has_value()) << name;
    EXPECT_EQ(info.error().code, ErrorCode::invalid) << name << ": " << info.error().message;
  }
  EXPECT_EQ(probe("/nonexistent/file").error().code, ErrorCode::not_found);
  EXPECT_EQ(probe("/dev/null").error().code, ErrorCode::invalid);
}

TEST(Probe, believes_the_bitstream_and_not_the_container_about_sizes) {
  const auto info = probe(clip("broken/claims_65535x65535.mp4"));
  ASSERT_TRUE(info && info->video() != nullptr);
  EXPECT_EQ(info->video()->width, 320);
  EXPECT_EQ(info->video()->height, 180);
}

TEST(Probe, keeps_the_good_track_beside_one_without_description) {
  const auto info = probe(clip("broken/missing_stsd.mp4"));
  ASSERT_TRUE(info && info->video() != nullptr);
  EXPECT_EQ(info->video()->width, 1080);
}

TEST(Probe, refuses_playlists_whatever_they_are_called) {
  ScratchDir dir;
  std::ofstream(dir / "x.mp4") << "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:5,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n";
  std::ofstream(dir / "y.mp4") << "ffconcat version 1.0\nfile '" << clip("london_roofs_360p_5s.mp4") << "'\n";
  for (const std::string& file : {dir / "x.mp4", dir / "y.mp4"}) {
    const auto info = probe(file);
    ASSERT_FALSE(info.has_value());
    EXPECT_TRUE(info.error().code == ErrorCode::invalid || info.error().code == ErrorCode::unsupported) << info.error().message;
  }
}

TEST(Probe, holds_to_its_limits) {
  Limits limits;
  limits.max_streams = 1;
  EXPECT_EQ(probe(clip("london_roofs_360p_5s.mp4"), limits).error().code, ErrorCode::too_large);
  limits = {};
  limits.max_duration_s = 5;
  EXPECT_EQ(probe(clip("london_roofs_360p_5s.mp4"), limits).error().code, ErrorCode::too_large);
  limits = {};
  limits.max_pixels = 1000;
  EXPECT_EQ(probe(clip("london_roofs_360p_5s.mp4"), limits).error().code, ErrorCode::too_large);
  ScratchDir dir;
  ASSERT_TRUE(ffmpeg(clip("odd/tiny_16x16.mp4"), "-frames:v 1 -vf scale=16:17000 -c:v ffv1", dir / "tall.mkv"));
  EXPECT_EQ(probe(dir / "tall.mkv").error().code, ErrorCode::too_large);
}

TEST(Probe, survives_every_file_of_the_media_folder) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(media_dir())) {
    if (!entry.is_regular_file()) continue;
    const auto info = probe(entry.path().string());
    if (!info) EXPECT_FALSE(info.error().message.empty()) << entry.path();
  }
}

TEST(Probe, writes_json_with_names) {
  const auto info = probe(clip("odd/hdr10_av1_portrait_720x1280.mp4"));
  ASSERT_TRUE(info.has_value());
  const auto json = to_json(*info);
  EXPECT_EQ(json.at("width").as_int64(), 720);
  const auto& video = json.at("streams").as_array().at(0).as_object();
  EXPECT_EQ(video.at("color").at("transfer").as_string(), "smpte2084");
  EXPECT_TRUE(video.at("hdr").as_bool());
}

}  // namespace
}  // namespace kinora::media
