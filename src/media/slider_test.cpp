// Against ffmpeg's crop of the parts.
#include "media/slider.hpp"

#include <gtest/gtest.h>

#include "media/quality.hpp"
#include "media/test_tools.hpp"

namespace kinora::media {
namespace {

using namespace testing;

struct Slider : ::testing::Test {
  ScratchDir dir;
  std::string ffmpeg(const std::string& arguments, const std::string& name) {
    EXPECT_EQ(shell("ffmpeg -v error -y " + arguments + " -crf 1 -pix_fmt yuv420p " + quoted(dir / name)).status, 0) << name;
    return dir / name;
  }
  std::string crop(const std::string& file, const std::string& filter, const std::string& name) {
    return ffmpeg("-i " + quoted(file) + " -vf " + filter, name);
  }
};

TEST_F(Slider, shows_the_one_left_and_the_other_right_of_the_line) {
  const auto one = ffmpeg("-f lavfi -i testsrc2=s=320x180:r=25:d=1", "a.mp4");
  const auto other = ffmpeg("-f lavfi -i testsrc2=s=320x180:r=25:d=0.8,negate", "b.mp4");
  const auto out = dir / "out.mp4";
  ASSERT_TRUE(slider_video(one, other, out, {.position = 0.25, .limits = {}}));
  EXPECT_EQ(ffprobe_line(out, "stream=width,height,nb_frames"), "320,180,20");
  const auto equal = [&](const std::string& file, const std::string& filter) {
    const auto shown = crop(out, filter, "shown.mp4"), wanted = crop(file, filter, "wanted.mp4");
    const auto quality = measure(wanted, shown);
    return quality ? quality->mean.psnr_y : 0;
  };
  EXPECT_GT(equal(one, "crop=72:180:0:0"), 38);
  EXPECT_GT(equal(other, "crop=230:180:88:0"), 38);
}

TEST_F(Slider, brings_the_smaller_to_the_size_of_the_larger) {
  const auto small = ffmpeg("-f lavfi -i testsrc2=s=160x90:r=25:d=0.2", "a.mp4");
  const auto large = ffmpeg("-f lavfi -i testsrc2=s=320x180:r=25:d=0.2", "b.mp4");
  ASSERT_TRUE(slider_video(small, large, dir / "out.mp4"));
  EXPECT_EQ(ffprobe_line(dir / "out.mp4", "stream=width,height,nb_frames"), "320,180,5");
}

TEST_F(Slider, refuses_what_holds_no_picture) {
  const auto clip_file = ffmpeg("-f lavfi -i testsrc2=s=160x90:r=25:d=0.2", "a.mp4");
  EXPECT_FALSE(slider_video(clip_file, clip("broken/text_named.mp4"), dir / "out.mp4"));
}

}  // namespace
}  // namespace kinora::media
