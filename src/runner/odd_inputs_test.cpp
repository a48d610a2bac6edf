// What strangers' videos can be, through every enhancement: it works and is told, or is refused with the reason before a network runs.
// Clips are made by ffmpeg; ffprobe judges what comes out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "runner/test_interpolator.hpp"
#include "runner/test_tools.hpp"
#include "runner/video_enhance.hpp"

namespace kinora::runner {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class OddInputs : public ::testing::Test {
 protected:
  OddInputs() {
    testing::make_model(work_.path() / "model");
    upscaler_ = models::load_upscaler(nn::read_model_folder(work_.path() / "model"), {.precision = models::Precision::fp32});
  }
  std::string make(const std::string& arguments, const std::string& name) {
    EXPECT_EQ(testing::ffmpeg(arguments + " '" + (work_ / name) + "'"), "");
    return work_ / name;
  }
  // Larger, smoother, and both.
  std::array<VideoEnhance, 3> ways(const std::string& in) const {
    return {VideoEnhance{.input = in, .output = out_, .upscale = Upscaling{}},
            VideoEnhance{.input = in, .output = out_, .interpolate = Interpolation{}},
            VideoEnhance{.input = in, .output = out_, .upscale = Upscaling{}, .interpolate = Interpolation{}}};
  }
  base::Result<VideoEnhanced> run(const VideoEnhance& request) {
    blend_.moments.clear();
    return enhance_video(request, {.upscaler = upscaler_.get(), .interpolator = &blend_}, {});
  }
  void expect_refusal(const std::string& in, base::ErrorCode code) {
    for (const auto& way : ways(in)) {
      const auto done = run(way);
      ASSERT_FALSE(done) << in;
      EXPECT_EQ(done.error().code, code) << done.error().message;
      EXPECT_FALSE(fs::exists(out_));
      EXPECT_TRUE(blend_.moments.empty());
    }
  }
  // All three ways; the size and pixel format of the source are told to be doubled and `format`. What the last of them did.
  VideoEnhanced expect_works(const std::string& in, int width, int height, const std::string& format) {
    VideoEnhanced last;
    for (const auto& way : ways(in)) {
      const auto done = run(way);
      EXPECT_TRUE(done) << in << ": " << done.error().message;
      if (!done) return last;
      const int times = way.upscale ? 2 : 1;
      EXPECT_EQ(testing::ffprobe(out_, "width,height,pix_fmt"),
                std::to_string(times * width) + "," + std::to_string(times * height) + "," + format);
      EXPECT_EQ(done->frames, done->source_frames * (way.interpolate ? 2 : 1));
      last = *done;
    }
    return last;
  }

