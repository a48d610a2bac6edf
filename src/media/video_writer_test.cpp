#include "media/video_writer.hpp"

#include <gtest/gtest.h>

#include "media/test_tools.hpp"
#include "media/video_reader.hpp"

namespace kinora::media {
namespace {

using namespace testing;

// Decodes `from` and writes it again with its own properties and the other streams of the same file.
VideoWriterOptions like(const VideoReader& reader, const Frame& first, const std::string& source) {
  VideoWriterOptions options;
  options.width = first.width();
  options.height = first.height();
  options.format = first.bit_depth() > 8 ? PixelFormat::yuv420p10 : PixelFormat::yuv420p;
  options.color = first.color();
  options.sample_aspect = first.sample_aspect();
  options.time_base = reader.time_base();
  options.frame_rate = reader.stream().average_rate;
  options.preset = "ultrafast";
  options.source = source;
  return options;
}

void rewrite(const std::string& from, const std::string& to, Container container, bool with_source = true) {
  auto reader = VideoReader::open(from);
  ASSERT_TRUE(reader.has_value()) << reader.error().message;
  auto frame = reader->next();
  ASSERT_TRUE(frame && *frame);
  VideoWriterOptions options = like(*reader, **frame, with_source ? from : "");
  options.container = container;
  options.b_frames = 2;
  auto writer = VideoWriter::open(to, options);
  ASSERT_TRUE(writer.has_value()) << writer.error().message;
  while (frame && *frame) {
    const auto written = writer->write(**frame);
    ASSERT_TRUE(written.has_value()) << written.error().message;
    frame = reader->next();
  }
  ASSERT_TRUE(frame.has_value()) << frame.error().message;
  const auto finished = writer->finish();
  ASSERT_TRUE(finished.has_value()) << finished.error().message;
}

void expect_same_times(const std::string& a, const std::string& b, double shift, double tolerance) {
  const auto left = frame_times(a), right = frame_times(b);
  ASSERT_EQ(left.size(), right.size());
  for (std::size_t i = 0; i < left.size(); ++i) ASSERT_NEAR(left[i] - shift, right[i], tolerance) << i;
}

TEST(VideoWriter, keeps_times_audio_and_colour_in_mp4) {
  for (const char* name : {"london_roofs_360p_5s.mp4", "odd/vfr_640x360.mp4", "odd/anamorphic_sar_480x576.mp4"}) {
    SCOPED_TRACE(name);
    for (const Container container : {Container::mp4, Container::fragmented_mp4}) {
      ScratchDir dir;
      const std::string out = dir / "out.mp4";
      rewrite(clip(name), out, container);
      expect_same_times(clip(name), out, 0, 1e-4);
      for (const char* entries : {"stream=codec_name,channels,sample_rate", "stream_tags=language"})
        EXPECT_EQ(ffprobe(clip(name), entries, "-select_streams a"), ffprobe(out, entries, "-select_streams a"));
      for (const char* entries : {"stream=color_range,color_space,color_transfer,color_primaries", "stream=sample_aspect_ratio"})
        EXPECT_EQ(ffprobe_line(clip(name), entries, "-select_streams v:0"), ffprobe_line(out, entries, "-select_streams v:0"));
      EXPECT_EQ(ffprobe_line(clip(name), "stream=start_time", "-select_streams a:0"),
                ffprobe_line(out, "stream=start_time", "-select_streams a:0"));
      // Every audio packet arrives, byte for byte.
      EXPECT_EQ(shell("ffmpeg -v error -i " + clip(name) + " -map 0:a -c copy -f md5 -").output,
                shell("ffmpeg -v error -i " + out + " -map 0:a -c copy -f md5 -").output);
    }
  }
}

TEST(VideoWriter, keeps_the_distance_of_sound_and_picture_when_a_stream_starts_late) {
  const std::string in = clip("bbb_360p_2s_002.ts");
  ScratchDir dir;
  const std::string out = dir / "out.mp4";
  rewrite(in, out, Container::mp4);
  const double video = std::atof(ffprobe_line(in, "stream=start_time", "-select_streams v:0").c_str());
  const double audio = std::atof(ffprobe_line(in, "stream=start_time", "-select_streams a:0").c_str());
  const double video_out = std::atof(ffprobe_line(out, "stream=start_time", "-select_streams v:0").c_str());
  const double audio_out = std::atof(ffprobe_line(out, "stream=start_time", "-select_streams a:0").c_str());
  EXPECT_NEAR(video - audio, video_out - audio_out, 0.001);
  EXPECT_NEAR(std::min(video_out, audio_out), 0, 0.001);
}

TEST(VideoWriter, turns_sound_that_the_container_cannot_hold_into_aac) {
  ScratchDir dir;
  const std::string in = dir / "in.mkv", out = dir / "out.mp4";
  ASSERT_TRUE(ffmpeg(clip("london_roofs_360p_5s.mp4"), "-map 0 -map 0:a -c:v copy -c:a:0 pcm_s16le -c:a:1 libvorbis", in));
  rewrite(in, out, Container::mp4);
  const auto audio = ffprobe(out, "stream=codec_name,channels", "-select_streams a");
  EXPECT_EQ(audio, (std::vector<std::string>{"aac,2", "aac,2"}));
  const double before = std::atof(ffprobe_line(in, "format=duration").c_str());
  const double after = std::atof(ffprobe_line(out, "format=duration").c_str());
  EXPECT_NEAR(before, after, 1.0 / 30);
}

TEST(VideoWriter, carries_chapters_metadata_and_rotation) {
  ScratchDir dir;
  std::ofstream(dir / "meta.txt") << ";FFMETADATA1\ntitle=Roofs\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=2000\ntitle=one\n"
                                  << "[CHAPTER]\nTIMEBASE=1/1000\nSTART=2000\nEND=5000\ntitle=two\n";
  const std::string in = dir / "in.mp4", out = dir / "out.mp4";
  ASSERT_TRUE(ffmpeg(clip("london_roofs_360p_5s.mp4"),
                     "-i " + (dir / "meta.txt") + " -map_metadata 1 -map_chapters 1 -c copy -metadata:s:v rotate=90", in));
  rewrite(in, out, Container::mp4);
  EXPECT_EQ(ffprobe_line(out, "format_tags=title"), "Roofs");
  EXPECT_EQ(ffprobe(in, "chapter=start_time,end_time:chapter_tags=title"), ffprobe(out, "chapter=start_time,end_time:chapter_tags=title"));
  const auto rotation = ffprobe_line(in, "stream_side_data=rotation", "-select_streams v:0");
  ASSERT_FALSE(rotation.empty());
  EXPECT_EQ(rotation, ffprobe_line(out, "stream_side_data=rotation", "-select_streams v:0"));
}

TEST(VideoWriter, writes_the_rotation_that_it_is_told) {
  ScratchDir dir;
  for (const int degrees : {0, 90, 180, 270}) {
    auto reader = VideoReader::open(clip("odd/tiny_16x16.mp4"));
    auto frame = reader->next();
    ASSERT_TRUE(frame && *frame);
    VideoWriterOptions options = like(*reader, **frame, "");
    options.rotation = degrees;
    auto writer = VideoWriter::open(dir / "r.mp4", options);
    ASSERT_TRUE(writer && writer->write(**frame) && writer->finish());
    const int peer = std::atoi(ffprobe_line(dir / "r.mp4", "stream_side_data=rotation").c_str());
    EXPECT_EQ((360 - peer) % 360, degrees);
  }
}

TEST(VideoWriter, keeps_ten_bits_and_hdr_tags) {
  ScratchDir dir;
  const std::string in = dir / "in.mp4", out = dir / "out.mp4";
  ASSERT_TRUE(ffmpeg(clip("odd/hdr10_av1_portrait_720x1280.mp4"), "-t 0.5 -map 0:v -c copy", in));
  rewrite(in, out, Container::mp4);
  EXPECT_EQ(ffprobe_line(out, "stream=pix_fmt,color_range,color_space,color_transfer,color_primaries", "-select_streams v:0"),
            "yuv420p10le,tv,bt2020nc,smpte2084,bt2020");
}

TEST(VideoWriter, keeps_original_times_and_tags_in_nut) {
  ScratchDir dir;
  const std::string out = dir / "out.nut";
  rewrite(clip("bbb_360p_2s_002.ts"), out, Container::nut, false);
  expect_same_times(clip("bbb_360p_2s_002.ts"), out, 0, 2e-6);
  // VP9's tags live in the container only; NUT has no field for them.
  const std::string tagged = dir / "tagged.nut";
  auto reader = VideoReader::open(clip("odd/tiny_16x16.mp4"));
  auto frame = reader->next();
  ASSERT_TRUE(frame && *frame);
  VideoWriterOptions options = like(*reader, **frame, "");
  options.container = Container::nut;
  options.color = {9, 18, 9, ColorRange::limited};
  auto writer = VideoWriter::open(tagged, options);
  ASSERT_TRUE(writer && writer->write(**frame) && writer->finish());
  auto again = VideoReader::open(tagged);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->stream().color, options.color);
}

TEST(VideoWriter, makes_a_transport_stream) {
  ScratchDir dir;
  const std::string out = dir / "out.ts";
  rewrite(clip("london_roofs_360p_5s.mp4"), out, Container::mpegts);
  const auto in_times = frame_times(clip("london_roofs_360p_5s.mp4")), out_times = frame_times(out);
  ASSERT_EQ(in_times.size(), out_times.size());
  for (std::size_t i = 0; i < in_times.size(); ++i) ASSERT_NEAR(in_times[i] - in_times[0], out_times[i] - out_times[0], 2e-5);
}

TEST(VideoWriter, puts_key_frames_where_they_are_forced) {
  ScratchDir dir;
  const std::string out = dir / "out.mp4";
  auto reader = VideoReader::open(clip("london_roofs_360p_5s.mp4"));
  auto frame = reader->next();
  ASSERT_TRUE(frame && *frame);
  VideoWriterOptions options = like(*reader, **frame, "");
  options.scene_cuts = false;
  auto writer = VideoWriter::open(out, options);
  ASSERT_TRUE(writer.has_value());
  std::vector<int> keys;
  for (int i = 0; frame && *frame; ++i, frame = reader->next()) ASSERT_TRUE(writer->write(**frame, i % 37 == 0));
  ASSERT_TRUE(writer->finish());
  const auto flags = ffprobe(out, "frame=key_frame", "-select_streams v:0");
  for (std::size_t i = 0; i < flags.size(); ++i) EXPECT_EQ(flags[i][0] == '1', i % 37 == 0) << i;
}

TEST(VideoWriter, leaves_no_file_when_it_is_not_finished) {
  ScratchDir dir;
  const std::string out = dir / "out.mp4";
  {
    auto reader = VideoReader::open(clip("odd/tiny_16x16.mp4"));
    auto frame = reader->next();
    auto writer = VideoWriter::open(out, like(*reader, **frame, ""));
    ASSERT_TRUE(writer && writer->write(**frame));
    EXPECT_TRUE(std::filesystem::exists(out));
  }
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST(VideoWriter, refuses_odd_sides_falling_times_and_foreign_sizes) {
  ScratchDir dir;
  VideoWriterOptions options;
  options.width = 15;
  options.height = 16;
  auto odd = VideoWriter::open(dir / "a.mp4", options);
  ASSERT_FALSE(odd.has_value());
  EXPECT_EQ(odd.error().code, base::ErrorCode::invalid);
  options.width = 16;
  options.preset = "ultrafast";
  auto writer = VideoWriter::open(dir / "b.mp4", options);
  ASSERT_TRUE(writer.has_value());
  auto frame = Frame::create(16, 16, PixelFormat::yuv420p);
  ASSERT_TRUE(frame.has_value());
  frame->set_pts({100, {1, 90000}});
  EXPECT_TRUE(writer->write(*frame).has_value());
  EXPECT_FALSE(writer->write(*frame).has_value());
  EXPECT_FALSE(writer->write(*Frame::create(32, 16, PixelFormat::yuv420p)).has_value());
}

}  // namespace
}  // namespace kinora::media
