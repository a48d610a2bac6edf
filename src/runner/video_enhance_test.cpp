// Both networks in one pass against one after the other, with the tiny RIFE of the golden cases and the starter upscaler. Clips are made by
// ffmpeg, which also judges what comes out.
#include "runner/video_enhance.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/loose_model.hpp"
#include "runner/test_chunks.hpp"

namespace kinora::runner {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = KINORA_SOURCE_DIR;

class VideoEnhances : public ::testing::Test {
 protected:
  std::string make(const std::string& arguments, const std::string& name = "in.mp4") {
    EXPECT_EQ(testing::ffmpeg(arguments + " '" + (work_ / name) + "'"), "");
    return work_ / name;
  }
  base::Result<VideoEnhanced> run(VideoEnhance request, const media::Control& control = {}) {
    if (request.output.empty()) request.output = out_;
    request.crf = 0;  // 8 bits: lossless
    return enhance_video(request, {.upscaler = upscaler_.get(), .interpolator = interpolator_.get()}, control);
  }

  testing::Scratch work_;
  std::string out_ = work_ / "out.mp4";
  std::unique_ptr<models::Upscaler> upscaler_ =
      models::load_upscaler(nn::read_model_folder(kRoot / "weights/kinora-sr2x"), {.precision = models::Precision::fp32});
  std::unique_ptr<models::Interpolator> interpolator_ =
      models::load_interpolator(models::describe_loose_model(kRoot / "tests/golden/rife_425/model/flownet.pkl", "rife"), "cpu");
};

const std::string kClip = "-f lavfi -i testsrc2=s=96x64:r=25:d=0.4 -f lavfi -i sine=d=0.4 -c:v libx264 -bf 2 -c:a aac -shortest";

TEST_F(VideoEnhances, in_one_pass_as_one_after_the_other_in_either_order) {
  const std::string sources[] = {
      make(kClip),
      make("-f lavfi -i testsrc2=s=64x48:r=30:d=0.4 -vf \"select='not(mod(n,2))+eq(n,5)'\" -vsync passthrough -c:v libx264",
           "variable.mp4"),
      make("-f lavfi -i testsrc=s=71x53:r=30:d=0.1 -c:v ffv1 -pix_fmt yuv420p", "odd.mkv")};
  for (const auto& in : sources)
    for (const NewRate& rate : {NewRate(Factor{3}), NewRate(TargetRate{{60, 1}})})
      for (const Op first : {Op::upscale, Op::interpolate}) {
        const auto middle = work_ / "middle.mp4", last = work_ / "last.mp4";
        const Upscaling upscale{.scale = 2};
        const Interpolation interpolate{.rate = rate};
        VideoEnhance one{.input = in, .output = middle}, two{.input = middle, .output = last};
        (first == Op::upscale ? one : two).upscale = upscale;
        (first == Op::upscale ? two : one).interpolate = interpolate;
        ASSERT_TRUE(run(one));
        ASSERT_TRUE(run(two));
        const auto done = run({.input = in, .output = {}, .upscale = upscale, .interpolate = interpolate, .first = first});
        ASSERT_TRUE(done) << done.error().message;
        EXPECT_EQ(done->ops.front(), first);
        EXPECT_EQ(testing::pictures(out_), testing::pictures(last)) << in << " " << name(first);
        EXPECT_EQ(testing::ffprobe(out_, "width,height,duration,avg_frame_rate"),
                  testing::ffprobe(last, "width,height,duration,avg_frame_rate"));
      }
}

TEST_F(VideoEnhances, keeps_sound_and_duration_and_tells_what_it_did) {
  const auto in = make(kClip);
  const auto done = run({.input = in, .output = {}, .upscale = Upscaling{}, .interpolate = Interpolation{}});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->frames, 20);
  EXPECT_EQ(done->source_frames, 10);
  EXPECT_EQ(done->interpolated->made, 9);
  EXPECT_EQ(testing::ffprobe(out_, "width,height,nb_frames"), "192,128,20");
  EXPECT_EQ(testing::ffprobe(out_, "duration"), testing::ffprobe(in, "duration"));
  const auto sound = [](const std::string& file) { return testing::shell("ffmpeg -v error -i '" + file + "' -map 0:a -c copy -f hash -"); };
  EXPECT_EQ(sound(out_), sound(in));
}

TEST_F(VideoEnhances, ten_bit_pictures_in_one_pass) {
  const auto in = make("-f lavfi -i testsrc2=s=96x64:r=25:d=0.2 -pix_fmt yuv420p10le -c:v libx265 -x265-params log-level=none");
  for (const Op first : {Op::upscale, Op::interpolate}) {
    ASSERT_TRUE(run({.input = in, .output = {}, .upscale = Upscaling{}, .interpolate = Interpolation{}, .first = first}));
    EXPECT_EQ(testing::ffprobe(out_, "codec_name,width,height,pix_fmt,nb_frames"), "hevc,192,128,yuv420p10le,10");
  }
}

// Cut for several workers and joined again: the whole's pictures at the whole's times, whichever network goes first.
TEST_F(VideoEnhances, chunks_with_a_look_ahead_join_to_the_whole) {
  const auto in = make("-f lavfi -i testsrc2=s=64x48:r=24000/1001:d=1.5 -c:v libx264 -bf 2 -g 6 -sc_threshold 0");
  for (const Op first : {Op::upscale, Op::interpolate}) {
    const VideoEnhance whole{.input = in, .output = out_, .upscale = Upscaling{}, .interpolate = Interpolation{}, .first = first};
    ASSERT_TRUE(run(whole));
    const auto joined = work_ / "joined.mp4";
    testing::make_in_chunks(whole, 0.2, 6, joined, [&](const VideoEnhance& part) { return run(part); });
    EXPECT_EQ(testing::pictures(joined), testing::pictures(out_)) << name(first);
  }
}

TEST_F(VideoEnhances, reports_every_picture_and_stops_between_the_networks) {
  const auto in = make(kClip);
  std::stop_source source;
  std::int64_t last = 0;
  const auto done = run({.input = in, .output = {}, .upscale = Upscaling{}, .interpolate = Interpolation{}, .first = Op::interpolate},
                        {.stop = source.get_token(), .report = [&](const media::Progress& progress) {
                           EXPECT_THAT(progress.frames_done - last, ::testing::AnyOf(0, 1));
                           last = progress.frames_done;
                           EXPECT_EQ(progress.frames_total, 20);
                           if (last == 4) source.request_stop();
                         }});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, base::ErrorCode::canceled);
  EXPECT_EQ(last, 4);
  EXPECT_FALSE(fs::exists(out_));
}

}  // namespace
}  // namespace kinora::runner
