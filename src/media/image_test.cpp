#include "media/image.hpp"

#include <gtest/gtest.h>

#include "media/quality.hpp"
#include "media/test_tools.hpp"
#include "media/thumbnail.hpp"

namespace kinora::media {
namespace {

using namespace testing;
using base::ErrorCode;

TEST(Image, reads_png_and_jpeg_and_writes_them_again) {
  ScratchDir dir;
  for (const char* name : {"cat_chelsea.png", "london_skyline.jpg"}) {
    const auto picture = read_image(clip(name));
    ASSERT_TRUE(picture.has_value()) << picture.error().message;
    for (const char* out : {"a.png", "a.jpg"}) {
      const std::string path = dir / out;
      const auto written = write_image(path, *picture, *image_type_of(path), 95);
      ASSERT_TRUE(written.has_value()) << written.error().message;
      EXPECT_EQ(ffprobe_line(path, "stream=width,height"), ffprobe_line(clip(name), "stream=width,height"));
    }
  }
  // PNG from PNG is lossless: FFmpeg's frame hash of both files is the same.
  const auto cat = read_image(clip("cat_chelsea.png"));
  ASSERT_TRUE(write_image(dir / "cat.png", *cat, ImageType::png));
  const std::string hash = " -pix_fmt rgb24 -f md5 -";
  EXPECT_EQ(shell("ffmpeg -v error -i " + clip("cat_chelsea.png") + hash).output,
            shell("ffmpeg -v error -i " + (dir / "cat.png") + hash).output);
}

TEST(Image, scales_to_a_width_and_squares_pixels) {
  ScratchDir dir;
  const auto picture = read_image(clip("london_skyline.jpg"));
  ASSERT_TRUE(picture && write_image(dir / "s.jpg", *picture, ImageType::jpeg, 80, 510));
  EXPECT_EQ(ffprobe_line(dir / "s.jpg", "stream=width,height"), "510,384");
}

TEST(Image, refuses_bombs_stumps_and_other_files) {
  EXPECT_EQ(read_image(clip("broken/header_claims_60000x60000.png")).error().code, ErrorCode::invalid);
  EXPECT_EQ(read_image(clip("broken/text_named.mp4")).error().code, ErrorCode::invalid);
  EXPECT_EQ(read_image(clip("odd/audioonly_eac3_5p1.mp4")).error().code, ErrorCode::unsupported);
  Limits limits;
  limits.max_pixels = 1000;
  EXPECT_EQ(read_image(clip("cat_chelsea.png"), limits).error().code, ErrorCode::too_large);
  EXPECT_FALSE(image_type_of("x.gif"));
  EXPECT_TRUE(image_type_of("x.JPEG"));
}

TEST(Thumbnail, shows_the_frame_at_a_time) {
  ScratchDir dir;
  ThumbnailOptions options;
  options.type = ImageType::png;
  for (const double at : {0.0, 2.5, 99.0}) {
    options.at_s = at;
    ASSERT_TRUE(thumbnail(clip("london_roofs_360p_5s.mp4"), dir / "t.png", options));
    const std::string pick = at > 5 ? "select=eq(n\\,150)" : "select=gte(t\\," + std::to_string(at) + ")";
    ASSERT_TRUE(ffmpeg(clip("london_roofs_360p_5s.mp4"), "-vf '" + pick + "' -frames:v 1 -vsync passthrough", dir / "peer.png"));
    const auto ours = read_image(dir / "t.png"), theirs = read_image(dir / "peer.png");
    ASSERT_TRUE(ours && theirs);
    EXPECT_GT(measure_frame(*ours, *theirs)->psnr_y, 35) << at;
  }
}

TEST(Thumbnail, shows_the_frame_of_a_number) {
  ScratchDir dir;
  ThumbnailOptions options;
  options.type = ImageType::png;
  const std::string source = clip("london_roofs_360p_5s.mp4");
  for (const int number : {0, 7, -1}) {
    options.frame = number;
    ASSERT_TRUE(thumbnail(source, dir / "t.png", options));
    const std::string pick = "select=eq(n\\," + std::to_string(number < 0 ? 150 : number) + ")";
    ASSERT_TRUE(ffmpeg(source, "-vf '" + pick + "' -frames:v 1 -vsync passthrough", dir / "peer.png"));
    const auto ours = read_image(dir / "t.png"), theirs = read_image(dir / "peer.png");
    ASSERT_TRUE(ours && theirs);
    EXPECT_GT(measure_frame(*ours, *theirs)->psnr_y, 35) << number;
  }
  options.frame = 151;
  const auto past = thumbnail(source, dir / "t.png", options);
  ASSERT_FALSE(past);
  EXPECT_EQ(past.error().message, "the video has 151 pictures only");
}

TEST(Thumbnail, is_upright_square_and_never_larger_than_the_source) {
  ScratchDir dir;
  ASSERT_TRUE(ffmpeg(clip("london_roofs_360p_5s.mp4"), "-t 1 -c copy -metadata:s:v rotate=90", dir / "turned.mp4"));
  ThumbnailOptions options;
  options.width = 4000;
  ASSERT_TRUE(thumbnail(dir / "turned.mp4", dir / "t.jpg", options));
  EXPECT_EQ(ffprobe_line(dir / "t.jpg", "stream=width,height"), "360,640");
  options.width = 0;
  ASSERT_TRUE(thumbnail(clip("odd/anamorphic_sar_480x576.mp4"), dir / "a.jpg", options));
  EXPECT_EQ(ffprobe_line(dir / "a.jpg", "stream=width,height"), "1024,576");
}

TEST(Thumbnail, takes_covers_and_stills_and_refuses_plain_sound) {
  ScratchDir dir;
  EXPECT_TRUE(thumbnail(clip("odd/audioonly_flac_cover_picture.flac"), dir / "c.jpg"));
  EXPECT_EQ(ffprobe_line(dir / "c.jpg", "stream=width,height"), "371,320");
  EXPECT_TRUE(thumbnail(clip("london_skyline.jpg"), dir / "s.jpg"));
  EXPECT_EQ(thumbnail(clip("odd/audioonly_eac3_5p1.mp4"), dir / "x.jpg").error().code, ErrorCode::unsupported);
}

TEST(Quality, agrees_with_ffmpegs_filters) {
  ScratchDir dir;
  struct Case {
    const char* clip;
    const char* arguments;
  };
  for (const Case c :
       {Case{"odd/vfr_640x360.mp4", "-vsync passthrough -c:v libx264 -crf 35"},
        Case{"odd/anamorphic_sar_480x576.mp4", "-c:v libx264 -crf 28"},
        Case{"odd/hdr10_av1_portrait_720x1280.mp4", "-t 0.4 -c:v libx265 -preset ultrafast -x265-params log-level=none -crf 30"}}) {
    SCOPED_TRACE(c.clip);
    ASSERT_TRUE(ffmpeg(clip(c.clip), std::string("-an ") + c.arguments, dir / "b.mkv"));
    const auto ours = measure(clip(c.clip), dir / "b.mkv");
    ASSERT_TRUE(ours.has_value()) << ours.error().message;
    const std::string stats = dir / "psnr.log", ssim_stats = dir / "ssim.log";
    shell("ffmpeg -v error -y -i " + clip(c.clip) + " -i " + (dir / "b.mkv") +
          " -lavfi '[0:v]settb=1/1000,setpts=N,split[a][c];[1:v]settb=1/1000,setpts=N,split[b][d];[a][b]psnr=stats_file=" + stats +
          ":shortest=1[x];[c][d]ssim=stats_file=" + ssim_stats + ":shortest=1[y]' -map '[x]' -map '[y]' -an -f null -");
    const auto value = [](const std::string& file, const std::string& key) {
      std::vector<double> out;
      std::ifstream in(file);
      for (std::string line; std::getline(in, line);) out.push_back(std::atof(line.c_str() + line.find(key) + key.size()));
      return out;
    };
    const auto psnr = value(stats, "psnr_y:"), ssim = value(ssim_stats, " Y:");
    ASSERT_GE(psnr.size(), ours->frames.size());
    for (std::size_t i = 0; i < ours->frames.size(); ++i) {
      EXPECT_NEAR(ours->frames[i].psnr_y, psnr[i], 0.011) << i;
      EXPECT_NEAR(ours->frames[i].ssim_y, ssim[i], 1e-3) << i;
    }
  }
}

// A source that stands still, and one whose brightness is 4 levels up in every second frame: PSNR and SSIM hardly tell, flicker does.
TEST(Quality, tells_flicker_that_the_reference_has_not) {
  testing::ScratchDir dir;
  const auto make = [&](const std::string& filter, const std::string& name) {
    EXPECT_EQ(
        testing::shell("ffmpeg -v error -f lavfi -i \"testsrc2=s=160x90:r=25:d=0.04,loop=9:1,format=yuv420p,lutyuv=y=clip(val\\,20\\,220)" +
                       filter + "\" -c:v ffv1 " + testing::quoted(dir / name))
            .status,
        0);
    return dir / name;
  };
  const auto still = make("", "a.mkv"), pulsing = make(",geq=lum='lum(X,Y)+4*mod(N,2)':cb='cb(X,Y)':cr='cr(X,Y)'", "b.mkv");
  EXPECT_EQ(measure(still, still)->mean.flicker, 0);
  const auto found = measure(still, pulsing);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->frames[0].flicker, 0);
  EXPECT_NEAR(found->frames[1].flicker, 4, 1e-9);
  EXPECT_NEAR(found->mean.flicker, 4, 1e-9);
  EXPECT_NEAR(measure(pulsing, pulsing)->mean.flicker, 0, 1e-9);
}

TEST(Quality, calls_equal_files_equal_and_refuses_other_sizes) {
  const auto same = measure(clip("odd/tiny_16x16.mp4"), clip("odd/tiny_16x16.mp4"));
  ASSERT_TRUE(same.has_value());
  EXPECT_EQ(same->mean.psnr_y, kMaxPsnr);
  EXPECT_NEAR(same->mean.ssim_y, 1.0, 1e-12);
  EXPECT_EQ(same->frames_a, 50);
  EXPECT_EQ(measure(clip("odd/tiny_16x16.mp4"), clip("odd/vfr_640x360.mp4")).error().code, ErrorCode::invalid);
}

}  // namespace
}  // namespace kinora::media
