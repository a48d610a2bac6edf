#include "media/join.hpp"

#include <gtest/gtest.h>

#include "media/cut.hpp"
#include "media/test_tools.hpp"
#include "media/video_reader.hpp"

namespace kinora::media {
namespace {

using namespace testing;

// What a worker does with a chunk: decode its part, encode it, on the same clock.
void reencode(const std::string& in, const std::string& out, const CutPlan& plan, const Chunk& chunk,
              const std::string& preset = "veryfast") {
  VideoReaderOptions reading;
  reading.start = Timestamp{chunk.start_pts, plan.time_base};
  reading.end = Timestamp{chunk.end_pts, plan.time_base};
  auto reader = VideoReader::open(in, reading);
  ASSERT_TRUE(reader.has_value());
  auto frame = reader->next();
  ASSERT_TRUE(frame && *frame);
  VideoWriterOptions options;
  options.container = Container::nut;
  options.width = (*frame)->width();
  options.height = (*frame)->height();
  options.format = (*frame)->bit_depth() > 8 ? PixelFormat::yuv420p10 : PixelFormat::yuv420p;
  options.color = (*frame)->color();
  options.time_base = reader->time_base();
  options.frame_rate = reader->stream().average_rate;
  options.preset = preset;
  options.b_frames = 3;
  auto writer = VideoWriter::open(out, options);
  ASSERT_TRUE(writer.has_value()) << writer.error().message;
  for (; frame && *frame; frame = reader->next()) {
    const auto written = writer->write(**frame);
    ASSERT_TRUE(written.has_value()) << written.error().message;
  }
  const auto finished = writer->finish();
  ASSERT_TRUE(finished.has_value()) << finished.error().message;
}

void expect_round_trip(const std::string& source, double target_s, std::size_t least_chunks, bool mixed_presets = false) {
  SCOPED_TRACE(source);
  ScratchDir dir;
  CutOptions cutting;
  cutting.target_s = target_s;
  const auto plan = cut(source, dir.path(), cutting);
  ASSERT_TRUE(plan.has_value()) << plan.error().message;
  ASSERT_GE(plan->chunks.size(), least_chunks);
  std::vector<std::string> done;
  for (const Chunk& chunk : plan->chunks) {
    done.push_back(dir / (chunk.file + ".done"));
    reencode(dir / chunk.file, done.back(), *plan, chunk, mixed_presets && done.size() % 2 == 0 ? "ultrafast" : "veryfast");
  }
  const std::string out = dir / "joined.mp4";
  JoinOptions options;
  options.source = source;
  options.pts_offset = plan->pts_offset;
  options.pts_offset_base = plan->time_base;
  const auto joined = join(done, out, options);
  ASSERT_TRUE(joined.has_value()) << joined.error().message;
  const auto before = frame_times(source), after = frame_times(out);
  ASSERT_EQ(before.size(), after.size());
  EXPECT_EQ(static_cast<std::size_t>(joined->frames), after.size());
  const double start = std::atof(ffprobe_line(source, "format=start_time").c_str());
  for (std::size_t i = 0; i < before.size(); ++i) ASSERT_NEAR(before[i] - start, after[i], 2e-4) << i;
  // (ffprobe lists a transport stream twice, once by its program.)
  EXPECT_EQ(ffprobe_line(source, "stream=codec_name,channels", "-select_streams a"),
            ffprobe_line(out, "stream=codec_name,channels", "-select_streams a"));
  EXPECT_EQ(ffprobe_line(source, "stream=color_space,color_transfer,color_primaries", "-select_streams v:0"),
            ffprobe_line(out, "stream=color_space,color_transfer,color_primaries", "-select_streams v:0"));
  // Decoding times rise and never pass the picture's.
  double last = -1e9;
  for (const std::string& line : ffprobe(out, "packet=pts_time,dts_time", "-select_streams v:0")) {
    const double pts = std::atof(line.c_str()), dts = std::atof(line.c_str() + line.find(',') + 1);
    ASSERT_GT(dts, last);
    ASSERT_LE(dts, pts + 1e-6);
    last = dts;
  }
  // The same picture all along: no frame of the joined file falls out.
  const Ran worst =
      shell("ffmpeg -i " + quoted(source) + " -i " + quoted(out) +
            " -lavfi '[0:v]settb=1/1000,setpts=N[a];[1:v]settb=1/1000,setpts=N[b];[a][b]psnr' -an -f null - 2>&1 | grep -o 'min:[0-9.]*'");
  EXPECT_GT(std::atof(worst.output.c_str() + 4), 25.0) << worst.output;
}

TEST(Join, gives_back_every_frame_of_a_cut_video_with_its_sound) {
  ScratchDir dir;
  ASSERT_TRUE(ffmpeg(clip("london_roofs_360p_5s.mp4"), "-vf scale=320:180 -c:v libx264 -g 20 -bf 3 -x264-params open-gop=1 -c:a copy",
                     dir / "a.mp4"));
  expect_round_trip(dir / "a.mp4", 1, 4);
  ASSERT_TRUE(ffmpeg(clip("odd/vfr_640x360.mp4"),
                     "-vsync passthrough -enc_time_base -1 -vf scale=320:180 -c:v libx264 -g 10 -bf 3 -c:a copy", dir / "vfr.mp4"));
  expect_round_trip(dir / "vfr.mp4", 1, 3);
  expect_round_trip(clip("bbb_360p_2s_002.ts"), 1, 1);
}

TEST(Join, accepts_chunks_of_different_encoder_settings) {
  ScratchDir dir;
  ASSERT_TRUE(ffmpeg(clip("london_roofs_360p_5s.mp4"), "-vf scale=320:180 -c:v libx264 -g 20 -c:a copy", dir / "a.mp4"));
  expect_round_trip(dir / "a.mp4", 1, 4, true);
}

TEST(Join, refuses_chunks_that_do_not_fit) {
  ScratchDir dir;
  ASSERT_TRUE(ffmpeg(clip("odd/tiny_16x16.mp4"), "-c:v libx264 -t 1", dir / "a.nut"));
  ASSERT_TRUE(ffmpeg(clip("odd/tiny_16x16.mp4"), "-vf scale=32:32 -c:v libx264 -t 1 -output_ts_offset 5", dir / "b.nut"));
  const std::string out = dir / "out.mp4";
  EXPECT_EQ(join({dir / "a.nut", dir / "b.nut"}, out).error().code, base::ErrorCode::invalid);  // sizes
  EXPECT_EQ(join({dir / "a.nut", dir / "a.nut"}, out).error().code, base::ErrorCode::invalid);  // overlap
  EXPECT_EQ(join({}, out).error().code, base::ErrorCode::invalid);
  EXPECT_EQ(join({clip("odd/audioonly_eac3_5p1.mp4")}, out).error().code, base::ErrorCode::invalid);
  EXPECT_EQ(join({dir / "missing.nut"}, out).error().code, base::ErrorCode::not_found);
  EXPECT_FALSE(std::filesystem::exists(out));
}

}  // namespace
}  // namespace kinora::media
