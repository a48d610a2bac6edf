#include "media/cut.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <cmath>
#include <fstream>

#include "base/bytes.hpp"
#include "media/join.hpp"
#include "media/test_tools.hpp"
#include "media/video_reader.hpp"

extern "C" {
#include <libavutil/frame.h>
#include <libavutil/imgutils.h>
}

namespace kinora::media {
namespace {

using namespace testing;

// MD5 of the tightly packed planes: what FFmpeg's framemd5 prints.
std::string md5(const Frame& frame) {
  const AVFrame& f = *frame.av();
  const auto format = static_cast<AVPixelFormat>(f.format);
  std::vector<std::uint8_t> packed(static_cast<std::size_t>(av_image_get_buffer_size(format, f.width, f.height, 1)));
  av_image_copy_to_buffer(packed.data(), static_cast<int>(packed.size()), f.data, f.linesize, format, f.width, f.height, 1);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(packed.data(), packed.size(), digest, &size, EVP_md5(), nullptr);
  return base::to_hex({digest, size});
}

struct Seen {
  std::vector<std::string> pictures;
  std::vector<double> times;
  std::int64_t deinterlaced = 0;
};

void read_all(const std::string& file, VideoReaderOptions options, double shift, Seen& seen) {
  auto reader = VideoReader::open(file, options);
  ASSERT_TRUE(reader.has_value()) << file << ": " << reader.error().message;
  for (;;) {
    const auto frame = reader->next();
    ASSERT_TRUE(frame.has_value()) << file << ": " << frame.error().message;
    if (!*frame) break;
    seen.pictures.push_back(md5(**frame));
    seen.times.push_back((*frame)->pts().seconds() - shift);
  }
  seen.deinterlaced += reader->deinterlaced_frames();
}

std::vector<std::string> framemd5(const std::string& file, const std::string& filter) {
  std::vector<std::string> out;
  const Ran ran = shell("ffmpeg -v error -noautorotate -i " + quoted(file) + " -map 0:v:0 " + filter + " -vsync passthrough -f framemd5 -");
  for (const std::string& line : lines(ran.output))
    if (line[0] != '#') out.push_back(line.substr(line.rfind(' ') + 1));
  return out;
}

struct How {
  bool ask_ffmpeg = true;
  bool deinterlace = false;
  bool look_ahead = false;
};

// Cuts, reads the chunks as workers do, and wants FFmpeg's frames of the whole file.
void expect_seamless(const std::string& file, double target_s, std::size_t least_chunks, How how = {}) {
  SCOPED_TRACE(file);
  ScratchDir dir;
  CutOptions options;
  options.target_s = target_s;
  options.look_ahead = how.look_ahead;
  const auto plan = cut(file, dir.path(), options);
  ASSERT_TRUE(plan.has_value()) << plan.error().message;
  EXPECT_GE(plan->chunks.size(), least_chunks);
  Seen whole, parts;
  VideoReaderOptions reading;
  reading.deinterlace = how.deinterlace;
  read_all(file, reading, 0, whole);
  if (how.ask_ffmpeg) EXPECT_EQ(whole.pictures, framemd5(file, how.deinterlace ? "-vf yadif=mode=send_frame:deint=interlaced" : ""));
  reading.look_ahead = how.look_ahead;
  for (const Chunk& chunk : plan->chunks) {
    reading.start = Timestamp{chunk.start_pts, plan->time_base};
    reading.end = Timestamp{chunk.end_pts, plan->time_base};
    read_all(dir / chunk.file, reading, static_cast<double>(plan->pts_offset) * plan->time_base.value(), parts);
    if (!how.look_ahead || &chunk == &plan->chunks.back()) continue;
    // The first of the next one.
    ASSERT_LE(parts.pictures.size(), whole.pictures.size());
    EXPECT_EQ(parts.pictures.back(), whole.pictures[parts.pictures.size() - 1]);
    parts.pictures.pop_back();
    parts.times.pop_back();
  }
  ASSERT_EQ(parts.pictures.size(), whole.pictures.size());
  for (std::size_t i = 0; i < whole.pictures.size(); ++i) {
    ASSERT_EQ(parts.pictures[i], whole.pictures[i]) << "frame " << i;
    ASSERT_NEAR(parts.times[i], whole.times[i], 1e-6) << "frame " << i;
  }
  EXPECT_EQ(parts.deinterlaced, whole.deinterlaced);
}

TEST(Cut, is_seamless_over_closed_gops_pyramids_variable_rate_and_edit_lists) {
  ScratchDir dir;
  ASSERT_TRUE(ffmpeg(clip("london_roofs_360p_5s.mp4"), "-an -vf scale=160:90 -c:v libx264 -g 20 -bf 3", dir / "closed.mp4"));
  expect_seamless(dir / "closed.mp4", 0.5, 5);
  ASSERT_TRUE(ffmpeg(clip("odd/vfr_640x360.mp4"), "-an -vsync passthrough -enc_time_base -1 -vf scale=160:90 -c:v libx264 -g 10 -bf 3",
                     dir / "vfr.mp4"));
  expect_seamless(dir / "vfr.mp4", 0.5, 4);
  expect_seamless(clip("odd/videoonly_bpyramid_800x640.mp4"), 0.5, 1);
  expect_seamless(clip("odd/editlist_bframes_videoonly.mp4"), 1, 1);
  // An edit list that starts between key frames: FFmpeg decodes and hides the frames before.
  ASSERT_TRUE(shell("ffmpeg -v error -y -ss 1.1 -i " + (dir / "closed.mp4") + " -c copy " + (dir / "edit.mp4")).status == 0);
  expect_seamless(dir / "edit.mp4", 0.5, 3);
}

TEST(Cut, is_seamless_over_open_gops_of_h264_hevc_and_mpeg2) {
  ScratchDir dir;
  const std::string small = "-an -vf scale=160:90 ";
  ASSERT_TRUE(ffmpeg(clip("london_roofs_360p_5s.mp4"),
                     small + "-c:v libx264 -x264-params open-gop=1:keyint=20:min-keyint=20:scenecut=0:bframes=3:b-pyramid=normal",
                     dir / "h264.mkv"));
  ASSERT_TRUE(ffmpeg(clip("london_roofs_360p_5s.mp4"),
                     small + "-c:v libx265 -preset ultrafast -x265-params open-gop=1:keyint=20:bframes=3:log-level=none",
                     dir / "hevc.mp4"));
  ASSERT_TRUE(ffmpeg(clip("london_roofs_360p_5s.mp4"), small + "-c:v mpeg2video -g 12 -bf 2 -b:v 1M", dir / "mpeg2.ts"));
  for (const char* name : {"h264.mkv", "hevc.mp4", "mpeg2.ts"}) expect_seamless(dir / name, 0.5, 4);
}

// Each picture depends on its neighbours; those of another chunk too.
TEST(Cut, is_seamless_for_a_deinterlacer) {
  ScratchDir dir;
  const std::string source = clip("london_roofs_360p_5s.mp4");
  const std::string woven = "-an -vf scale=192:144,fps=50,tinterlace=interleave_top,setfield=tff -flags +ildct+ilme ";
  const std::string h264 = "-c:v libx264 -bf 2 -x264-params open-gop=1:scenecut=0:keyint=12:min-keyint=12 ";
  ASSERT_TRUE(ffmpeg(source, woven + h264, dir / "h264.mp4"));
  ASSERT_TRUE(ffmpeg(source, woven + "-c:v mpeg2video -g 12 -bf 2 -b:v 1M", dir / "mpeg2.ts"));
  for (const bool look_ahead : {false, true}) {
    const How how{.deinterlace = true, .look_ahead = look_ahead};
    for (const char* name : {"h264.mp4", "mpeg2.ts"}) expect_seamless(dir / name, 0.4, 10, how);
    expect_seamless(dir / "mpeg2.ts", 1, 3, how);
  }
}

TEST(Cut, is_seamless_for_a_deinterlacer_over_key_frames_only) {
  ScratchDir dir;
  const std::string source = clip("london_roofs_360p_5s.mp4");
  const std::string woven = "-an -flags +ildct -vf fps=50,tinterlace=interleave_bottom,setfield=bff,scale=interl=1:";
  ASSERT_TRUE(ffmpeg(source, woven + "w=192:h=144 -c:v prores_ks", dir / "prores.mov"));
  // Its header does not tell.
  ASSERT_TRUE(ffmpeg(source, woven + "w=720:h=576 -pix_fmt yuv420p -c:v dvvideo", dir / "dv.avi"));
  for (const char* name : {"prores.mov", "dv.avi"}) expect_seamless(dir / name, 1, 3, {.deinterlace = true});
}

TEST(Cut, is_seamless_for_a_deinterlacer_where_interlacing_begins_and_ends) {
  ScratchDir dir;
  const std::string codec = "-an -t 1 -c:v mpeg2video -b:v 1M -g 12 -bf 2 ";
  ASSERT_TRUE(ffmpeg(clip("london_roofs_360p_5s.mp4"), codec + "-vf scale=192:144,fps=25", dir / "plain.ts"));
  ASSERT_TRUE(ffmpeg(clip("london_roofs_360p_5s.mp4"),
                     codec + "-vf scale=192:144,fps=50,tinterlace=interleave_top,setfield=tff -flags +ildct+ilme", dir / "woven.ts"));
  const auto join = [&](const std::string& names, const std::string& to) {
    std::string list;
    for (const char letter : names) list += std::string("file ") + (letter == 'p' ? "plain.ts" : "woven.ts") + "\n";
    std::ofstream(dir / "list") << list;
    return shell("ffmpeg -v error -f concat -i " + (dir / "list") + " -c copy " + to).status == 0;
  };
  for (const char* names : {"pwp", "wpw"}) {
    const std::string mixed = dir / names + std::string(".ts");
    ASSERT_TRUE(join(names, mixed));
    expect_seamless(mixed, 0.4, 5, {.deinterlace = true});
  }
}

TEST(Cut, hides_from_a_deinterlacer_what_an_edit_list_hides) {
  ScratchDir dir;
  ASSERT_TRUE(ffmpeg(clip("london_roofs_360p_5s.mp4"),
                     "-an -vf scale=192:144,fps=50,tinterlace=interleave_top,setfield=tff -flags +ildct+ilme -c:v libx264 -g 25 -bf 2",
                     dir / "whole.mp4"));
  ASSERT_EQ(shell("ffmpeg -v error -y -ss 1.3 -i " + (dir / "whole.mp4") + " -c copy " + (dir / "edit.mp4")).status, 0);
  expect_seamless(dir / "edit.mp4", 0.5, 2, {.deinterlace = true});
}

// Only a deinterlacer needs more.
TEST(Cut, puts_no_packet_of_a_progressive_video_into_two_chunks) {
  ScratchDir dir, out;
  ASSERT_TRUE(ffmpeg(clip("london_roofs_360p_5s.mp4"), "-an -vf scale=160:90 -c:v libx264 -g 15 -sc_threshold 0", dir / "a.mp4"));
  const auto plan = cut(dir / "a.mp4", out.path(), {.target_s = 0.5, .limits = {}});
  ASSERT_TRUE(plan.has_value());
  ASSERT_GE(plan->chunks.size(), 10U);
  std::size_t packets = 0;
  for (const Chunk& chunk : plan->chunks) packets += ffprobe(out / chunk.file, "packet=pts").size();
  EXPECT_EQ(packets, ffprobe(dir / "a.mp4", "packet=pts").size());
}

TEST(Cut, is_seamless_in_vp9_av1_and_transport_streams) {
  expect_seamless(clip("odd/odd_size_321x181_vp9_opus.webm"), 0.5, 1);
  expect_seamless(clip("odd/hdr10_av1_portrait_720x1280.mp4"), 1, 1);
  expect_seamless(clip("bbb_360p_2s_002.ts"), 1, 1);
}

TEST(Cut, is_seamless_over_every_video_of_the_media_folder) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(media_dir())) {
    const std::string file = entry.path().string();
    auto reader = entry.is_regular_file() ? VideoReader::open(file) : base::fail(base::ErrorCode::invalid, "a folder");
    if (!reader) continue;
    const auto first = reader->next();
    // Damaged files differ from themselves where decoding starts anew; they only have to be cut without a crash.
    if (!first || !*first) continue;
    if (file.find("broken") == std::string::npos) {
      expect_seamless(file, 0.5, 1, {.ask_ffmpeg = false});
    } else {
      ScratchDir dir;
      const auto plan = cut(file, dir.path());
      if (!plan) EXPECT_FALSE(plan.error().message.empty());
    }
  }
}

