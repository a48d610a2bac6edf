// A scheduler put in place of a flow model's own follows the same flow: as the reference's classes do when they are made with the same
// shift by hand.
#include "models/diffusion/scheduler_config.hpp"

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include "nn/load_error.hpp"

namespace kinora::models::diffusion {
namespace {

constexpr const char* kUnipc = R"({"_class_name":"UniPCMultistepScheduler"})";
constexpr const char* kEuler = R"({"_class_name":"EulerDiscreteScheduler"})";
constexpr const char* kDpm = R"({"_class_name":"DPMSolverMultistepScheduler","algorithm_type":"dpmsolver++","use_karras_sigmas":false})";

PipelineInfo model(const std::string& config) {
  PipelineInfo info;
  info.scheduler_config = config;
  return info;
}
const PipelineInfo kWan =
    model(R"({"_class_name":"UniPCMultistepScheduler","prediction_type":"flow_prediction","use_flow_sigmas":true,"flow_shift":3.0})");
const PipelineInfo kStarter = model(R"({"_class_name":"FlowMatchEulerDiscreteScheduler","shift":3.0})");

at::Tensor levels(const PipelineInfo& info, const std::string& replacements) {
  const auto scheduler = make_scheduler(info, replacements);
  scheduler->plan({.steps = 6});
  return scheduler->sigmas();
}

TEST(SchedulerOfARequest, euler_is_the_euler_of_flows_with_the_models_shift) {
  EXPECT_TRUE(levels(kWan, kEuler).equal(levels(kStarter, "")));
  EXPECT_TRUE(levels(kWan, R"({"_class_name":"FlowMatchEulerDiscreteScheduler"})").equal(levels(kStarter, "")));
  EXPECT_TRUE(levels(kStarter, kEuler).equal(levels(kStarter, "")));
}

TEST(SchedulerOfARequest, unipc_and_dpm_predict_the_flow_with_the_models_shift) {
  EXPECT_TRUE(levels(kStarter, kUnipc).equal(levels(kWan, "")));
  const auto dpm = model(
      R"({"_class_name":"DPMSolverMultistepScheduler","algorithm_type":"dpmsolver++","prediction_type":"flow_prediction","use_flow_sigmas":true,"flow_shift":3.0})");
  EXPECT_TRUE(levels(kStarter, kDpm).equal(levels(dpm, "")));
  EXPECT_TRUE(levels(kWan, kDpm).equal(levels(dpm, "")));
}

TEST(SchedulerOfARequest, what_does_not_follow_a_flow_is_refused_with_what_does) {
  for (const char* name : {"DDIMScheduler", "LCMScheduler", "PNDMScheduler", "TCDScheduler", "EulerAncestralDiscreteScheduler"}) {
    for (const auto& info : {kWan, kStarter}) {
      try {
        make_scheduler(info, R"({"_class_name":")" + std::string(name) + "\"}");
        FAIL() << name;
      } catch (const nn::LoadError& error) {
        EXPECT_EQ(std::string(error.what()),
                  "scheduler: this one does not fit a model that follows a flow: euler does, unipc and dpmpp-2m do");
      }
    }
  }
  const auto by_size = model(R"({"_class_name":"FlowMatchEulerDiscreteScheduler","use_dynamic_shifting":true})");
  EXPECT_THROW(make_scheduler(by_size, kUnipc), nn::LoadError);
  EXPECT_NO_THROW(make_scheduler(by_size, kEuler));
  EXPECT_THROW(make_scheduler(kWan, R"({"_class_name":"DPMSolverMultistepScheduler","use_karras_sigmas":true})"), nn::LoadError);
}

TEST(SchedulerOfARequest, a_model_that_predicts_noise_takes_any) {
  const auto sd = model(R"({"_class_name":"PNDMScheduler","skip_prk_steps":true,"steps_offset":1})");
  EXPECT_TRUE(levels(sd, kEuler).equal(levels(model(R"({"_class_name":"EulerDiscreteScheduler","steps_offset":1})"), "")));
}

}  // namespace
}  // namespace kinora::models::diffusion
