#include "kinora/quality_plot.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kinora::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
namespace json = base::json;

TEST(QualityPlot, draws_each_value_at_its_place) {
  const auto result = json::parse(R"({"psnr_y": 35, "ssim": 0.9, "flicker": 1, "frames": [
      {"psnr_y": 30, "ssim": 0.8, "flicker": 0}, {"psnr_y": 40, "ssim": 1, "flicker": 1}, {"psnr_y": 35, "ssim": 0.9, "flicker": 2}]})");
  const std::string svg = quality_plot(result.as_object(), "a & <b>");
  EXPECT_THAT(svg, HasSubstr("a &amp; &lt;b>"));
  EXPECT_THAT(svg, HasSubstr("PSNR-Y, dB, mean 35"));
  // The plot is 810 wide from 70 on and 150 high: 30 dB lies at its bottom, 40 at its top (50), 35 half-way.
  EXPECT_THAT(svg, HasSubstr("points='70.0,200.0 475.0,50.0 880.0,125.0 '"));
  EXPECT_THAT(svg, HasSubstr("points='70.0,590.0 475.0,515.0 880.0,440.0 '"));
  EXPECT_THAT(svg, HasSubstr("text-anchor='end'>2</text>"));  // the last frame
}

TEST(QualityPlot, draws_vmaf_where_it_was_measured) {
  json::object result{
      {"psnr_y", 35}, {"ssim", 1}, {"flicker", 0}, {"frames", {{{"psnr_y", 30}, {"ssim", 1}, {"flicker", 0}, {"vmaf", 81}}}}};
  EXPECT_THAT(quality_plot(result, "without"), Not(HasSubstr("VMAF")));
  EXPECT_THAT(quality_plot(result, "without"), HasSubstr("height='635'"));
  result["vmaf"] = 81;
  EXPECT_THAT(quality_plot(result, "with"), testing::AllOf(HasSubstr("VMAF, mean 81"), HasSubstr("height='830'")));
}

TEST(QualityPlot, keeps_the_extremes_of_a_long_clip_and_stays_small) {
  json::array frames;
  for (int i = 0; i < 10'000; ++i) frames.push_back({{"psnr_y", i == 5001 ? 10.0 : 40.0}, {"ssim", 1}, {"flicker", 0}});
  const std::string svg = quality_plot({{"psnr_y", 40}, {"ssim", 1}, {"flicker", 0}, {"frames", frames}}, "long");
  EXPECT_LT(svg.size(), 120'000U);
  EXPECT_THAT(svg, HasSubstr(",200.0"));  // the one frame at 10 dB
}

TEST(QualityPlot, is_whole_without_frames) {
  const std::string svg = quality_plot({{"psnr_y", 40}}, "none");
  EXPECT_THAT(svg, HasSubstr("</svg>"));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace kinora::cli
