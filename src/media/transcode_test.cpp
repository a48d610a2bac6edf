#include "media/transcode.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "media/test_tools.hpp"

namespace kinora::media {
namespace {

using namespace testing;

TranscodeOptions quick(std::vector<RenditionRequest> renditions = {}) {
  TranscodeOptions options;
  options.preset = "ultrafast";
  options.renditions = std::move(renditions);
  return options;
}

std::string slurp(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<double> key_times(const std::string& file) {
  std::vector<double> times;
  for (const std::string& line : ffprobe(file, "frame=best_effort_timestamp_time", "-select_streams v:0 -skip_frame nokey"))
    times.push_back(std::atof(line.c_str()));
  return times;
}

std::vector<double> extinf(const std::string& playlist) {
  std::vector<double> out;
  for (const std::string& line : lines(slurp(playlist)))
    if (line.starts_with("#EXTINF:")) out.push_back(std::atof(line.c_str() + 8));
  return out;
}

double duration_of(const std::string& file) { return std::atof(ffprobe_line(file, "format=duration").c_str()); }

TEST(Transcode, makes_an_aligned_ladder_of_hls_and_mp4_in_one_pass) {
  ScratchDir dir;
  const auto made = transcode(clip("london_roofs_360p_5s.mp4"), dir.path(), quick({{"big", 0, 360}, {"mid", 0, 240}, {"small", 0, 144}}));
  ASSERT_TRUE(made.has_value()) << made.error().message;
  EXPECT_EQ(made->frames, 151);
  const std::vector<double> original = frame_times(clip("london_roofs_360p_5s.mp4"));
  std::vector<std::vector<double>> segments;
  for (const char* name : {"big", "mid", "small"}) {
    SCOPED_TRACE(name);
    const std::string mp4 = dir / (std::string(name) + ".mp4"), playlist = dir / (std::string(name) + "/index.m3u8");
    const auto times = frame_times(mp4);
    ASSERT_EQ(times.size(), original.size());
    for (std::size_t i = 0; i < times.size(); ++i) ASSERT_NEAR(times[i], original[i], 1e-4);
    EXPECT_NEAR(duration_of(mp4), duration_of(clip("london_roofs_360p_5s.mp4")), 1.0 / 30);
    EXPECT_EQ(ffprobe_line(mp4, "stream=codec_name", "-select_streams a"), "aac");
    // Key frames: the first frame at or after 0, 2, 4 seconds, and no other.
    std::vector<double> wanted;
    for (double next = original.front(); const double t : original)
      if (t + 1e-6 >= next) {
        wanted.push_back(t);
        next += 2;
      }
    const auto keys = key_times(mp4);
    ASSERT_EQ(keys.size(), wanted.size());
    for (std::size_t i = 0; i < keys.size(); ++i) EXPECT_NEAR(keys[i], wanted[i], 1e-4);
    const auto hls_times = frame_times(playlist);
    ASSERT_EQ(hls_times.size(), original.size());
    for (std::size_t i = 0; i < hls_times.size(); ++i) ASSERT_NEAR(hls_times[i] - hls_times[0], original[i] - original[0], 1e-3);
    segments.push_back(extinf(playlist));
    ASSERT_EQ(segments.back().size(), 3U);
    EXPECT_EQ(slurp(playlist).find(".ts") != std::string::npos, true);
  }
  for (const auto& lengths : segments)
    for (std::size_t i = 0; i < lengths.size(); ++i) EXPECT_NEAR(lengths[i], segments[0][i], 1e-3);
  const std::string master = slurp(dir / "master.m3u8");
  EXPECT_NE(master.find("RESOLUTION=640x360"), std::string::npos) << master;
  EXPECT_NE(master.find("RESOLUTION=426x240"), std::string::npos) << master;
  EXPECT_NE(master.find("mp4a.40.2"), std::string::npos) << master;
  for (const OutputFile& file : made->files) EXPECT_TRUE(std::filesystem::exists(dir / file.path)) << file.path;
  // Every file in the folder is listed.
  std::size_t found = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir.path())) found += entry.is_regular_file() ? 1 : 0;
  EXPECT_EQ(found, made->files.size());
  // A player that takes the master finds three programs.
  EXPECT_EQ(ffprobe(dir / "master.m3u8", "program=program_id").size() >= 3, true);
}

TEST(Transcode, keeps_variable_frame_times_and_sound_in_step) {
  ScratchDir dir;
  const std::string in = clip("odd/vfr_640x360.mp4");
  ASSERT_TRUE(transcode(in, dir.path(), quick({{"r", 0, 180}})).has_value());
  const auto before = frame_times(in), after = frame_times(dir / "r.mp4"), hls = frame_times(dir / "r/index.m3u8");
  ASSERT_EQ(before.size(), after.size());
  ASSERT_EQ(before.size(), hls.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    ASSERT_NEAR(before[i], after[i], 1e-4);
    ASSERT_NEAR(before[i] - before[0], hls[i] - hls[0], 1e-3);
  }
  const auto start = [](const std::string& file, const char* stream) {
    return std::atof(ffprobe_line(file, "stream=start_time", std::string("-select_streams ") + stream).c_str());
  };
  const double step = start(in, "v:0") - start(in, "a:0");
  EXPECT_NEAR(start(dir / "r.mp4", "v:0") - start(dir / "r.mp4", "a:0"), step, 1.0 / 30);
  // The playlist's sound starts with the codec's priming (1024 samples), which a transport stream cannot hide.
  EXPECT_NEAR(start(dir / "r/seg_00000.ts", "v:0") - start(dir / "r/seg_00000.ts", "a:0"), step, 1.0 / 30);
}

TEST(Transcode, squares_pixels_and_never_grows_the_picture) {
  ScratchDir dir;
  const auto made = transcode(clip("odd/anamorphic_sar_480x576.mp4"), dir.path(), quick({{"r", 4000, 4000}}));
  ASSERT_TRUE(made.has_value()) << made.error().message;
  // 480 * 32/15 = 1024.
  EXPECT_EQ(ffprobe_line(dir / "r.mp4", "stream=width,height,sample_aspect_ratio", "-select_streams v:0"), "1024,576,1:1");
}

TEST(Transcode, turns_pictures_upright) {
  ScratchDir dir;
  const std::string turned = dir / "turned.mp4";
  ASSERT_TRUE(ffmpeg(clip("london_roofs_360p_5s.mp4"), "-t 0.5 -c copy -metadata:s:v rotate=90", turned));
  const auto made = transcode(turned, dir.path(), quick({{"r", 0, 0}}));
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(ffprobe_line(dir / "r.mp4", "stream=width,height", "-select_streams v:0"), "360,640");
  EXPECT_TRUE(ffprobe_line(dir / "r.mp4", "stream_side_data=rotation", "-select_streams v:0").empty());
  // The same picture as FFmpeg's own turn of it.
  ASSERT_TRUE(ffmpeg(turned, "-an -c:v libx264 -qp 0 -preset ultrafast", dir / "peer.mp4"));
  const Ran psnr =
      shell("ffmpeg -i " + (dir / "r.mp4") + " -i " + (dir / "peer.mp4") + " -lavfi psnr -f null - 2>&1 | grep -o 'y:[0-9.]*'");
  EXPECT_GT(std::atof(psnr.output.c_str() + 2), 25.0) << psnr.output;
}

TEST(Transcode, keeps_hdr_tags_and_ten_bits) {
  ScratchDir dir;
  const std::string in = dir / "in.mp4";
  ASSERT_TRUE(ffmpeg(clip("odd/hdr10_av1_portrait_720x1280.mp4"), "-t 0.5 -c copy", in));
  ASSERT_TRUE(transcode(in, dir.path(), quick({{"r", 0, 360}})).has_value());
  for (const std::string& file : {dir / "r.mp4", dir / "r/seg_00000.ts"})
    EXPECT_EQ(ffprobe_line(file, "stream=pix_fmt,color_range,color_space,color_transfer,color_primaries", "-select_streams v:0"),
              "yuv420p10le,tv,bt2020nc,smpte2084,bt2020")
        << file;
  EXPECT_NE(slurp(dir / "master.m3u8").find("VIDEO-RANGE=PQ"), std::string::npos);
  // "360" asks for the short side whichever way up: a box with one side bounds that side.
  EXPECT_EQ(ffprobe_line(dir / "r.mp4", "stream=width,height", "-select_streams v:0"), "202,360");
}

TEST(Transcode, deinterlaces_what_is_flagged) {
  ScratchDir dir;
  const std::string in = dir / "in.ts";
  ASSERT_TRUE(ffmpeg(
      clip("london_roofs_360p_5s.mp4"),
      "-t 1 -vf scale=720:576,fps=50,tinterlace=interleave_top,setfield=tff -c:v mpeg2video -b:v 4M -flags +ildct+ilme -c:a mp2", in));
  ASSERT_TRUE(transcode(in, dir.path(), quick({{"r", 0, 0, 0, 16}})).has_value());
  EXPECT_EQ(ffprobe_line(dir / "r.mp4", "stream=field_order", "-select_streams v:0"), "progressive");
  EXPECT_EQ(frame_times(dir / "r.mp4").size(), frame_times(in).size());
  // The picture is FFmpeg's yadif of it, and not the combed one.
  const auto likeness = [&](const std::string& filter) {
    EXPECT_TRUE(ffmpeg(in, "-an -vf " + filter + " -c:v libx264 -qp 0 -preset ultrafast", dir / "peer.mp4"));
    const Ran psnr =
        shell("ffmpeg -i " + (dir / "r.mp4") + " -i " + (dir / "peer.mp4") + " -lavfi psnr -f null - 2>&1 | grep -o 'y:[0-9.]*'");
    return std::atof(psnr.output.c_str() + 2);
  };
  const double as_yadif = likeness("yadif"), as_combed = likeness("null");
  EXPECT_GT(as_yadif, 38.0);
  EXPECT_GT(as_yadif, as_combed + 3);
}

TEST(Transcode, carries_every_audio_track) {
  ScratchDir dir;
  const std::string in = dir / "in.mkv";
  ASSERT_TRUE(
      ffmpeg(clip("london_roofs_360p_5s.mp4"),
             "-map 0:v -map 0:a -map 0:a -c:v copy -c:a:0 copy -c:a:1 ac3 -metadata:s:a:0 language=eng -metadata:s:a:1 language=deu", in));
  ASSERT_TRUE(transcode(in, dir.path(), quick({{"r", 0, 180}})).has_value());
  EXPECT_EQ(ffprobe(dir / "r.mp4", "stream=codec_name:stream_tags=language", "-select_streams a"),
            (std::vector<std::string>{"aac,eng", "aac,deu"}));
  const std::string master = slurp(dir / "master.m3u8");
  EXPECT_NE(master.find("LANGUAGE=\"eng\""), std::string::npos) << master;
  EXPECT_NE(master.find("URI=\"audio_2/index.m3u8\""), std::string::npos) << master;
  EXPECT_EQ(ffprobe_line(dir / "audio_2/index.m3u8", "stream=codec_name", "-select_streams a"), "aac");
}

TEST(Transcode, takes_video_without_sound_and_sound_without_video) {
  ScratchDir silent, deaf;
  // Its pixels are 16:9, so 28 square ones.
  ASSERT_TRUE(transcode(clip("odd/tiny_16x16.mp4"), silent.path(), quick()).has_value());
  EXPECT_EQ(ffprobe_line(silent / "16p.mp4", "stream=codec_name,width,height"), "h264,28,16");
  const auto sound = transcode(clip("odd/audioonly_flac_cover_picture.flac"), deaf.path(), quick());
  ASSERT_TRUE(sound.has_value()) << sound.error().message;
  EXPECT_NEAR(duration_of(deaf / "audio.mp4"), duration_of(clip("odd/audioonly_flac_cover_picture.flac")), 0.03);
  EXPECT_EQ(ffprobe_line(deaf / "audio_1/index.m3u8", "stream=codec_name"), "aac");
}

TEST(Transcode, refuses_a_video_whose_track_never_shows_a_picture) {
  ScratchDir dir;
  const auto made = transcode(clip("broken/zero_video_frames.ts"), dir.path(), quick());
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code, base::ErrorCode::invalid);
}