TEST(Cut, takes_a_file_without_usable_times_as_one_chunk) {
  ScratchDir dir;
  // A raw stream has no times at all.
  ASSERT_TRUE(ffmpeg(clip("bbb_360p_2s_002.ts"), "-an -c:v copy -bsf:v h264_mp4toannexb -f h264", dir / "raw.h264"));
  expect_seamless(dir / "raw.h264", 0.5, 1);
}

TEST(Cut, writes_chunks_as_long_as_asked) {
  ScratchDir dir, out;
  ASSERT_TRUE(
      ffmpeg(clip("london_roofs_360p_5s.mp4"), "-an -vf scale=160:90 -c:v libx264 -g 15 -keyint_min 15 -sc_threshold 0", dir / "a.mp4"));
  CutOptions options;
  options.target_s = 2;
  const auto plan = cut(dir / "a.mp4", out.path(), options);
  ASSERT_TRUE(plan.has_value());
  ASSERT_EQ(plan->chunks.size(), 3U);  // key frames every 0.5 s: 0-2, 2-4, 4-5
  EXPECT_NEAR(static_cast<double>(plan->chunks[1].start_pts - plan->pts_offset) * plan->time_base.value(), 2.0, 0.02);
  std::vector<std::int64_t> frames;
  for (const Chunk& chunk : plan->chunks) frames.push_back(chunk.frames);
  EXPECT_EQ(frames, (std::vector<std::int64_t>{60, 60, 31}));
  options.target_s = 0.05;
  EXPECT_EQ(cut(dir / "a.mp4", out.path(), options).error().code, base::ErrorCode::invalid);
}

