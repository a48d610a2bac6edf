// The pipeline against FFmpeg's own tools: what goes in is made by ffmpeg, what comes out is judged by ffprobe.
#include "runner/upscale_step.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "runner/test_chunks.hpp"
#include "runner/test_interpolator.hpp"

namespace kinora::runner {
namespace {

using ::testing::HasSubstr;

class VideoUpscales : public ::testing::Test {
 protected:
  VideoUpscales() {
    testing::make_model(work_.path() / "model");
    upscaler_ = models::load_upscaler(nn::read_model_folder(work_.path() / "model"), {.precision = models::Precision::fp32});
  }
  std::string make(const std::string& arguments, const std::string& name = "in.mp4") {
    EXPECT_EQ(testing::ffmpeg(arguments + " '" + (work_ / name) + "'"), "");
    return work_ / name;
  }
  base::Result<VideoEnhanced> run(VideoEnhance request, const media::Control& control = {}) {
    if (request.output.empty()) request.output = out_;
    if (!request.upscale) request.upscale.emplace();
    return enhance_video(request, {.upscaler = upscaler_.get(), .interpolator = &blend_}, control);
  }

  // Cut into so many chunks and joined again, it has the pictures of the whole at their times.
  void expect_seamless(const VideoEnhance& whole, double target_s, std::size_t chunks) {
    SCOPED_TRACE(whole.input);
    const auto done = run(whole);
    ASSERT_TRUE(done) << done.error().message;
    if (done->accelerated) {
      EXPECT_GE(done->accelerated->whole, static_cast<std::int64_t>(chunks));
      EXPECT_GT(done->accelerated->carried_share(), 0.5);
    }
    std::int64_t deinterlaced = 0;
    const auto joined = work_ / "joined.mp4";
    testing::make_in_chunks(whole, target_s, chunks, joined, [&](const VideoEnhance& part) {
      auto made = run(part);
      if (made) deinterlaced += made->deinterlaced_frames;
      return made;
    });
    EXPECT_EQ(testing::pictures(joined), testing::pictures(out_)) << done->frames << " pictures";
    EXPECT_EQ(deinterlaced, done->deinterlaced_frames);
  }

  testing::Scratch work_;
  std::string out_ = work_ / "out.mp4";
  std::unique_ptr<models::Upscaler> upscaler_;
  testing::Blend blend_;
};

const std::string kClip = "-f lavfi -i testsrc2=s=96x64:r=25:d=1 -f lavfi -i sine=d=1 -c:v libx264 -c:a aac -shortest";

TEST_F(VideoUpscales, doubles_the_sides_and_keeps_frames_duration_and_sound) {
  const auto in = make(kClip);
  const auto done = run({.input = in, .output = {}});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->frames, 25);
  EXPECT_EQ(done->width, 192);
  EXPECT_EQ(testing::ffprobe(out_, "codec_name,width,height,pix_fmt,nb_frames"), "h264,192,128,yuv420p,25");
  EXPECT_EQ(testing::ffprobe(out_, "duration"), testing::ffprobe(in, "duration"));
  // Sound is copied packet by packet.
  const auto packets = [](const std::string& file) {
    return testing::shell("ffmpeg -v error -i '" + file + "' -map 0:a -c copy -f hash -");
  };
  EXPECT_EQ(packets(out_), packets(in));
}

TEST_F(VideoUpscales, carries_what_stands_still) {
  const auto in = make("-f lavfi -i testsrc2=s=96x64:r=25:d=0.04,loop=24:1 -c:v libx264 -crf 10 -pix_fmt yuv420p");
  const auto done = run({.input = in, .output = {}, .upscale = Upscaling{.accelerate = Upscaling::Accelerate::fast}});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->frames, 25);
  ASSERT_TRUE(done->accelerated);
  EXPECT_EQ(done->accelerated->whole, 1);
  EXPECT_GT(done->accelerated->carried_share(), 0.9);
  EXPECT_FALSE(run({.input = in, .output = {}})->accelerated);
}

