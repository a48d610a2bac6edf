// Sizes and lengths of videos that a model cannot make: rounded by rule and told, or refused when asked strictly.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/pipeline.hpp"

namespace kinora::models {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

PipelineInfo wan() {
  PipelineInfo info;
  info.family = "wan";
  info.tasks = {Task::text_to_video, Task::image_to_video};
  info.size_multiple = 16;
  info.frame_multiple = 4;
  info.max_frames = 1021;
  info.steps = 50;
  info.scheduler_config = R"({"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3.0})";
  return info;
}

GenerationRequest clip(std::int64_t width, std::int64_t height, std::int64_t frames) {
  GenerationRequest request{.task = Task::text_to_video, .prompts = {"a red fox in snow"}};
  request.width = width;
  request.height = height;
  request.frames = frames;
  return request;
}

TEST(VideoRequests, sizes_go_down_to_the_multiple_and_frames_as_the_reference_rounds_them) {
  std::vector<std::string> notes;
  const auto rounded = rounded_request(wan(), clip(850, 480, 80), &notes);
  EXPECT_EQ(rounded.width, 848);
  EXPECT_EQ(rounded.height, 480);
  EXPECT_EQ(rounded.frames, 81);  // 80 / 4 * 4 + 1
  EXPECT_THAT(notes, ElementsAre("width 850 became 848 (multiples of 16)", "frames 80 became 81 (1 + 4 k)"));
  EXPECT_EQ(rounded_request(wan(), clip(7, 480, 83)).width, 16);   // at least one
  EXPECT_EQ(rounded_request(wan(), clip(7, 480, 83)).frames, 81);  // 83 / 4 * 4 + 1
  EXPECT_EQ(rounded_request(wan(), clip(7, 480, 2)).frames, 1);
  EXPECT_THAT(check_request(wan(), clip(850, 470, 80)), IsEmpty());
}

TEST(VideoRequests, what_fits_is_not_touched) {
  std::vector<std::string> notes;
  const auto rounded = rounded_request(wan(), clip(832, 480, 81), &notes);
  EXPECT_EQ(rounded.width, 832);
  EXPECT_EQ(rounded.frames, 81);
  EXPECT_THAT(notes, IsEmpty());
}

TEST(VideoRequests, strict_requests_are_refused_with_what_is_allowed) {
  auto request = clip(850, 480, 80);
  request.strict = true;
  EXPECT_THAT(check_request(wan(), request),
              ElementsAre("width must be a multiple of 16 from 16 to 4096, not 850", "frames must be 1 + 4 k, not 80"));
}

TEST(VideoRequests, models_that_take_any_length_round_nothing) {
  auto svd = wan();
  svd.frame_multiple = 0;
  EXPECT_EQ(rounded_request(svd, clip(850, 480, 80)).width, 850);
}

TEST(VideoRequests, nonsense_is_refused_not_rounded) {
  EXPECT_THAT(check_request(wan(), clip(-5, 480, 0)), ElementsAre(HasSubstr("width"), HasSubstr("frames must be 1 to 1021")));
  EXPECT_THAT(check_request(wan(), clip(5000, 480, 81)), ElementsAre(HasSubstr("4096")));
  EXPECT_THAT(check_request(wan(), clip(832, 480, 2000)), ElementsAre("frames must be 1 to 1021, not 2000"));
  auto request = clip(832, 480, 81);
  request.guidance_scale_2 = 1000;
  request.max_sequence_length = 0;
  request.step_cache = 1.5;
  request.guidance_start = 1.5;
  request.guidance_end = -1;
  EXPECT_THAT(
      check_request(wan(), request),
      ElementsAre(HasSubstr("guidance_scale_2"), HasSubstr("guidance_start must be a number from 0 to 1"), HasSubstr("guidance_end"),
                  HasSubstr("must not exceed guidance_end"), HasSubstr("max_sequence_length"), HasSubstr("step_cache")));
  auto interval = clip(832, 480, 81);
  interval.guidance_start = 0.5;
  EXPECT_THAT(check_request(wan(), interval), ElementsAre());
  interval.guidance_end = 0.4;
  EXPECT_THAT(check_request(wan(), interval), ElementsAre("guidance_start must not exceed guidance_end"));
}

TEST(VideoRequests, a_last_picture_needs_a_model_that_takes_one) {
  auto request = clip(832, 480, 81);
  request.task = Task::image_to_video;
  request.picture = RgbPicture{.width = 3, .height = 2, .pixels = std::vector<std::uint8_t>(18)};
  EXPECT_THAT(check_request(wan(), request), IsEmpty());  // of any size, for it is resized
  request.last_picture = request.picture;
  EXPECT_THAT(check_request(wan(), request), ElementsAre(HasSubstr("last_picture")));
  auto info = wan();
  info.takes_last_picture = true;
  EXPECT_THAT(check_request(info, request), IsEmpty());
}

TEST(VideoRequests, a_video_has_one_prompt) {
  auto request = clip(832, 480, 81);
  request.prompts = {};
  EXPECT_THAT(check_request(wan(), request), ElementsAre("prompt is needed: this model makes nothing without one"));
  request.prompts = {"a red fox", "a blue fox"};
  EXPECT_THAT(check_request(wan(), request), ElementsAre("prompts must be at most 1, not 2"));
}

}  // namespace
}  // namespace kinora::models
