// The pipeline against FFmpeg's own tools: what goes in is made by ffmpeg, what comes out is judged by ffprobe. The network is the tiny
// RIFE 4.6 of the golden cases where its pictures do not matter, else one that blends.
#include "runner/interpolation_step.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iterator>
#include <sstream>

#include "models/loose_model.hpp"
#include "runner/test_chunks.hpp"
#include "runner/test_interpolator.hpp"

namespace kinora::runner {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

const fs::path kRoot = KINORA_SOURCE_DIR;

class VideoInterpolates : public ::testing::Test {
 protected:
  std::string make(const std::string& arguments, const std::string& name = "in.mp4") {
    EXPECT_EQ(testing::ffmpeg(arguments + " '" + (work_ / name) + "'"), "");
    return work_ / name;
  }
  base::Result<VideoEnhanced> run(VideoEnhance request, const media::Control& control = {}) {
    if (request.output.empty()) request.output = out_;
    if (!request.interpolate) request.interpolate.emplace();
    return enhance_video(request, {.interpolator = &blend_}, control);
  }
  static std::string times(const std::string& file) {
    return testing::shell("ffprobe -v error -select_streams v -show_entries frame=pts_time -of csv=p=0 '" + file +
                          "' | awk 'NF {printf \"%.4f \", $1}'");
  }
  static std::string packets_of_sound(const std::string& file) {
    return testing::shell("ffmpeg -v error -i '" + file + "' -map 0:a -c copy -f hash -");
  }
  // Mean luma of every picture, FFmpeg's.
  static std::vector<double> luma(const std::string& file) {
    std::istringstream text(testing::shell("ffprobe -v error -f lavfi -i 'movie=" + file +
                                           ",signalstats' -show_entries frame_tags=lavfi.signalstats.YAVG -of csv=p=0"));
    return {std::istream_iterator<double>(text), {}};
  }
  // What is coded and converted may differ by a level and a bit.
  static auto near(std::vector<double> levels) { return ::testing::Pointwise(::testing::DoubleNear(1.3), levels); }

  testing::Scratch work_;
  std::string out_ = work_ / "out.mp4";
  testing::Blend blend_;
};

const std::string kClip = "-f lavfi -i testsrc2=s=96x64:r=25:d=1 -f lavfi -i sine=d=1 -c:v libx264 -c:a aac -shortest";
// A picture whose brightness rises by `step` levels a frame.
std::string ramp(int frames, int rate, int step) {
  return "-f lavfi -i 'color=black:s=64x48:r=" + std::to_string(rate) + "," + "geq=lum=40+" + std::to_string(step) +
         "*N:cb=128:cr=128' -frames:v " + std::to_string(frames) + " -c:v libx264 -crf 4 -pix_fmt yuv420p";
}

TEST_F(VideoInterpolates, doubles_the_rate_and_keeps_duration_and_sound) {
  const auto in = make(kClip);
  const auto done = run({.input = in, .output = {}});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->frames, 50);
  EXPECT_EQ(done->source_frames, 25);
  EXPECT_EQ(done->interpolated->made, 24);
  EXPECT_EQ(testing::ffprobe(out_, "codec_name,width,height,pix_fmt,avg_frame_rate,nb_frames"), "h264,96,64,yuv420p,50/1,50");
  EXPECT_EQ(testing::ffprobe(out_, "duration"), testing::ffprobe(in, "duration"));
  EXPECT_EQ(packets_of_sound(out_), packets_of_sound(in));
}

TEST_F(VideoInterpolates, shows_source_pictures_as_they_are_and_made_ones_between_them) {
  ASSERT_TRUE(run({.input = make(ramp(5, 10, 20)), .output = {}, .interpolate = Interpolation{.rate = Factor{4}}, .crf = 4}));
  EXPECT_THAT(luma(out_), near({40, 45, 50, 55, 60, 65, 70, 75, 80, 85, 90, 95, 100, 105, 110, 115, 120, 120, 120, 120}));
}

TEST_F(VideoInterpolates, reaches_any_rational_rate_from_any_other_exactly) {
  const auto in = make("-f lavfi -i testsrc2=s=64x48:r=24000/1001:d=2.002 -c:v libx264");
  const auto done = run({.input = in, .output = {}, .interpolate = Interpolation{.rate = TargetRate{{60, 1}}}});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->source_frames, 48);
  EXPECT_EQ(done->frames, 121);  // of 2.002 s: at 0, 1/60 ... 120/60
  std::string expected;
  for (int n = 0; n < 121; ++n) {
    char text[32];
    std::snprintf(text, sizeof text, "%.4f ", n / 60.0);
    expected += text;
  }
  EXPECT_EQ(times(out_), expected);
  EXPECT_EQ(testing::ffprobe(out_, "r_frame_rate"), "60/1");
}

