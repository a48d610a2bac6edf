#include "runner/image_upscale.hpp"

#include <gtest/gtest.h>

#include "runner/test_tools.hpp"

namespace kinora::runner {
namespace {

class ImageUpscales : public ::testing::Test {
 protected:
  ImageUpscales() {
    testing::make_model(work_.path() / "model");
    upscaler_ = models::load_upscaler(nn::read_model_folder(work_.path() / "model"), {.precision = models::Precision::fp32});
  }
  std::string make(const std::string& filter, const std::string& name) {
    EXPECT_EQ(testing::ffmpeg("-f lavfi -i " + filter + " -frames:v 1 '" + (work_ / name) + "'"), "");
    return work_ / name;
  }
  base::Result<ImageUpscaled> run(const std::string& in, double scale = 2, media::ImageType type = media::ImageType::png) {
    return upscale_image({.input = in, .output = out_, .type = type, .scale = scale, .limits = {}}, *upscaler_, {});
  }
  // Both as raw pixels of one format; the zero network repeats pixels as FFmpeg's neighbour scaling does.
  void expect_repeated(const std::string& in, const std::string& format, int width, int height, const std::string& first = "") {
    const auto size = std::to_string(2 * width) + ":" + std::to_string(2 * height);
    const auto raw = [&](const std::string& file, const std::string& filter) {
      return testing::shell("ffmpeg -v error -i '" + file + "' -vf " + first + filter + "format=" + format + " -f md5 -");
    };
    EXPECT_EQ(raw(out_, ""), raw(in, "format=" + format + ",scale=" + size + ":flags=neighbor,"));
  }

  testing::Scratch work_;
  std::string out_ = work_ / "out.png";
  std::unique_ptr<models::Upscaler> upscaler_;
};

TEST_F(ImageUpscales, doubles_a_picture_exactly) {
  const auto in = make("testsrc2=s=37x23,format=rgb24", "in.png");
  const auto done = run(in);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->width, 74);
  expect_repeated(in, "rgb24", 37, 23);
}

TEST_F(ImageUpscales, keeps_transparency) {
  const auto in = make("\"testsrc2=s=32x16,format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='X*8'\"", "in.png");
  ASSERT_TRUE(run(in));
  EXPECT_EQ(testing::ffprobe(out_, "pix_fmt"), "rgba");
  expect_repeated(in, "rgb24", 32, 16);
  expect_repeated(in, "gray", 32, 16, "alphaextract,");
}

TEST_F(ImageUpscales, keeps_sixteen_bits) {
  const auto in = make("testsrc2=s=32x16,format=rgb48be", "in.png");
  ASSERT_TRUE(run(in));
  EXPECT_EQ(testing::ffprobe(out_, "pix_fmt"), "rgb48be");
  // FFmpeg's own conversions lose the last bits, so nearness is asked for, far beyond what 8 bits can give.
  const auto psnr =
      testing::shell("(ffmpeg -v info -i '" + out_ + "' -i '" + in +
                     "' -lavfi '[1:v]scale=64:32:flags=neighbor,format=gbrp16le[n];[0:v]format=gbrp16le[m];[m][n]psnr' -f null - 2>&1) | "
                     "grep -o 'average:[0-9a-z]*'");
  EXPECT_TRUE(psnr == "average:inf" || std::stoi(psnr.substr(8)) >= 75) << psnr;
}

TEST_F(ImageUpscales, writes_jpeg_without_transparency) {
  const auto in = make("testsrc2=s=32x16,format=rgba,colorchannelmixer=aa=0.5", "in.png");
  out_ = work_ / "out.jpg";
  ASSERT_TRUE(run(in, 3, media::ImageType::jpeg));
  EXPECT_EQ(testing::ffprobe(out_, "codec_name,width,height"), "mjpeg,96,48");
}

TEST_F(ImageUpscales, refuses_results_past_the_limit_and_broken_files) {
  const auto in = make("color=s=16384x2100", "wide.png");  // 4x: 65536 wide
  EXPECT_EQ(run(in, 4).error().code, base::ErrorCode::too_large);
  EXPECT_EQ(testing::shell("printf nothing > " + (work_ / "x.png")), "");
  EXPECT_EQ(run(work_ / "x.png").error().code, base::ErrorCode::invalid);
  EXPECT_FALSE(std::filesystem::exists(out_));
}

TEST_F(ImageUpscales, stops_when_asked) {
  const auto in = make("testsrc2=s=64x64", "in.png");
  std::stop_source source;
  source.request_stop();
  const auto done = upscale_image({.input = in, .output = out_, .type = media::ImageType::png, .scale = 2, .limits = {}}, *upscaler_,
                                  {.stop = source.get_token(), .report = {}});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, base::ErrorCode::canceled);
}

}  // namespace
}  // namespace kinora::runner