// FAST carries pictures over key frames in a row, and begins anew where two seconds begin (joints.hpp).
TEST(Cut, cuts_within_key_frames_in_a_row_where_two_seconds_begin) {
  ScratchDir dir;
  const std::string small = "-an -vf scale=96:64,select='not(eq(mod(n\\,7)\\,3))' -vsync passthrough ";
  ASSERT_TRUE(ffmpeg(clip("london_roofs_360p_5s.mp4"), small + "-c:v libx264 -g 1", dir / "late.ts"));
  ASSERT_TRUE(
      ffmpeg(clip("london_roofs_360p_5s.mp4"), small + "-c:v mjpeg -output_ts_offset -1.5 -avoid_negative_ts disabled", dir / "early.mkv"));
  for (const char* name : {"late.ts", "early.mkv"}) {
    SCOPED_TRACE(name);
    const auto times = frame_times(dir / name);
    ASSERT_NE(times.front(), 0);
    std::vector<double> wanted;
    for (std::size_t i = 0; i < times.size(); ++i)
      if (i == 0 || std::floor(times[i] / 2) != std::floor(times[i - 1] / 2)) wanted.push_back(times[i]);
    ASSERT_GE(wanted.size(), 3U);
    ScratchDir out;
    const auto plan = cut(dir / name, out.path(), {.target_s = 0.1, .limits = {}});
    ASSERT_TRUE(plan.has_value());
    ASSERT_EQ(plan->chunks.size(), wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const Chunk& chunk = plan->chunks[i];
      EXPECT_NEAR(static_cast<double>(chunk.start_pts - plan->pts_offset) * plan->time_base.value(), wanted[i], 1e-5);
    }
    // The clock is moved by whole stretches.
    EXPECT_EQ(std::fmod(static_cast<double>(plan->pts_offset) * plan->time_base.value(), 2), 0);
  }
}