// So that a worker can tell a picture that takes minutes from a hang.
TEST_F(VideoUpscales, progress_goes_on_within_a_picture_and_never_back) {
  upscaler_ = models::load_upscaler(nn::read_model_folder(work_.path() / "model"),
                                    {.precision = models::Precision::fp32, .memory_bytes = 1 << 16});  // many tiles
  const auto in = make("-f lavfi -i testsrc2=s=96x64:r=25:d=0.16 -c:v libx264");
  std::vector<media::Progress> seen;
  ASSERT_TRUE(run({.input = in, .output = {}}, {.stop = {}, .report = [&](const media::Progress& progress) { seen.push_back(progress); }}));
  int within = 0;  // reports between two pictures
  for (std::size_t i = 1; i < seen.size(); ++i) {
    EXPECT_GE(seen[i].fraction, seen[i - 1].fraction);
    within += seen[i].frames_done == seen[i - 1].frames_done && seen[i].fraction > seen[i - 1].fraction ? 1 : 0;
  }
  EXPECT_GE(within, 8);  // at least three tiles for each of four pictures
  EXPECT_EQ(seen.back().frames_done, 4);
  EXPECT_DOUBLE_EQ(seen.back().fraction, 0.999);
}

// The zero network repeats pixels: FFmpeg's neighbour scaling is the reference.
TEST_F(VideoUpscales, gives_the_networks_picture_and_not_another) {
  const auto in = make("-f lavfi -i testsrc2=s=96x64:r=25:d=0.4 -c:v libx264 -crf 1 -pix_fmt yuv420p");
  ASSERT_TRUE(run({.input = in, .output = {}, .crf = 1}));
  const auto psnr =
      testing::shell("(ffmpeg -v info -i '" + out_ + "' -i '" + in +
                     "' -lavfi '[1:v]scale=192:128:flags=neighbor[n];[0:v][n]psnr' -f null - 2>&1) | grep -o 'PSNR y:[0-9]*'");
  ASSERT_THAT(psnr, HasSubstr("PSNR y:"));
  EXPECT_GE(std::stoi(psnr.substr(7)), 38) << psnr;
}

TEST_F(VideoUpscales, keeps_variable_timestamps_exactly) {
  const auto in =
      make("-f lavfi -i testsrc2=s=64x48:r=50:d=1 -vf \"select='not(mod(n,3))+eq(n,7)'\" -vsync passthrough -c:v libx264 -bf 2");
  ASSERT_TRUE(run({.input = in, .output = {}}));
  const auto times = [](const std::string& file) {
    return testing::shell("ffprobe -v error -select_streams v -show_entries frame=pts_time -of csv=p=0 '" + file + "'");
  };
  EXPECT_EQ(times(out_), times(in));
}

TEST_F(VideoUpscales, keeps_ten_bits_colour_tags_and_rotation) {
  const auto in = make(
      "-f lavfi -i testsrc2=s=96x64:r=25:d=0.2 -pix_fmt yuv420p10le -c:v libx265 -x265-params log-level=none -color_primaries bt2020 "
      "-color_trc arib-std-b67 -colorspace bt2020nc -color_range tv -metadata:s:v rotate=90");
  ASSERT_TRUE(run({.input = in, .output = {}}));
  EXPECT_EQ(testing::ffprobe(out_, "codec_name,pix_fmt,color_range,color_space,color_transfer,color_primaries"),
            "hevc,yuv420p10le,tv,bt2020nc,arib-std-b67,bt2020");
  EXPECT_EQ(testing::ffprobe(out_, "side_data=rotation"), testing::ffprobe(in, "side_data=rotation"));
}

TEST_F(VideoUpscales, tags_the_matrix_when_the_larger_size_would_be_judged_otherwise) {
  const auto in = make("-f lavfi -i testsrc2=s=720x480:r=25:d=0.08 -c:v libx264 -pix_fmt yuv420p");
  ASSERT_EQ(testing::ffprobe(in, "color_space"), "unknown");
  ASSERT_TRUE(run({.input = in, .output = {}}));
  EXPECT_EQ(testing::ffprobe(out_, "color_space"), "smpte170m");  // what players take for 720x480; for 1440x960 they take bt709
}