TEST(Transcode, makes_fragmented_segments_and_h265) {
  ScratchDir dir;
  TranscodeOptions options = quick({{"r", 0, 144}});
  options.segments = SegmentType::fmp4;
  options.codec = VideoCodec::h265;
  ASSERT_TRUE(transcode(clip("bbb_360p_2s_002.ts"), dir.path(), options).has_value());
  EXPECT_EQ(ffprobe_line(dir / "r/index.m3u8", "stream=codec_name", "-select_streams v:0"), "hevc");
  EXPECT_EQ(ffprobe_line(dir / "r.mp4", "stream=codec_tag_string", "-select_streams v:0"), "hvc1");
  EXPECT_EQ(frame_times(dir / "r/index.m3u8").size(), frame_times(clip("bbb_360p_2s_002.ts")).size());
  EXPECT_NE(slurp(dir / "master.m3u8").find("hvc1.1.6.L"), std::string::npos);
}

TEST(Transcode, leaves_out_frames_above_the_highest_rate) {
  ScratchDir dir;
  RenditionRequest slow{"slow", 0, 144, 0, -1, 15};
  ASSERT_TRUE(transcode(clip("london_roofs_360p_5s.mp4"), dir.path(), quick({{"full", 0, 180}, slow})).has_value());
  const auto all = frame_times(dir / "full.mp4"), kept = frame_times(dir / "slow.mp4");
  ASSERT_EQ(all.size(), 151U);
  EXPECT_NEAR(static_cast<double>(kept.size()), 76, 1);
  for (const double t : kept) EXPECT_TRUE(std::any_of(all.begin(), all.end(), [t](double s) { return std::abs(s - t) < 1e-4; })) << t;
  EXPECT_EQ(extinf(dir / "full/index.m3u8").size(), extinf(dir / "slow/index.m3u8").size());
  EXPECT_NEAR(duration_of(dir / "slow.mp4"), duration_of(dir / "full.mp4"), 1.0 / 15);
}

TEST(Transcode, stops_when_told) {
  ScratchDir dir;
  std::stop_source stop;
  Control control;
  control.stop = stop.get_token();
  int reports = 0;
  control.report = [&](const Progress& progress) {
    EXPECT_EQ(progress.frames_total, 151);
    if (++reports == 10) stop.request_stop();
  };
  const auto made = transcode(clip("london_roofs_360p_5s.mp4"), dir.path(), quick(), control);
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code, base::ErrorCode::canceled);
  EXPECT_EQ(reports, 10);
}

TEST(Transcode, refuses_settings_out_of_range) {
  ScratchDir dir;
  TranscodeOptions options = quick();
  options.segment_s = 0.1;
  EXPECT_EQ(transcode(clip("odd/tiny_16x16.mp4"), dir.path(), options).error().code, base::ErrorCode::invalid);
  options = quick();
  options.hls = options.mp4 = false;
  EXPECT_EQ(transcode(clip("odd/tiny_16x16.mp4"), dir.path(), options).error().code, base::ErrorCode::invalid);
}

}  // namespace
}  // namespace kinora::media
