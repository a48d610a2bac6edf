// mux, overlay, extract-frames and extract-audio, judged by ffprobe and ffmpeg.
#include <gtest/gtest.h>

#include <cmath>

#include "media/extract_audio.hpp"
#include "media/extract_frames.hpp"
#include "media/mux.hpp"
#include "media/overlay.hpp"
#include "media/test_tools.hpp"

namespace kinora::media {
namespace {

using namespace testing;
using base::ErrorCode;

double loudness(const std::string& file, double from, double to) {
  const Ran ran = shell("ffmpeg -v info -nostdin -i " + quoted(file) + " -af atrim=" + std::to_string(from) + ":" + std::to_string(to) +
                        ",volumedetect -vn -f null - 2>&1 | grep mean_volume");
  const auto at = ran.output.find("mean_volume: ");
  return at == std::string::npos ? -1000 : std::atof(ran.output.c_str() + at + 13);
}
std::string framemd5(const std::string& file) {
  return shell("ffmpeg -v error -i " + quoted(file) +
               " -map 0:v:0 -vsync passthrough -f framehash -hash md5 - | grep -v '^#' | awk '{print $NF}'")
      .output;
}
std::string seconds_of(const std::string& file) { return ffprobe_line(file, "format=duration"); }

struct Tone {
  ScratchDir dir;
  std::string file = dir / "tone.wav";
  Tone() { shell("ffmpeg -v error -y -f lavfi -i sine=f=440:r=44100:d=1 " + file); }
};

TEST(Mux, copies_the_pictures_and_takes_the_other_sound) {
  Tone tone;
  ScratchDir dir;
  const std::string video = clip("london_roofs_360p_5s.mp4");
  const auto made = mux(video, tone.file, dir / "out.mp4");
  ASSERT_TRUE(made.has_value()) << made.error().message;
  EXPECT_EQ(framemd5(dir / "out.mp4"), framemd5(video));
  EXPECT_EQ(ffprobe_line(dir / "out.mp4", "stream=codec_name,sample_rate,channels", "-select_streams a"), "aac,44100,1");
  // As long as the pictures: a second of tone, then silence.
  EXPECT_NEAR(std::atof(ffprobe_line(dir / "out.mp4", "stream=duration", "-select_streams a").c_str()), made->duration_s, 2e-3);
  EXPECT_GT(loudness(dir / "out.mp4", 0.05, 0.95), -30);
  EXPECT_LT(loudness(dir / "out.mp4", 1.1, 4.9), -80);
}

TEST(Mux, moves_the_sound_and_cuts_its_beginning) {
  Tone tone;
  ScratchDir dir;
  MuxOptions options;
  options.offset_s = 0.5;
  ASSERT_TRUE(mux(clip("bbb_360p_2s_002.ts"), tone.file, dir / "late.mp4", options));
  EXPECT_LT(loudness(dir / "late.mp4", 0, 0.45), -80);
  EXPECT_GT(loudness(dir / "late.mp4", 0.55, 1.45), -30);
  EXPECT_LT(loudness(dir / "late.mp4", 1.6, 2), -80);
  options.offset_s = -0.5;
  ASSERT_TRUE(mux(clip("bbb_360p_2s_002.ts"), tone.file, dir / "early.mp4", options));
  EXPECT_GT(loudness(dir / "early.mp4", 0.05, 0.45), -30);
  EXPECT_LT(loudness(dir / "early.mp4", 0.6, 2), -80);
}

TEST(Mux, mixes_over_the_videos_own_sound) {
  Tone tone;
  ScratchDir dir;
  ASSERT_TRUE(
      shell("ffmpeg -v error -y -f lavfi -i testsrc=s=64x64:d=2 -f lavfi -i sine=f=1000:r=48000:d=2 -c:v libx264 -pix_fmt yuv420p " +
            (dir / "own.mp4"))
          .status == 0);
  MuxOptions options;
  options.mix = true;
  ASSERT_TRUE(mux(dir / "own.mp4", tone.file, dir / "out.mp4", options));
  // Two equal tones of different pitch add 3 dB to one.
  EXPECT_NEAR(loudness(dir / "out.mp4", 0.1, 0.9) - loudness(dir / "out.mp4", 1.1, 1.9), 3, 0.7);
}

TEST(Mux, encodes_pictures_that_mp4_cannot_hold_and_keeps_rotation_where_it_copies) {
  Tone tone;
  ScratchDir dir;
  ASSERT_TRUE(ffmpeg(clip("bbb_360p_2s_002.ts"), "-an -c:v mpeg2video -b:v 2M", dir / "old.mpg"));
  ASSERT_TRUE(mux(dir / "old.mpg", tone.file, dir / "new.mp4"));
  EXPECT_EQ(ffprobe_line(dir / "new.mp4", "stream=codec_name", "-select_streams v"), "h264");
  ASSERT_TRUE(ffmpeg(clip("odd/videoonly_bpyramid_800x640.mp4"), "-c copy -metadata:s:v rotate=90", dir / "turned.mp4"));
  ASSERT_TRUE(mux(dir / "turned.mp4", tone.file, dir / "out.mp4"));
  EXPECT_EQ(ffprobe_line(dir / "out.mp4", "stream_side_data=rotation"), ffprobe_line(dir / "turned.mp4", "stream_side_data=rotation"));
  EXPECT_EQ(frame_times(dir / "out.mp4"), frame_times(dir / "turned.mp4"));
}

TEST(Mux, takes_the_sound_of_a_video_and_says_when_there_is_none) {
  ScratchDir dir;
  ASSERT_TRUE(mux(clip("odd/tiny_16x16.mp4"), clip("london_roofs_360p_5s.mp4"), dir / "out.mp4"));
  EXPECT_EQ(seconds_of(dir / "out.mp4"), "2.000000");
  const auto silent = mux(clip("bbb_360p_2s_002.ts"), clip("odd/tiny_16x16.mp4"), dir / "no.mp4");
  ASSERT_FALSE(silent.has_value());
  EXPECT_EQ(silent.error().code, ErrorCode::unsupported);
  EXPECT_EQ(mux(clip("odd/audioonly_eac3_5p1.mp4"), clip("bbb_360p_2s_002.ts"), dir / "no.mp4").error().code, ErrorCode::unsupported);
}

// The mean of a square of the picture at `at` seconds, per channel.
std::array<int, 3> colour_at(const std::string& file, double at, int x, int y) {
  const Ran ran =
      shell("ffmpeg -v error -ss " + std::to_string(at) + " -i " + quoted(file) + " -frames:v 1 -vf crop=8:8:" + std::to_string(x) + ":" +
            std::to_string(y) + ",scale=1:1:flags=area -f rawvideo -pix_fmt rgb24 - | od -An -tu1");
  std::array<int, 3> rgb{-1, -1, -1};
  std::sscanf(ran.output.c_str(), "%d %d %d", &rgb[0], &rgb[1], &rgb[2]);
  return rgb;
}

struct Logo {
  ScratchDir dir;
  std::string red = dir / "red.png", half = dir / "half.png", grey = dir / "grey.mp4";
  Logo() {
    shell("ffmpeg -v error -y -f lavfi -i color=red:s=100x50 -frames:v 1 " + red);
    // The left half is opaque green, the right half is not there.
    shell("ffmpeg -v error -y -f lavfi -i color=lime:s=100x50,format=rgba,geq=r=0:g=255:b=0:a=\"'if(lt(X,50),255,0)'\" -frames:v 1 " +
          half);
    shell("ffmpeg -v error -y -f lavfi -i color=gray:s=320x180:d=2:r=25 -f lavfi -i sine=d=2 -c:v libx264 -crf 4 -pix_fmt yuv420p " + grey);
  }
};

void expect_near(const std::array<int, 3>& got, const std::array<int, 3>& wanted, int slack = 12) {
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(got[static_cast<std::size_t>(i)], wanted[static_cast<std::size_t>(i)], slack) << "channel " << i;
}

TEST(Overlay, stands_where_it_was_put_in_the_size_that_was_asked) {
  Logo logo;
  OverlayOptions options;
  options.width = 0.25;  // 80 x 40
  options.margin = 0;
  const auto frames = overlay(logo.grey, logo.red, logo.dir / "out.mp4", options);
  ASSERT_TRUE(frames.has_value()) << frames.error().message;
  EXPECT_EQ(*frames, 50);
  const std::array red{254, 0, 0}, grey{128, 128, 128};
  expect_near(colour_at(logo.dir / "out.mp4", 0.5, 244, 144), red);
  expect_near(colour_at(logo.dir / "out.mp4", 0.5, 308, 168), red);
  expect_near(colour_at(logo.dir / "out.mp4", 0.5, 228, 144), grey);
  expect_near(colour_at(logo.dir / "out.mp4", 0.5, 244, 128), grey);
  EXPECT_EQ(ffprobe_line(logo.dir / "out.mp4", "stream=codec_name,duration", "-select_streams a"),
            ffprobe_line(logo.grey, "stream=codec_name,duration", "-select_streams a"));
}

TEST(Overlay, honours_transparency_and_opacity) {
  Logo logo;
  OverlayOptions options;
  options.width = 0.5;  // 160 x 80, from (80, 50)
  options.x = options.y = 0.5;
  options.opacity = 0.5;
  ASSERT_TRUE(overlay(logo.grey, logo.half, logo.dir / "out.mp4", options));
  expect_near(colour_at(logo.dir / "out.mp4", 0.5, 110, 86), {64, 191, 64}, 14);
  expect_near(colour_at(logo.dir / "out.mp4", 0.5, 190, 86), {128, 128, 128});
}

TEST(Overlay, is_seen_only_in_its_time) {
  Logo logo;
  OverlayOptions options;
  options.x = options.y = 0;
  options.margin = 0;
  options.start_s = 0.5;
  options.end_s = 1.5;
  ASSERT_TRUE(overlay(logo.grey, logo.red, logo.dir / "out.mp4", options));
  for (const double at : {0.0, 0.4, 1.52, 1.9}) expect_near(colour_at(logo.dir / "out.mp4", at, 8, 8), {128, 128, 128});
  for (const double at : {0.52, 1.0, 1.4}) expect_near(colour_at(logo.dir / "out.mp4", at, 8, 8), {254, 0, 0});
}

TEST(Overlay, carries_the_rest_of_a_video_of_variable_rate_and_works_in_ten_bits) {
  Logo logo;
  ASSERT_TRUE(overlay(clip("odd/vfr_640x360.mp4"), logo.red, logo.dir / "vfr.mp4"));
  const auto source = frame_times(clip("odd/vfr_640x360.mp4")), made = frame_times(logo.dir / "vfr.mp4");
  ASSERT_EQ(made.size(), source.size());
  for (std::size_t i = 0; i < made.size(); ++i) EXPECT_NEAR(made[i], source[i], 1e-4);
  ASSERT_TRUE(ffmpeg(clip("odd/hdr10_av1_portrait_720x1280.mp4"), "-t 0.2 -an -c:v libx265 -preset ultrafast -x265-params log-level=none",
                     logo.dir / "hdr.mp4"));
  ASSERT_TRUE(overlay(logo.dir / "hdr.mp4", logo.red, logo.dir / "out.mp4"));
  EXPECT_EQ(ffprobe_line(logo.dir / "out.mp4", "stream=pix_fmt,color_transfer"), "yuv420p10le,smpte2084");
}

TEST(Overlay, refuses_what_is_no_picture_and_numbers_out_of_range) {
  Logo logo;
  EXPECT_FALSE(overlay(logo.grey, clip("odd/audioonly_eac3_5p1.mp4"), logo.dir / "out.mp4"));
  OverlayOptions options;
  options.width = 1.01;
  EXPECT_EQ(overlay(logo.grey, logo.red, logo.dir / "out.mp4", options).error().code, ErrorCode::invalid);
  options.width = 0.2;
  options.opacity = -0.1;
  EXPECT_EQ(overlay(logo.grey, logo.red, logo.dir / "out.mp4", options).error().code, ErrorCode::invalid);
}

TEST(ExtractFrames, gives_every_picture_as_ffmpeg_does) {
  ScratchDir dir;
  ExtractFramesOptions options;
  options.type = ImageType::png;
  const auto made = extract_frames(clip("odd/tiny_16x16.mp4"), dir.path(), options);
  ASSERT_TRUE(made.has_value()) << made.error().message;
  ASSERT_EQ(made->size(), 50U);
  const auto times = frame_times(clip("odd/tiny_16x16.mp4"));
  for (std::size_t i = 0; i < made->size(); ++i) EXPECT_NEAR((*made)[i].at_s, times[i], 1e-6);
  EXPECT_EQ((*made)[49].file, "frame_00050.png");
  // Shown with square pixels: 16 x 16/9 wide, and 321 x 322/321.
  EXPECT_EQ(ffprobe_line(dir / "frame_00050.png", "stream=codec_name,width,height"), "png,28,16");
  options.end_s = 0.1;
  ASSERT_TRUE(extract_frames(clip("odd/odd_size_321x181_vp9_opus.webm"), dir.path(), options));
  EXPECT_EQ(ffprobe_line(dir / "frame_00001.png", "stream=codec_name,width,height"), "png,322,181");
}

TEST(ExtractFrames, keeps_an_even_pace_over_a_variable_rate) {
  ScratchDir dir;
  ExtractFramesOptions options;
  options.fps = 4;
  options.width = 160;
  const auto made = extract_frames(clip("odd/vfr_640x360.mp4"), dir.path(), options);
  ASSERT_TRUE(made.has_value()) << made.error().message;
  // The picture on the screen at each quarter of a second; a picture that stays longer comes once.
  std::vector<double> wanted;
  const auto times = frame_times(clip("odd/vfr_640x360.mp4"));
  for (double at = 0; at < times.back() + 0.034; at += 0.25) {
    double shown = 0;
    for (const double time : times)
      if (time <= at + 1e-6) shown = time;
    if (wanted.empty() || wanted.back() != shown) wanted.push_back(shown);
  }
  ASSERT_EQ(made->size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR((*made)[i].at_s, wanted[i], 1e-4);
  EXPECT_EQ(ffprobe_line(dir / (*made)[0].file, "stream=codec_name,width,height"), "mjpeg,160,90");
}

TEST(ExtractFrames, spreads_a_count_over_a_range) {
  ScratchDir dir;
  ExtractFramesOptions options;
  options.count = 5;
  options.start_s = 1;
  options.end_s = 2;
  const auto made = extract_frames(clip("odd/videoonly_bpyramid_800x640.mp4"), dir.path(), options);
  ASSERT_TRUE(made.has_value()) << made.error().message;
  ASSERT_EQ(made->size(), 5U);
  // The middles of fifths: 1.1, 1.3 ... at 30 pictures a second.
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR((*made)[i].at_s, std::floor((1.1 + 0.2 * static_cast<double>(i)) * 30 + 1e-3) / 30, 1e-3);
}

TEST(ExtractFrames, refuses_more_than_the_limit) {
  ScratchDir dir;
  ExtractFramesOptions options;
  options.max_frames = 49;
  const auto made = extract_frames(clip("odd/tiny_16x16.mp4"), dir.path(), options);
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code, ErrorCode::too_large);
  options.start_s = 2.5;
  EXPECT_EQ(extract_frames(clip("odd/tiny_16x16.mp4"), dir.path(), options).error().code, ErrorCode::conflict);
  EXPECT_EQ(extract_frames(clip("odd/audioonly_eac3_5p1.mp4"), dir.path()).error().code, ErrorCode::unsupported);
}

TEST(ExtractAudio, makes_each_format) {
  const std::string source = clip("london_roofs_360p_5s.mp4");
  const std::pair<AudioType, const char*> kinds[]{{AudioType::m4a, "aac,48000,2"},
                                                  {AudioType::mp3, "mp3,48000,2"},
                                                  {AudioType::wav, "pcm_s16le,48000,2"},
                                                  {AudioType::flac, "flac,48000,2"},
                                                  {AudioType::ogg, "opus,48000,2"}};
  for (const auto& [type, wanted] : kinds) {
    ScratchDir dir;
    ExtractAudioOptions options;
    options.type = type;
    const std::string file = dir / (std::string("a.") + extension_of(type));
    const auto seconds = extract_audio(source, file, options);
    ASSERT_TRUE(seconds.has_value()) << wanted << ": " << seconds.error().message;
    EXPECT_EQ(ffprobe_line(file, "stream=codec_name,sample_rate,channels"), wanted);
    // MP3 and Opus pad to whole frames.
    EXPECT_NEAR(std::atof(seconds_of(file).c_str()), 5.009333, 0.06) << wanted;
  }
}

TEST(ExtractAudio, gives_the_samples_that_ffmpeg_decodes) {
  ScratchDir dir;
  ASSERT_TRUE(shell("ffmpeg -v error -y -f lavfi -i sine=f=997:r=48000:d=3 -c:a flac " + (dir / "in.flac")).status == 0);
  ExtractAudioOptions options;
  options.type = AudioType::wav;
  options.start_s = 0.5;
  options.end_s = 1.75;
  ASSERT_TRUE(extract_audio(dir / "in.flac", dir / "out.wav", options));
  ASSERT_TRUE(ffmpeg(dir / "in.flac", "-af atrim=start_sample=24000:end_sample=84000 -c:a pcm_s16le", dir / "peer.wav"));
  const auto samples = [&](const char* name) { return shell("ffmpeg -v error -i " + (dir / name) + " -f s16le - | md5sum").output; };
  EXPECT_EQ(samples("out.wav"), samples("peer.wav"));
  EXPECT_EQ(seconds_of(dir / "out.wav"), "1.250000");
}

TEST(ExtractAudio, resamples_and_mixes_down_for_speech) {
  ScratchDir dir;
  ExtractAudioOptions options;
  options.type = AudioType::wav;
  options.sample_rate = 16'000;
  options.channels = 1;
  ASSERT_TRUE(extract_audio(clip("odd/anamorphic_sar_480x576.mp4"), dir / "out.wav", options));
  EXPECT_EQ(ffprobe_line(dir / "out.wav", "stream=codec_name,sample_rate,channels"), "pcm_s16le,16000,1");
  EXPECT_NEAR(std::atof(seconds_of(dir / "out.wav").c_str()), 3.008, 0.001);
}

TEST(ExtractAudio, says_when_there_is_no_sound_or_no_room_for_it) {
  ScratchDir dir;
  EXPECT_EQ(extract_audio(clip("odd/tiny_16x16.mp4"), dir / "a.m4a").error().code, ErrorCode::unsupported);
  ExtractAudioOptions options;
  options.type = AudioType::mp3;
  const auto wide = extract_audio(clip("odd/audioonly_eac3_5p1.mp4"), dir / "a.mp3", options);
  ASSERT_FALSE(wide.has_value());
  EXPECT_NE(wide.error().message.find("6 channels"), std::string::npos) << wide.error().message;
  options = {};
  options.start_s = 100;
  EXPECT_EQ(extract_audio(clip("bbb_360p_2s_002.ts"), dir / "a.m4a", options).error().code, ErrorCode::conflict);
  EXPECT_FALSE(std::filesystem::exists(dir / "a.m4a"));
}

}  // namespace
}  // namespace kinora::media