TEST_F(VideoUpscales, resamples_to_other_scales_with_even_sides) {
  const auto in = make("-f lavfi -i testsrc=s=51x35:r=25:d=0.2 -c:v libvpx-vp9 -pix_fmt yuv420p", "odd.webm");
  ASSERT_TRUE(run({.input = in, .output = {}, .upscale = Upscaling{.scale = 3}}));
  EXPECT_EQ(testing::ffprobe(out_, "width,height,nb_frames"), "154,106,5");  // 153 x 105, up to even
  ASSERT_TRUE(run({.input = in, .output = {}, .upscale = Upscaling{.scale = 1.5}}));
  EXPECT_EQ(testing::ffprobe(out_, "width,height,nb_frames"), "76,52,5");  // 76.5 x 52.5
}

TEST_F(VideoUpscales, ranges_of_one_clip_add_up_to_the_whole) {
  const auto in = make(kClip);
  const auto base = testing::ffprobe(in, "time_base");
  const std::int64_t ticks = std::stoll(base.substr(2)) / 25;
  std::string times;
  for (const auto& [from, to] : {std::pair<std::int64_t, std::int64_t>{0, 10}, {10, std::int64_t{1} << 50}}) {
    const auto part = work_ / ("part" + std::to_string(from) + ".nut");
    const auto done =
        run({.input = in, .output = part, .range = VideoEnhance::Range{from * ticks, to > 1000 ? to : to * ticks}, .video_only = true});
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(done->frames, from == 0 ? 10 : 15);
    EXPECT_EQ(testing::ffprobe(part, "codec_type", "a"), "");
    times += testing::shell("ffprobe -v error -show_entries frame=pts_time -of csv=p=0 '" + part + "' | awk 'NF {printf \"%.2f \", $1}'");
  }
  EXPECT_EQ(times, testing::shell("ffprobe -v error -select_streams v -show_entries frame=pts_time -of csv=p=0 '" + in +
                                  "' | awk 'NF {printf \"%.2f \", $1}'"));
}

// A camera that moves over a photo by jerks: FAST carries most of it from picture to picture, and begins anew where a chunk may.
std::string jerks(int pictures_apart) {
  const std::string moves = "floor(n/" + std::to_string(pictures_apart) + ")";
  return "-loop 1 -r 24000/1001 -i '" KINORA_SOURCE_DIR "/tests/media/london_skyline.jpg' -vf \"crop=192:128:x=200+3*" + moves + ":y=300+" +
         moves + ",setsar=1";
}
const Upscaling kPlain, kFast{.accelerate = Upscaling::Accelerate::fast};
const Interpolation kSmoother{.rate = TargetRate{{30, 1}}, .keep_repeats = true}, kTo60{.rate = TargetRate{{60, 1}}, .keep_repeats = true};

TEST_F(VideoUpscales, seven_chunks_join_to_the_pictures_of_the_whole_with_and_without_fast) {
  const auto in = make(jerks(5) + "\" -frames:v 42 -c:v libx264 -bf 2 -g 6 -sc_threshold 0 -pix_fmt yuv420p -x264-params open-gop=1");
  for (const VideoEnhance& whole : {VideoEnhance{.input = in, .output = out_, .upscale = kPlain, .crf = 0},
                                    VideoEnhance{.input = in, .output = out_, .upscale = kFast, .crf = 0},
                                    VideoEnhance{.input = in, .output = out_, .upscale = kFast, .interpolate = kTo60, .crf = 0}})
    expect_seamless(whole, 0.23, 7);
}

// There is no other picture that they could begin anew behind.
TEST_F(VideoUpscales, fast_chunks_of_key_frames_only_join_to_the_pictures_of_the_whole) {
  const std::string variable = jerks(5) + ",select='not(eq(mod(n,7),3))'\" -vsync passthrough -frames:v 110 -pix_fmt yuv420p ";
  const auto late = make(variable + "-c:v libx264 -g 1 -qp 10", "late.ts");  // from 1.4 to 6.7 s
  expect_seamless({.input = late, .output = out_, .upscale = kFast, .crf = 0}, 0.2, 4);
  const auto early = make(variable + "-c:v mjpeg -q:v 2 -output_ts_offset -1.5 -avoid_negative_ts disabled", "early.mkv");  // to 3.8 s
  expect_seamless({.input = early, .output = out_, .upscale = kFast, .crf = 0}, 0.2, 3);
  for (const Op first : {Op::upscale, Op::interpolate})
    expect_seamless({.input = early, .output = out_, .upscale = kFast, .interpolate = kSmoother, .first = first, .crf = 0}, 0.2, 3);
}

