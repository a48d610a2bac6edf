#include "models/stable_diffusion/few_steps.hpp"

#include <gtest/gtest.h>

namespace kinora::models::stable_diffusion {
namespace {

std::optional<FewSteps> of(std::string_view scheduler, bool guidance_embedded = false) {
  return few_steps(nn::JsonConfig::parse(scheduler, "scheduler_config.json"), guidance_embedded);
}

// The schedulers of the published repositories, and the values of their cards.
TEST(FewSteps, the_scheduler_of_a_distilled_model_tells) {
  const auto turbo = of(R"({"_class_name": "EulerAncestralDiscreteScheduler", "timestep_spacing": "trailing"})");  // stabilityai/sdxl-turbo
  ASSERT_TRUE(turbo);
  EXPECT_EQ(turbo->steps, 1);
  EXPECT_EQ(turbo->guidance_scale, 1.0);
  const auto lightning = of(R"({"_class_name": "EulerDiscreteScheduler", "timestep_spacing": "trailing"})");
  ASSERT_TRUE(lightning);
  EXPECT_EQ(lightning->steps, 4);
  const auto lcm = of(R"({"_class_name": "LCMScheduler"})", true);  // SimianLuo/LCM_Dreamshaper_v7
  ASSERT_TRUE(lcm);
  EXPECT_EQ(lcm->steps, 4);
  EXPECT_EQ(lcm->guidance_scale, 8.5);
  EXPECT_EQ(of(R"({"_class_name": "LCMScheduler"})")->guidance_scale, 1.0);
}

TEST(FewSteps, ordinary_models_take_many) {
  EXPECT_FALSE(of(R"({"_class_name": "PNDMScheduler"})"));
  EXPECT_FALSE(of(R"({"_class_name": "EulerDiscreteScheduler", "timestep_spacing": "leading"})"));
  EXPECT_FALSE(of(R"({"_class_name": "EulerDiscreteScheduler", "timestep_spacing": "trailing", "prediction_type": "v_prediction"})"));
}

TEST(FewSteps, the_name_of_a_single_file_tells_too) {
  const auto lightning = recipe_for_file("sdxl_lightning_8step.safetensors");
  EXPECT_EQ(lightning.steps, 8);
  EXPECT_EQ(lightning.scheduler.at("timestep_spacing"), "trailing");
  EXPECT_EQ(recipe_for_file("sdxl_lightning_1step_x0.safetensors").scheduler.at("prediction_type"), "sample");
  EXPECT_EQ(recipe_for_file("sd_xl_turbo_1.0_fp16.safetensors").scheduler.at("_class_name"), "EulerAncestralDiscreteScheduler");
  EXPECT_EQ(recipe_for_file("Dreamshaper_LCM.safetensors").scheduler.at("_class_name"), "LCMScheduler");
  const auto plain = recipe_for_file("sd_xl_base_1.0.safetensors");
  EXPECT_TRUE(plain.scheduler.is_null());
  EXPECT_EQ(plain.steps, 0);
  EXPECT_EQ(recipe_for_file("my_8step_portraits.safetensors").steps, 0);
}

TEST(FewSteps, adapters_for_few_steps_bring_their_scheduler) {
  EXPECT_EQ(recipe_for_adapter("latent-consistency/lcm-lora-sdxl/pytorch_lora_weights.safetensors").scheduler.at("_class_name"),
            "LCMScheduler");
  const auto lightning = recipe_for_adapter("ByteDance/SDXL-Lightning/sdxl_lightning_2step_lora");
  EXPECT_EQ(lightning.scheduler.at("timestep_spacing"), "trailing");
  EXPECT_EQ(lightning.steps, 2);
  EXPECT_TRUE(recipe_for_adapter("turbo-cars-style").scheduler.is_null());  // a style of turbo cars
  EXPECT_TRUE(recipe_for_adapter("watercolour").scheduler.is_null());
}

TEST(FewSteps, a_recipe_replaces_members_of_the_models_scheduler_and_its_defaults) {
  PipelineInfo info;
  info.scheduler_config = R"({"_class_name": "EulerDiscreteScheduler", "beta_end": 0.012, "timestep_spacing": "leading"})";
  info.steps = 50;
  info.guidance_scale = 5;
  apply({}, info);
  EXPECT_EQ(info.steps, 50);
  apply(recipe_for_file("sdxl_lightning_8step_unet.safetensors"), info);
  EXPECT_EQ(info.steps, 8);
  EXPECT_EQ(info.guidance_scale, 1);
  EXPECT_TRUE(info.few_steps);
  const auto scheduler = nlohmann::json::parse(info.scheduler_config);
  EXPECT_EQ(scheduler.at("beta_end"), 0.012);
  EXPECT_EQ(scheduler.at("timestep_spacing"), "trailing");
}

}  // namespace
}  // namespace kinora::models::stable_diffusion