  testing::Scratch work_;
  std::string out_ = work_ / "out.mp4";
  std::unique_ptr<models::Upscaler> upscaler_;
  testing::Blend blend_;
};

const std::string kMedia = std::string(KINORA_SOURCE_DIR) + "/tests/media/";

TEST_F(OddInputs, without_a_single_picture_are_refused) {
  expect_refusal(kMedia + "broken/zero_video_frames.ts", base::ErrorCode::invalid);
  expect_refusal(kMedia + "broken/zero_byte.mp4", base::ErrorCode::invalid);
}

TEST_F(OddInputs, of_one_picture_work) {
  const auto done =
      expect_works(make("-f lavfi -i testsrc2=s=64x48:r=5:d=0.2 -c:v libx264 -pix_fmt yuv420p", "one.mp4"), 64, 48, "yuv420p");
  EXPECT_EQ(done.source_frames, 1);
}

TEST_F(OddInputs, that_change_their_size_keep_the_first_and_tell) {
  const auto a = make("-f lavfi -i testsrc2=s=96x64:r=25:d=0.2 -c:v libx264 -pix_fmt yuv420p", "a.ts");
  const auto b = make("-f lavfi -i testsrc2=s=64x96:r=25:d=0.2 -output_ts_offset 5 -c:v libx264 -pix_fmt yuv420p", "b.ts");
  ASSERT_EQ(testing::shell("cat '" + a + "' '" + b + "' > '" + (work_ / "ab.ts") + "'"), "");
  const auto done = expect_works(work_ / "ab.ts", 96, 64, "yuv420p");
  EXPECT_EQ(done.source_frames, 10);
  EXPECT_EQ(done.resized_frames, 5);
}

TEST_F(OddInputs, with_corrupt_pictures_in_the_middle_are_concealed_and_counted) {
  const auto done = expect_works(kMedia + "broken/lost_packets.ts", 640, 360, "yuv420p");
  EXPECT_GT(done.source_frames, 60);
  EXPECT_GT(done.damaged_frames, 0);
}

TEST_F(OddInputs, with_transparency_lose_it_and_tell) {
  const auto in = make("-f lavfi -i testsrc2=s=64x48:r=25:d=0.12,format=yuva444p10le -c:v prores_ks -pix_fmt yuva444p10le", "alpha.mov");
  EXPECT_TRUE(expect_works(in, 64, 48, "yuv420p10le").alpha_dropped);
  EXPECT_FALSE(expect_works(make("-f lavfi -i testsrc2=s=64x48:r=25:d=0.12 -c:v ffv1 -pix_fmt yuv420p", "plain.mkv"), 64, 48, "yuv420p")
                   .alpha_dropped);
}

TEST_F(OddInputs, of_other_chroma_depth_and_kind_become_what_players_show) {
  for (const auto& [format, shown] : {std::pair("yuv444p", "yuv420p"), {"yuv422p", "yuv420p"}, {"gbrp", "yuv420p"}, {"gray", "yuvj420p"}}) {
    expect_works(make("-f lavfi -i testsrc2=s=64x48:r=25:d=0.12 -c:v ffv1 -pix_fmt " + std::string(format), std::string(format) + ".mkv"),
                 64, 48, shown);
    EXPECT_THAT(testing::ffprobe(out_, "color_space"), ::testing::AnyOf("unknown", "smpte170m")) << format;
  }
  for (const char* format : {"yuv420p10le", "yuv444p12le", "yuv422p10le", "gbrp10le"})
    expect_works(make("-f lavfi -i testsrc2=s=64x48:r=25:d=0.12 -c:v ffv1 -pix_fmt " + std::string(format), std::string(format) + ".mkv"),
                 64, 48, "yuv420p10le");
}

TEST_F(OddInputs, of_the_smallest_and_of_widest_pictures_work) {
  EXPECT_GT(expect_works(kMedia + "odd/tiny_16x16.mp4", 16, 16, "yuv420p").frames, 0);
  const auto wide = make("-f lavfi -i testsrc2=s=8192x32:r=25:d=0.08 -c:v libx264 -pix_fmt yuv420p", "wide.mp4");
  EXPECT_EQ(expect_works(wide, 8192, 32, "yuv420p").source_frames, 2);
  // The widest that can be made is told before a network runs.
  auto larger = ways(wide)[0];
  larger.upscale->scale = 5;
  const auto refused = run(larger);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, base::ErrorCode::too_large);
}

// Two moments in one picture. yadif's own pictures, doubled by repeating pixels, are the reference; rate and duration stay.
TEST_F(OddInputs, that_are_interlaced_are_deinterlaced_first) {
  const auto in = make(
      "-f lavfi -i testsrc2=s=96x64:r=50:d=0.8 -vf tinterlace=interleave_top,setfield=tff -c:v mpeg2video -b:v 4M "
      "-flags +ildct+ilme",
      "interlaced.ts");
  const auto done = expect_works(in, 96, 64, "yuv420p");
  EXPECT_EQ(done.source_frames, 20);
  EXPECT_EQ(done.deinterlaced_frames, 20);
  EXPECT_EQ(testing::ffprobe(out_, "avg_frame_rate,nb_frames"), "50/1,40");  // twice 25

  auto larger = ways(in)[0];
  larger.crf = 1;
  ASSERT_TRUE(run(larger));
  EXPECT_EQ(testing::ffprobe(out_, "field_order,avg_frame_rate,nb_frames"), "progressive,25/1,20");
  const auto likeness = [&](const std::string& filter) {
    return std::stod(
        testing::shell("ffmpeg -v info -i '" + out_ + "' -i '" + in + "' -lavfi '[1:v]" + filter +
                       ",scale=192:128:flags=neighbor,settb=1/25,setpts=N[n];[0:v]settb=1/25,setpts=N[o];[o][n]psnr' -f null - "
                       "2>&1 | grep -o 'PSNR y:[0-9.]*' | cut -c8-"));
  };
  const double as_yadif = likeness("yadif"), as_combed = likeness("null");
  EXPECT_GE(as_yadif, 38);
  EXPECT_GE(as_yadif, as_combed + 10);
}

TEST_F(OddInputs, do_not_touch_the_next_job) {
  const auto in = make("-f lavfi -i testsrc2=s=64x48:r=25:d=0.2 -c:v libx264 -pix_fmt yuv420p", "good.mp4");
  const auto digest = [&](const VideoEnhance& way) {
    EXPECT_TRUE(run(way));
    return testing::shell("ffmpeg -v error -i '" + out_ + "' -f md5 -");
  };
  for (std::size_t i = 0; i < 3; ++i) {
    const auto before = digest(ways(in)[i]);
    (void)run(ways(kMedia + "broken/lost_packets.ts")[i]);
    (void)run(ways(kMedia + "broken/truncated_no_moov.mp4")[i]);
    fs::remove(out_);
    EXPECT_EQ(digest(ways(in)[i]), before);
  }
}

}  // namespace
}  // namespace kinora::runner