// The deinterlacer looks at the pictures of the chunks beside.
TEST_F(VideoUpscales, chunks_of_interlaced_videos_join_to_the_pictures_of_the_whole) {
  const std::string woven =
      jerks(12) + ",tinterlace=interleave_top,setfield=tff\" -frames:v 48 -flags +ildct+ilme -pix_fmt yuv420p ";  // 12 a second
  for (const auto& in : {make(woven + "-c:v libx264 -bf 2 -x264-params open-gop=1:scenecut=0:keyint=12:min-keyint=12"),
                         make(woven + "-c:v mpeg2video -b:v 4M -g 12 -bf 2", "in.ts")}) {
    expect_seamless({.input = in, .output = out_, .upscale = kPlain, .crf = 0}, 1, 4);
    expect_seamless({.input = in, .output = out_, .upscale = kFast, .interpolate = kSmoother, .crf = 0}, 1, 4);
  }
  const auto key_frames = make(woven + "-c:v libx264 -g 1 -qp 10", "key_frames.mp4");
  expect_seamless({.input = key_frames, .output = out_, .upscale = kFast, .crf = 0}, 0.2, 2);
}

TEST_F(VideoUpscales, reports_every_frame_and_stops_when_asked) {
  const auto in = make(kClip);
  std::stop_source source;
  std::int64_t last = 0;
  const auto done = run({.input = in, .output = {}}, {.stop = source.get_token(), .report = [&](const media::Progress& progress) {
                                                        EXPECT_THAT(progress.frames_done - last, ::testing::AnyOf(0, 1));
                                                        last = progress.frames_done;
                                                        EXPECT_EQ(progress.frames_total, 25);
                                                        EXPECT_LT(progress.fraction, 1.0);
                                                        if (last == 5) source.request_stop();
                                                      }});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, base::ErrorCode::canceled);
  EXPECT_EQ(last, 5);
  EXPECT_FALSE(std::filesystem::exists(out_));
}

TEST_F(VideoUpscales, refuses_broken_media_with_its_code_and_leaves_nothing) {
  const auto refusal = [&](const std::string& in) {
    const auto done = run({.input = in, .output = {}});
    EXPECT_FALSE(std::filesystem::exists(out_));
    return done ? std::string("accepted") : std::string(base::name(done.error().code));
  };
  EXPECT_EQ(testing::shell("printf text > " + (work_ / "text.mp4") + "; : > " + (work_ / "zero.mp4")), "");
  EXPECT_EQ(refusal(work_ / "text.mp4"), "invalid");
  EXPECT_EQ(refusal(work_ / "zero.mp4"), "invalid");
  EXPECT_EQ(refusal(make("-f lavfi -i sine=d=0.1", "sound.m4a")), "unsupported");
  VideoEnhance small{.input = make(kClip), .output = {}};
  small.limits.max_pixels = 96 * 64 - 1;
  EXPECT_EQ(run(small).error().code, base::ErrorCode::too_large);
}

TEST_F(VideoUpscales, passes_on_that_the_network_fails) {
  struct Failing final : models::Upscaler {
    using Upscaler::upscale;
    std::int64_t scale() const override { return 2; }
    std::string description() const override { return "fails"; }
    void upscale(const models::Picture&, void*, const models::Watch&) override {
      if (++pictures == 3) throw models::NotFinite();
    }
    int pictures = 0;
  } failing;
  EXPECT_THROW((void)enhance_video({.input = make(kClip), .output = out_, .upscale = Upscaling{}}, {.upscaler = &failing}, {}),
               models::NotFinite);
  EXPECT_FALSE(std::filesystem::exists(out_));
}

}  // namespace
}  // namespace kinora::runner