TEST_F(VideoInterpolates, divides_variable_intervals_and_makes_nothing_up_over_long_gaps) {
  // 25 a second with pictures left out; between 0.24 and 0.60 s nothing.
  const auto in =
      make("-f lavfi -i testsrc2=s=96x64:r=25:d=1 -vf \"select='not(eq(n,3))*not(between(n,7,14))'\" -vsync passthrough -c:v libx264");
  const auto done = run({.input = in, .output = {}, .interpolate = Interpolation{.keep_repeats = true}});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->source_frames, 16);
  EXPECT_EQ(done->frames, 32);
  EXPECT_EQ(done->interpolated->cuts, 1);
  EXPECT_EQ(done->interpolated->made, 14);
  EXPECT_THAT(times(out_), HasSubstr("0.0800 0.1200 0.1600 0.1800 0.2000 0.2200 0.2400 0.4200 0.6000 "));
}

TEST_F(VideoInterpolates, holds_over_a_cut_first_what_was_then_what_comes) {
  const auto in = make(
      "-f lavfi -i color=0x202020:s=64x48:r=10:d=0.2 -f lavfi -i color=0xe0e0e0:s=64x48:r=10:d=0.2 "
      "-filter_complex '[0][1]concat' -c:v libx264 -pix_fmt yuv420p");
  const auto done = run({.input = in, .output = {}, .interpolate = Interpolation{.rate = Factor{4}, .keep_repeats = true}});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->interpolated->cuts, 1);
  EXPECT_EQ(done->interpolated->made, 0);
  const auto seen = luma(out_);
  ASSERT_EQ(seen.size(), 16U);
  std::vector<double> expected(16, seen.back());  // 0 .. 0.1 dark, 0.1 + 0 and 1/4 dark, 2/4 and 3/4 light
  std::fill_n(expected.begin(), 6, seen.front());
  EXPECT_GT(seen.back(), seen.front() + 100);
  EXPECT_THAT(seen, near(expected));
}

TEST_F(VideoInterpolates, replaces_a_repeated_frame_by_movement_or_keeps_it) {
  // On twos: 40 40 80 80 120 120.
  const auto in = make(
      "-f lavfi -i 'color=black:s=64x48:r=10,geq=lum=40+40*floor(N/2):cb=128:cr=128' -frames:v 6 -c:v libx264 -crf 1 -pix_fmt yuv420p");
  const auto replaced = run({.input = in, .output = {}, .crf = 1});
  ASSERT_TRUE(replaced) << replaced.error().message;
  EXPECT_EQ(replaced->interpolated->repeats, 2);
  EXPECT_THAT(luma(out_), near({40, 50, 60, 70, 80, 90, 100, 110, 120, 120, 120, 120}));
  ASSERT_TRUE(run({.input = in, .output = {}, .interpolate = Interpolation{.keep_repeats = true}, .crf = 1}));
  EXPECT_THAT(luma(out_), near({40, 40, 40, 60, 80, 80, 80, 100, 120, 120, 120, 120}));
}

TEST_F(VideoInterpolates, keeps_ten_bits_colour_tags_rotation_and_makes_odd_sides_even) {
  const auto in = make(
      "-f lavfi -i testsrc2=s=96x64:r=25:d=0.2 -pix_fmt yuv420p10le -c:v libx265 -x265-params log-level=none -color_primaries bt2020 "
      "-color_trc arib-std-b67 -colorspace bt2020nc -color_range tv -metadata:s:v rotate=90");
  ASSERT_TRUE(run({.input = in, .output = {}}));
  EXPECT_EQ(testing::ffprobe(out_, "codec_name,pix_fmt,color_range,color_space,color_transfer,color_primaries"),
            "hevc,yuv420p10le,tv,bt2020nc,arib-std-b67,bt2020");
  EXPECT_EQ(testing::ffprobe(out_, "side_data=rotation"), testing::ffprobe(in, "side_data=rotation"));
  ASSERT_TRUE(run({.input = make("-f lavfi -i testsrc=s=51x35:r=25:d=0.2 -c:v libvpx-vp9 -pix_fmt yuv420p", "odd.webm"), .output = {}}));
  EXPECT_EQ(testing::ffprobe(out_, "width,height,nb_frames"), "52,36,10");
}

TEST_F(VideoInterpolates, takes_one_picture_and_holds_it) {
  const auto done = run({.input = make("-f lavfi -i testsrc2=s=16x16:r=5:d=0.2 -c:v libx264"),
                         .output = {},
                         .interpolate = Interpolation{.rate = TargetRate{{60, 1}}}});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->source_frames, 1);
  EXPECT_EQ(done->frames, 12);  // 0.2 s at 60
}

