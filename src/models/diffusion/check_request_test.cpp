#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "models/pipeline.hpp"

namespace kinora::models {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

PipelineInfo sd() {
  PipelineInfo info;
  info.family = "sd";
  info.tasks = {Task::text_to_image, Task::image_to_image, Task::inpaint};
  info.width = info.height = 512;
  info.steps = 50;
  info.max_clip_skip = 12;
  info.scheduler_config = R"({"_class_name": "PNDMScheduler", "skip_prk_steps": true})";
  return info;
}

PipelineInfo svd() {
  auto info = sd();
  info.family = "svd";
  info.tasks = {Task::image_to_video};
  info.prompted = false;
  info.frames = 25;
  info.max_frames = 64;
  info.scheduler_config = R"({"_class_name": "EulerDiscreteScheduler"})";
  return info;
}

GenerationRequest fox() { return {.prompts = {"a red fox in snow"}}; }
RgbPicture picture(std::int64_t width, std::int64_t height) {
  return {.width = width, .height = height, .pixels = std::vector<std::uint8_t>(static_cast<std::size_t>(width * height * 3))};
}

PipelineInfo sdxl() {
  auto info = sd();
  info.family = "sdxl";
  info.scheduler_config = R"({"_class_name": "EulerDiscreteScheduler", "timestep_spacing": "leading", "steps_offset": 1})";
  return info;
}

TEST(CheckRequest, the_steps_may_be_shared_between_two_of_sdxl) {
  auto base = fox();
  base.steps = 10;
  base.denoising_end = 0.8;
  EXPECT_THAT(check_request(sdxl(), base), IsEmpty());
  EXPECT_THAT(check_request(sd(), base), ElementsAre(HasSubstr("only SDXL and its refiner")));
  base.denoising_end = 0.05;  // timesteps are 901, 801 ... 1: above 950 lies none
  EXPECT_THAT(check_request(sdxl(), base), ElementsAre(HasSubstr("none of the 10 steps lies between them")));
  base.denoising_end = 1.5;
  EXPECT_THAT(check_request(sdxl(), base), ElementsAre(HasSubstr("denoising_end must be a number from 0 to 1, not 1.5")));

  auto refiner = fox();
  refiner.task = Task::image_to_image;
  refiner.steps = 10;
  refiner.denoising_start = 0.8;
  refiner.latents = std::make_shared<Latents>(Latents{{1, 4, 2, 3}, std::vector<float>(24)});
  EXPECT_THAT(check_request(sdxl(), refiner), IsEmpty()) << "no picture is needed, strength does not matter";
  refiner.count = 2;
  EXPECT_THAT(check_request(sdxl(), refiner), ElementsAre(HasSubstr("latents must be [prompts x count")));
  refiner.count = 1;
  refiner.latents = std::make_shared<Latents>(Latents{{1, 4, 2, 3}, std::vector<float>(23)});
  EXPECT_THAT(check_request(sdxl(), refiner), ElementsAre(HasSubstr("latents must be [prompts x count")));
  refiner.latents = nullptr;
  refiner.picture = picture(64, 64);
  EXPECT_THAT(check_request(sdxl(), refiner), ElementsAre(HasSubstr("must be given together")));
}

TEST(CheckRequest, a_prompt_is_all_that_is_needed) { EXPECT_THAT(check_request(sd(), fox()), IsEmpty()); }

TEST(CheckRequest, all_faults_are_told_at_once_each_with_its_range) {
  auto request = fox();
  request.width = 500;
  request.height = 8192;
  request.steps = 0;
  request.guidance_scale = std::numeric_limits<double>::quiet_NaN();
  request.guidance_rescale = -0.5;
  request.eta = 2;
  request.clip_skip = 13;
  request.count = 0;
  request.preview_every = -1;
  request.original_size = Size{.height = 0, .width = 10};
  EXPECT_THAT(
      check_request(sd(), request),
      ElementsAre("count must be 1 to 64, not 0", "width must be a multiple of 8 from 8 to 4096, not 500",
                  "height must be a multiple of 8 from 8 to 4096, not 8192", "guidance_scale must be a number from 0 to 100, not nan",
                  "guidance_rescale must be a number from 0 to 1, not -0.5", "eta must be a number from 0 to 1, not 2",
                  "clip_skip must be 0 to 12, not 13", "preview_every must be 0 to 1000, not -1",
                  "steps: the number of steps must be 1 to 1000, not 0", "original_size height must be 1 to 16384, not 0"));
}

TEST(CheckRequest, prompts_and_seeds_must_match_in_number) {
  auto request = fox();
  request.prompts = {"a", "b", "c"};
  request.negative_prompts = {"x", "y"};
  request.count = 2;
  request.seeds = {1, 2, 3};
  EXPECT_THAT(check_request(sd(), request), ElementsAre("negative_prompts must be none, one or as many as prompts (3), not 2",
                                                        "seeds must be none, one, or one for each picture (6), not 3"));
  request.negative_prompts = {"x"};
  request.seeds = {1, 2, 3, 4, 5, 6};
  EXPECT_THAT(check_request(sd(), request), IsEmpty());
  request.count = 30;
  request.seeds = {};
  EXPECT_THAT(check_request(sd(), request), ElementsAre("prompts x count must be at most 64 pictures, not 90"));
  EXPECT_THAT(check_request(sd(), {}), ElementsAre("prompt is needed: this model makes nothing without one"));
  EXPECT_THAT(check_request(sd(), {.prompts = {std::string(30'000, 'a')}}),
              ElementsAre("a prompt must have at most 20000 bytes, not 30000"));
}

TEST(CheckRequest, a_task_that_the_model_cannot_do_is_refused_with_those_that_it_can) {
  auto request = fox();
  request.task = Task::text_to_video;
  EXPECT_THAT(check_request(sd(), request), ElementsAre("task: this model does text-to-image, image-to-image, inpaint, not text-to-video"));
}

TEST(CheckRequest, pictures_must_be_there_and_hold_what_they_say) {
  auto request = fox();
  request.task = Task::inpaint;
  EXPECT_THAT(check_request(sd(), request), ElementsAre("picture is needed for this task", "mask is needed for this task"));
  request.picture = picture(64, 64);
  request.picture->pixels.pop_back();
  request.mask = GrayPicture{.width = 0, .height = 5, .pixels = {}};
  EXPECT_THAT(check_request(sd(), request),
              ElementsAre("picture must have width x height x 3 bytes", "mask must have sides of 1 to 16384 pixels, not 0 x 5"));
}

TEST(CheckRequest, strength_must_leave_a_step) {
  auto request = fox();
  request.task = Task::image_to_image;
  request.picture = picture(64, 64);
  request.steps = 4;
  for (const double strength : {0.0, -0.1, 1.1, std::numeric_limits<double>::quiet_NaN(), 0.2}) {
    request.strength = strength;
    EXPECT_THAT(check_request(sd(), request), ElementsAre(HasSubstr("strength"))) << strength;
  }
  request.strength = 0.25;
  EXPECT_THAT(check_request(sd(), request), IsEmpty());
}

TEST(CheckRequest, ten_thousand_frames_are_refused_before_anything_is_loaded) {
  GenerationRequest request{.task = Task::image_to_video, .picture = picture(64, 64)};
  EXPECT_THAT(check_request(svd(), request), IsEmpty());
  request.frames = 10'000;
  request.fps = 0;
  request.motion_bucket = 300;
  request.noise_augmentation = std::numeric_limits<double>::infinity();
  request.max_guidance_scale = 1000;
  EXPECT_THAT(check_request(svd(), request),
              ElementsAre("frames must be 1 to 64, not 10000", "fps must be 1 to 120, not 0", "motion_bucket must be 0 to 255, not 300",
                          "noise_augmentation must be a number from 0 to 1, not inf",
                          "max_guidance_scale must be a number from 0 to 100, not 1000"));
}

TEST(CheckRequest, the_schedulers_own_limits_and_its_replacements_are_checked_too) {
  auto request = fox();
  request.scheduler = R"({"_class_name": "LCMScheduler"})";
  request.steps = 51;
  EXPECT_THAT(check_request(sd(), request), ElementsAre("steps: the number of steps must be 1 to 50, not 51"));
  request.scheduler = R"({"_class_name": "Heun"})";
  EXPECT_THAT(check_request(sd(), request), ElementsAre(HasSubstr("scheduler: _class_name: is \"Heun\"; known: DDIMScheduler")));
  request.scheduler = "no JSON";
  EXPECT_THAT(check_request(sd(), request), ElementsAre("scheduler: not a JSON object"));
  request.scheduler = R"({"timestep_spacing": "trailing"})";
  EXPECT_THAT(check_request(sd(), request), IsEmpty());
}

TEST(InvalidRequest, says_all_of_its_faults) {
  const InvalidRequest error({"width must be ...", "steps must be ..."});
  EXPECT_STREQ(error.what(), "width must be ...; steps must be ...");
  EXPECT_EQ(error.faults.size(), 2U);
}

}  // namespace
}  // namespace kinora::models
