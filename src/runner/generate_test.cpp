#include "runner/generate.hpp"

#include <gtest/gtest.h>

namespace kinora::runner {
namespace {

models::PipelineInfo wan() {
  models::PipelineInfo info;
  info.fps = 16;
  info.frame_multiple = 4;
  info.max_frames = 1021;
  return info;
}

std::int64_t frames(double duration_s, models::PipelineInfo info = wan(), std::optional<std::int64_t> fps = {},
                    const char* task = "text-to-video") {
  TaskRequest request;
  request.task = task;
  request.params["duration_s"] = duration_s;
  models::GenerationRequest wanted;
  wanted.fps = fps;
  const auto found = frames_of_duration(request, info, wanted);
  return found && *found ? **found : -1;
}

// 5 s at 16 a second are 80 frames; the nearest of 1, 5, 9 ... is 81 (developer-api 5.3.1: 81 frames, 5.0625 s), at 24 a second 121.
TEST(FramesOfDuration, are_the_nearest_number_that_the_model_makes) {
  EXPECT_EQ(frames(5), 81);
  EXPECT_EQ(frames(5, wan(), 24), 121);
  EXPECT_EQ(frames(0.01), 1);
  auto ltx = wan();
  ltx.frame_multiple = 8;
  EXPECT_EQ(frames(2.6, ltx, 24), 65);  // 62.4: 65 is nearer than 57
  auto any = wan();
  any.frame_multiple = 0;
  EXPECT_EQ(frames(2.6, any, 24), 62);
}

TEST(FramesOfDuration, of_a_video_that_goes_on_are_new_ones_and_the_sources_last) {
  EXPECT_EQ(frames(5, wan(), 16, "video-extend"), 81);
  auto any = wan();
  any.frame_multiple = 0;
  EXPECT_EQ(frames(2, any, 8, "video-extend"), 17);
}

TEST(FramesOfDuration, are_none_without_one_and_an_error_when_they_are_too_many) {
  TaskRequest request;
  request.task = "text-to-video";
  EXPECT_EQ(*frames_of_duration(request, wan(), {}), std::nullopt);
  request.params["duration_s"] = 100.0;  // 1601 frames
  EXPECT_EQ(frames_of_duration(request, wan(), {}).error().message,
            "duration_s must be at most 63.8125 (1021 frames at 16 a second), not 100");
  request.params["duration_s"] = 63.8;  // 1020.8
  EXPECT_EQ(*frames_of_duration(request, wan(), {}), 1021);
}

}  // namespace
}  // namespace kinora::runner
