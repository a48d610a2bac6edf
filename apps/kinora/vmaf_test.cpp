#include "kinora/vmaf.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kinora::cli {
namespace {

using testing::ElementsAre;

// The beginning of what FFmpeg's libvmaf wrote for four frames at CRF 40; most metrics are left out.
TEST(VmafLog, has_a_score_for_each_frame) {
  const auto scores = read_vmaf_log(R"({
  "version": "86da14d",
  "fps": 202.31,
  "frames": [
    {"frameNum": 0, "metrics": {"integer_adm2": 0.821010, "integer_vif_scale0": 0.234306, "vmaf": 35.497042}},
    {"frameNum": 1, "metrics": {"integer_adm2": 0.819894, "integer_vif_scale0": 0.235144, "vmaf": 35.407040}}
  ],
  "pooled_metrics": {"vmaf": {"min": 35.407040, "max": 35.497042, "mean": 35.452041, "harmonic_mean": 35.451985}}})");
  ASSERT_TRUE(scores);
  EXPECT_THAT(*scores, ElementsAre(35.497042, 35.407040));
}

TEST(VmafLog, without_scores_is_an_error) {
  for (const char* log :
       {"", "{", "[]", "{}", R"({"frames": []})", R"({"frames": {}})", R"({"frames": [1]})", R"({"frames": [{"metrics": 1}]})",
        R"({"frames": [{"metrics": {"psnr": 1}}]})", R"({"frames": [{"metrics": {"vmaf": "high"}}]})"})
    EXPECT_EQ(read_vmaf_log(log).error().message, "ffmpeg wrote no VMAF scores") << log;
}

}  // namespace
}  // namespace kinora::cli