// Cut for seven workers and joined again: the whole's pictures at the whole's times.
TEST_F(VideoInterpolates, chunks_with_a_look_ahead_join_to_the_whole) {
  const auto in =
      make("-f lavfi -i testsrc2=s=96x64:r=24000/1001:d=3.5 -f lavfi -i sine=d=3.5 -c:v libx264 -bf 2 -g 12 -sc_threshold 0 -c:a aac");
  for (const NewRate& rate : {NewRate(Factor{2}), NewRate(TargetRate{{60, 1}})}) {
    const VideoEnhance whole{.input = in, .output = out_, .interpolate = Interpolation{.rate = rate}, .crf = 0};
    ASSERT_TRUE(run(whole));
    const auto joined = work_ / "joined.mp4";
    testing::make_in_chunks(whole, 0.45, 7, joined, [&](const VideoEnhance& part) { return run(part); });
    EXPECT_EQ(testing::pictures(joined), testing::pictures(out_));
    EXPECT_EQ(packets_of_sound(joined), packets_of_sound(in));
  }
}

TEST_F(VideoInterpolates, refuses_what_it_cannot_do_before_work_starts) {
  const auto refusal = [&](const VideoEnhance& request) {
    const auto done = run(request);
    EXPECT_FALSE(fs::exists(out_));
    EXPECT_TRUE(blend_.moments.empty());
    return done ? std::string("accepted") : done.error().message;
  };
  const auto in = make(kClip);
  EXPECT_THAT(refusal({.input = in, .output = {}, .interpolate = Interpolation{.ensemble = true}}), HasSubstr("no ensemble"));
  EXPECT_THAT(refusal({.input = in, .output = {}, .interpolate = Interpolation{.memory_bytes = 96 * 64 - 1}}), HasSubstr("96x64"));
  VideoEnhance small{.input = in, .output = out_};
  small.limits.max_pixels = 96 * 64 - 1;
  EXPECT_EQ(run(small).error().code, base::ErrorCode::too_large);
  EXPECT_EQ(testing::shell("printf text > " + (work_ / "text.mp4") + "; : > " + (work_ / "zero.mp4")), "");
  for (const char* name : {"text.mp4", "zero.mp4"})
    EXPECT_EQ(run({.input = work_ / name, .output = out_}).error().code, base::ErrorCode::invalid);
}

TEST_F(VideoInterpolates, reports_every_picture_and_stops_when_asked) {
  const auto in = make(kClip);
  std::stop_source source;
  std::int64_t last = 0;
  const auto done = run({.input = in, .output = {}}, {.stop = source.get_token(), .report = [&](const media::Progress& progress) {
                                                        EXPECT_EQ(progress.frames_done, ++last);
                                                        EXPECT_EQ(progress.frames_total, 50);
                                                        EXPECT_LT(progress.fraction, 1.0);
                                                        if (last == 7) source.request_stop();
                                                      }});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, base::ErrorCode::canceled);
  EXPECT_EQ(last, 7);
  EXPECT_FALSE(fs::exists(out_));
}

// Noise of always the same seed on the left, of another in each picture on the right; the network has random weights.
TEST_F(VideoInterpolates, gives_what_stands_still_back_to_the_bit_whatever_the_network_makes_of_it) {
  const auto file = kRoot / "tests/golden/rife_425/model/flownet.pkl";
  const auto rife = models::load_interpolator(models::describe_loose_model(file, "rife"), "cpu");
  const auto in = make(
      "-f lavfi -i color=gray:s=64x64:r=10:d=0.4 -filter_complex '[0]split[a][b];[a]noise=alls=60[left];[b]noise=alls=60:allf=t[right];"
      "[left][right]hstack' -c:v libx264 -qp 0 -pix_fmt yuv420p");
  ASSERT_TRUE(enhance_video({.input = in, .output = out_, .interpolate = Interpolation{}, .crf = 0}, {.interpolator = rife.get()}, {}));
  const auto pictures = [&](const std::string& file, const std::string& area) {
    return testing::shell("ffmpeg -v error -i '" + file + "' -vf crop=" + area +
                          " -f framemd5 - | grep -v '^#' | awk '{print $NF}' | sort -u | wc -l");
  };
  EXPECT_EQ(pictures(out_, "40:64:0:0"), "1");
  EXPECT_EQ(pictures(out_, "40:64:88:0"), "7");  // four and the three between them, the last one twice
}

TEST_F(VideoInterpolates, runs_published_network_files) {
  for (const char* golden : {"rife_425", "rife_46_ensemble"}) {
    const auto file = kRoot / "tests/golden" / golden / "model/flownet.pkl";
    const auto rife = models::load_interpolator(models::describe_loose_model(file, golden), "cpu");
    const auto done = enhance_video({.input = make("-f lavfi -i testsrc2=s=98x66:r=25:d=0.2 -c:v libx264"),
                                     .output = out_,
                                     .interpolate = Interpolation{.ensemble = rife->ensembles()}},
                                    {.interpolator = rife.get()}, {});
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(testing::ffprobe(out_, "width,height,nb_frames"), "98,66,10");
    EXPECT_EQ(done->interpolated->made, 4);
  }
}

}  // namespace
}  // namespace kinora::runner