TEST(Cut, refuses_files_without_video) {
  ScratchDir out;
  EXPECT_EQ(cut(clip("odd/audioonly_eac3_5p1.mp4"), out.path()).error().code, base::ErrorCode::unsupported);
  EXPECT_EQ(cut(clip("odd/vvc_320x180_codec_often_missing.mp4"), out.path()).error().code, base::ErrorCode::unsupported);
  EXPECT_EQ(cut(clip("broken/text_named.mp4"), out.path()).error().code, base::ErrorCode::invalid);
}

TEST(CutPlan, is_json_with_exact_numbers_and_the_clock_of_the_chunks) {
  CutPlan plan;
  plan.time_base = {1, 90000};
  plan.pts_offset = 7;
  plan.chunks = {{"a.nut", 0, 9007199254740991, 3, 99}};
  EXPECT_EQ(
      boost::json::serialize(to_json(plan)),
      R"({"time_base":"1/90000","pts_offset":7,"chunks":[{"name":"a.nut","start_pts":0,"end_pts":9007199254740991,"frames":3,"bytes":99}]})");
}

TEST(Cut, counts_on_the_clock_of_the_chunks_and_makes_no_more_than_asked) {
  ScratchDir dir, out;
  ASSERT_TRUE(
      ffmpeg(clip("london_roofs_360p_5s.mp4"), "-an -vf scale=160:90 -c:v libx264 -g 15 -keyint_min 15 -sc_threshold 0", dir / "a.mp4"));
  CutOptions options;
  options.target_s = 0.5;
  options.max_chunks = 3;
  const auto plan = cut(dir / "a.mp4", out.path(), options);
  ASSERT_TRUE(plan.has_value());
  EXPECT_LE(plan->chunks.size(), 3U);
  EXPECT_GE(plan->chunks.size(), 2U);
  for (const Chunk& chunk : plan->chunks) {
    const auto info = probe(out / chunk.file);
    ASSERT_TRUE(info && info->video() != nullptr);
    EXPECT_EQ(info->video()->time_base, plan->time_base);
  }
}

}  // namespace
}  // namespace kinora::media
