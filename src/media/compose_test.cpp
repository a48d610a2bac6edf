// clip, concat and loop, judged by ffprobe and ffmpeg.
#include "media/compose.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "media/probe.hpp"
#include "media/test_tools.hpp"

namespace kinora::media {
namespace {

using namespace testing;
using base::ErrorCode;

double video_end(const std::string& file) { return std::atof(ffprobe_line(file, "stream=duration", "-select_streams v:0").c_str()); }
double sound_seconds(const std::string& file) { return std::atof(ffprobe_line(file, "stream=duration", "-select_streams a:0").c_str()); }
std::int64_t frames_of(const std::string& file) { return static_cast<std::int64_t>(frame_times(file).size()); }

// Mean volume in dB of [from, to) seconds of the sound; silence is below -80.
double loudness(const std::string& file, double from, double to) {
  const Ran ran = shell("ffmpeg -v info -nostdin -i " + quoted(file) + " -af atrim=" + std::to_string(from) + ":" + std::to_string(to) +
                        ",volumedetect -vn -f null - 2>&1 | grep mean_volume");
  const auto at = ran.output.find("mean_volume: ");
  return at == std::string::npos ? -1000 : std::atof(ran.output.c_str() + at + 13);
}
// Mean luma of the picture at this time, as ffmpeg decodes it.
double brightness(const std::string& file, double at) {
  const Ran ran = shell("ffmpeg -v error -nostdin -i " + quoted(file) + " -vf \"select='gte(t," + std::to_string(at - 1e-4) +
                        ")',scale=1:1:flags=area,format=gray\" -frames:v 1 -f rawvideo - | od -An -tu1 -N1");
  return std::atof(ran.output.c_str());
}

// Black until 1 s, then white; silent until 1 s, then a tone: one event that eye and ear must have at the same time.
bool make_clap(const std::string& file, const std::string& size = "128x72", const std::string& rate = "25") {
  return shell("ffmpeg -v error -nostdin -y -f lavfi -i \"color=black:s=" + size + ":r=" + rate + ":d=1[a];color=white:s=" + size +
               ":r=" + rate +
               ":d=1[b];[a][b]concat=n=2:v=1:a=0\" -f lavfi -i \"sine=f=1000:r=48000:d=2,volume='gte(t,1)':eval=frame\" "
               "-c:v libx264 -pix_fmt yuv420p -g 250 -c:a pcm_s16le " +
               quoted(file))
             .status == 0;
}

TEST(Clip, has_exactly_the_pictures_and_the_samples_that_were_asked) {
  ScratchDir dir;
  const auto made = compose({{clip("london_roofs_360p_5s.mp4"), 1.5, 3.5}}, dir / "out.mp4");
  ASSERT_TRUE(made.has_value()) << made.error().message;
  EXPECT_NEAR(made->duration_s, 2, 1e-9);
  // MP4 states the last frame's end on the decoding clock, which wavers with an uneven rate.
  EXPECT_NEAR(video_end(dir / "out.mp4"), 2, 1e-3);
  EXPECT_NEAR(sound_seconds(dir / "out.mp4"), 2, 1.5e-3);
  // The source's own times inside the range, moved by the start; the picture on the screen at 1.5 s comes first.
  std::vector<double> wanted{0};
  for (const double at : frame_times(clip("london_roofs_360p_5s.mp4")))
    if (at > 1.5 + 1e-6 && at < 3.5) wanted.push_back(at - 1.5);
  const auto times = frame_times(dir / "out.mp4");
  ASSERT_EQ(times.size(), wanted.size());
  for (std::size_t i = 0; i < times.size(); ++i) EXPECT_NEAR(times[i], wanted[i], 1e-4) << i;
  EXPECT_EQ(ffprobe_line(dir / "out.mp4", "stream=width,height,color_range,color_space,color_transfer", "-select_streams v:0"),
            "640,360,tv,bt709,bt709");
}

TEST(Clip, keeps_eye_and_ear_together) {
  ScratchDir dir;
  ASSERT_TRUE(make_clap(dir / "clap.mkv"));
  ASSERT_TRUE(compose({{dir / "clap.mkv", 0.6, 1.8}}, dir / "out.mp4"));
  EXPECT_LT(brightness(dir / "out.mp4", 0.36), 40);
  EXPECT_GT(brightness(dir / "out.mp4", 0.40), 200);
  EXPECT_LT(loudness(dir / "out.mp4", 0, 0.37), -50);
  EXPECT_GT(loudness(dir / "out.mp4", 0.42, 1.2), -30);
  EXPECT_NEAR(video_end(dir / "out.mp4"), 1.2, 1e-3);
}

TEST(Clip, of_a_variable_rate_keeps_its_times) {
  ScratchDir dir;
  const std::string source = clip("odd/vfr_640x360.mp4");
  ASSERT_TRUE(compose({{source, 0, 3.0}}, dir / "out.mp4"));
  std::vector<double> wanted;
  for (const double at : frame_times(source))
    if (at < 3.0) wanted.push_back(at);
  const auto times = frame_times(dir / "out.mp4");
  ASSERT_EQ(times.size(), wanted.size());
  for (std::size_t i = 0; i < times.size(); ++i) EXPECT_NEAR(times[i], wanted[i], 1e-4) << i;
  EXPECT_NEAR(video_end(dir / "out.mp4"), 3, 1e-3);
}

TEST(Clip, turns_pictures_upright_and_pixels_square) {
  ScratchDir dir;
  ASSERT_TRUE(shell("ffmpeg -v error -y -f lavfi -i testsrc=s=64x32:d=1 -c:v libx264 -pix_fmt yuv420p " + (dir / "wide.mp4")).status == 0);
  ASSERT_TRUE(ffmpeg(dir / "wide.mp4", "-c copy -metadata:s:v rotate=90", dir / "tall.mp4"));
  ASSERT_TRUE(compose({{dir / "tall.mp4"}}, dir / "out.mp4"));
  EXPECT_EQ(ffprobe_line(dir / "out.mp4", "stream=width,height"), "32,64");
  EXPECT_EQ(ffprobe_line(dir / "out.mp4", "stream_side_data=rotation"), "");
  ASSERT_TRUE(compose({{clip("odd/anamorphic_sar_480x576.mp4"), 0, 0.5}}, dir / "square.mp4"));
  EXPECT_EQ(ffprobe_line(dir / "square.mp4", "stream=width,height,sample_aspect_ratio", "-select_streams v:0"), "1024,576,1:1");
}

TEST(Clip, keeps_ten_bits_and_hdr_tags) {
  ScratchDir dir;
  ASSERT_TRUE(compose({{clip("odd/hdr10_av1_portrait_720x1280.mp4"), 0, 0.2}}, dir / "out.mp4"));
  EXPECT_EQ(ffprobe_line(dir / "out.mp4", "stream=pix_fmt,color_space,color_transfer,color_primaries", "-select_streams v:0"),
            "yuv420p10le,bt2020nc,smpte2084,bt2020");
}

TEST(Clip, says_what_is_wrong_with_its_range) {
  ScratchDir dir;
  const std::string source = clip("bbb_360p_2s_002.ts");
  const auto late = compose({{source, 30, std::nullopt}}, dir / "out.mp4");
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().code, ErrorCode::conflict);
  EXPECT_NE(late.error().message.find("past the end of the video, 2.0"), std::string::npos) << late.error().message;
  EXPECT_FALSE(compose({{source, 1, 0.5}}, dir / "out.mp4"));
  EXPECT_EQ(compose({{clip("odd/audioonly_eac3_5p1.mp4")}}, dir / "out.mp4").error().code, ErrorCode::unsupported);
  EXPECT_FALSE(compose({}, dir / "out.mp4"));
  // An end past the end is the end.
  const auto whole = compose({{source, 1, 1000}}, dir / "out.mp4");
  ASSERT_TRUE(whole.has_value());
  EXPECT_EQ(whole->frames, 24);
}

TEST(Concat, joins_mixed_sizes_rates_and_codecs_into_the_first_ones_frame) {
  ScratchDir dir;
  const std::vector<Stretch> parts{
      {clip("bbb_360p_2s_002.ts")}, {clip("odd/odd_size_321x181_vp9_opus.webm")}, {clip("odd/tiny_16x16.mp4")}};
  double length = 0;
  std::int64_t frames = 0;
  for (const Stretch& part : parts) {
    const auto one = Reel::length_of(part, {});
    ASSERT_TRUE(one.has_value()) << part.path;
    length += *one;
    frames += frames_of(part.path);
  }
  const auto made = compose(parts, dir / "out.mp4");
  ASSERT_TRUE(made.has_value()) << made.error().message;
  EXPECT_EQ(made->frames, frames);
  EXPECT_EQ(frames_of(dir / "out.mp4"), frames);
  EXPECT_NEAR(video_end(dir / "out.mp4"), length, 2e-3);
  // Sound fills the whole film: the last video has none.
  EXPECT_NEAR(sound_seconds(dir / "out.mp4"), length, 2e-3);
  EXPECT_LT(loudness(dir / "out.mp4", length - 1.5, length), -80);
  EXPECT_EQ(ffprobe_line(dir / "out.mp4", "stream=width,height", "-select_streams v:0"), "640,360");
}

TEST(Concat, keeps_every_part_in_sync) {
  ScratchDir dir;
  ASSERT_TRUE(make_clap(dir / "a.mkv"));
  ASSERT_TRUE(make_clap(dir / "b.mkv", "64x64", "30000/1001"));
  ASSERT_TRUE(compose({{dir / "a.mkv"}, {dir / "b.mkv"}, {dir / "a.mkv"}}, dir / "out.mp4"));
  const double second = 2.0, third = 2.0 + 60 * 1001.0 / 30000;
  for (const double begin : {0.0, second, third}) {
    EXPECT_LT(loudness(dir / "out.mp4", begin + 0.05, begin + 0.95), -50) << begin;
    EXPECT_GT(loudness(dir / "out.mp4", begin + 1.05, begin + 1.95), -30) << begin;
    EXPECT_LT(brightness(dir / "out.mp4", begin + 0.5), 40) << begin;
    EXPECT_GT(brightness(dir / "out.mp4", begin + 1.5), 100) << begin;
  }
}

TEST(Concat, converts_matrix_and_range_to_the_first_ones) {
  ScratchDir dir;
  // The same red, coded in two ways.
  const auto red = [&](const std::string& name, const std::string& matrix, const std::string& range) {
    return shell("ffmpeg -v error -y -f lavfi -i color=red:s=64x64:d=1:r=25 -vf scale=out_color_matrix=" + matrix + ":out_range=" + range +
                 ",format=yuv420p -colorspace " + (matrix == "bt601" ? "smpte170m" : matrix) + " -color_range " + range +
                 " -color_primaries bt709 -color_trc bt709 -c:v libx264 -crf 1 " + (dir / name))
               .status == 0;
  };
  ASSERT_TRUE(red("a.mp4", "bt709", "tv"));
  ASSERT_TRUE(red("b.mp4", "bt601", "pc"));
  ComposeOptions options;
  options.crf = 1;
  ASSERT_TRUE(compose({{dir / "a.mp4"}, {dir / "b.mp4"}}, dir / "out.mp4", options));
  // YCbCr of red in BT.709, limited range (ITU-R BT.709-6): 63, 102, 240.
  for (const char* at : {"0.5", "1.5"}) {
    const Ran ran = shell("ffmpeg -v error -ss " + std::string(at) + " -i " + (dir / "out.mp4") +
                          " -frames:v 1 -vf crop=2:2 -f rawvideo -pix_fmt yuv420p - | od -An -tu1");
    int y = 0, unused = 0, cb = 0, cr = 0;
    ASSERT_EQ(std::sscanf(ran.output.c_str(), "%d %d %d %d %d %d", &y, &unused, &unused, &unused, &cb, &cr), 6) << ran.output;
    EXPECT_NEAR(y, 63, 2) << at;
    EXPECT_NEAR(cb, 102, 2) << at;
    EXPECT_NEAR(cr, 240, 2) << at;
  }
}

TEST(Concat, crossfades_pictures_and_sound) {
  ScratchDir dir;
  const auto plain = [&](const std::string& name, const std::string& colour, const std::string& sound) {
    return shell("ffmpeg -v error -y -f lavfi -i color=" + colour + ":s=64x64:d=2:r=25 -f lavfi -i " + quoted(sound) +
                 " -c:v libx264 -pix_fmt yuv420p -c:a pcm_s16le " + (dir / name))
               .status == 0;
  };
  ASSERT_TRUE(plain("a.mkv", "black", "sine=f=1000:r=48000:d=2"));
  ASSERT_TRUE(plain("b.mkv", "white", "anullsrc=r=48000:cl=mono:d=2"));
  ComposeOptions options;
  options.crossfade_s = 1;
  const auto made = compose({{dir / "a.mkv"}, {dir / "b.mkv"}}, dir / "out.mp4", options);
  ASSERT_TRUE(made.has_value()) << made.error().message;
  EXPECT_NEAR(made->duration_s, 3, 1e-6);
  EXPECT_EQ(made->frames, 75);
  EXPECT_NEAR(video_end(dir / "out.mp4"), 3, 1e-3);
  // 16 (black) to 235 (white) in even steps; the grey of ffmpeg's output is full range.
  EXPECT_LT(brightness(dir / "out.mp4", 0.96), 6);
  EXPECT_NEAR(brightness(dir / "out.mp4", 1.2), 51, 6);
  EXPECT_NEAR(brightness(dir / "out.mp4", 1.48), 122, 6);
  EXPECT_GT(brightness(dir / "out.mp4", 2.0), 248);
  // Half as loud in the middle: 6 dB less.
  EXPECT_NEAR(loudness(dir / "out.mp4", 1.45, 1.55) - loudness(dir / "out.mp4", 0.2, 0.8), -6, 1);
  EXPECT_LT(loudness(dir / "out.mp4", 2.1, 2.9), -60);
}

TEST(Concat, refuses_what_does_not_go_together) {
  ScratchDir dir;
  const auto mixed = compose({{clip("bbb_360p_2s_002.ts")}, {clip("odd/hdr10_av1_portrait_720x1280.mp4")}}, dir / "out.mp4");
  ASSERT_FALSE(mixed.has_value());
  EXPECT_NE(mixed.error().message.find("video 1: it is HDR"), std::string::npos) << mixed.error().message;
  EXPECT_FALSE(std::filesystem::exists(dir / "out.mp4"));
  ComposeOptions options;
  options.crossfade_s = 1.5;
  EXPECT_NE(
      compose({{clip("bbb_360p_2s_002.ts")}, {clip("bbb_360p_2s_002.ts")}}, dir / "out.mp4", options).error().message.find("too short"),
      std::string::npos);
  EXPECT_FALSE(compose(std::vector<Stretch>(kMaxStretches + 1, Stretch{clip("bbb_360p_2s_002.ts")}), dir / "out.mp4"));
  const auto broken = compose({{clip("bbb_360p_2s_002.ts")}, {clip("broken/zero_byte.mp4")}}, dir / "out.mp4");
  ASSERT_FALSE(broken.has_value());
  EXPECT_TRUE(broken.error().message.starts_with("video 1: ")) << broken.error().message;
}

TEST(Loop, shows_a_video_again_and_again) {
  ScratchDir dir;
  const Stretch part{clip("odd/tiny_16x16.mp4")};
  const auto made = compose({part, part, part}, dir / "out.mp4");
  ASSERT_TRUE(made.has_value()) << made.error().message;
  EXPECT_EQ(made->frames, 150);
  EXPECT_NEAR(video_end(dir / "out.mp4"), 6, 1e-3);
  EXPECT_EQ(ffprobe_line(dir / "out.mp4", "stream=codec_type", "-select_streams a"), "");
}

TEST(Loop, ends_at_the_length_that_was_asked) {
  ScratchDir dir;
  ComposeOptions options;
  options.length_s = 4.5;
  const auto made = compose(std::vector<Stretch>(10, Stretch{clip("bbb_360p_2s_002.ts")}), dir / "out.mp4", options);
  ASSERT_TRUE(made.has_value()) << made.error().message;
  EXPECT_NEAR(video_end(dir / "out.mp4"), 4.5, 1e-3);
  EXPECT_NEAR(sound_seconds(dir / "out.mp4"), 4.5, 2e-3);
  options.length_s = 100;
  EXPECT_NE(compose({{clip("bbb_360p_2s_002.ts")}}, dir / "out.mp4", options).error().message.find("shorter than duration_s"),
            std::string::npos);
}

TEST(Compose, stops_when_it_is_told) {
  ScratchDir dir;
  std::stop_source stop;
  stop.request_stop();
  Control control;
  control.stop = stop.get_token();
  const auto made = compose({{clip("bbb_360p_2s_002.ts")}}, dir / "out.mp4", {}, control);
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code, ErrorCode::canceled);
  EXPECT_FALSE(std::filesystem::exists(dir / "out.mp4"));
}

}  // namespace
}  // namespace kinora::media
