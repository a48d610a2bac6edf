#include "models/wan/distilled.hpp"

#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "nn/schedulers/scheduler.hpp"

namespace kinora::models::wan {
namespace {

PipelineInfo plain() {
  PipelineInfo info;
  info.family = "wan";
  info.scheduler_config =
      R"({"_class_name": "UniPCMultistepScheduler", "prediction_type": "flow_prediction", "use_flow_sigmas": true, "flow_shift": 3.0, "solver_order": 2})";
  info.steps = 50;
  info.guidance_scale = 5;
  return info;
}

TEST(WanDistilled, names_of_published_adapters_tell_steps_and_guidance) {
  for (const char* name : {"Wan21_T2V_14B_lightx2v_cfg_step_distill_lora_rank32", "wan2.2_t2v_lightx2v_4steps_lora_v1.1_high_noise",
                           "Wan2.2-Lightning/Wan2.2-T2V-A14B-4steps-lora-rank64-Seko-V1"}) {
    auto info = plain();
    apply_distilled(name, info);
    EXPECT_EQ(info.steps, 4) << name;
    EXPECT_EQ(info.guidance_scale, 1) << name;
    EXPECT_TRUE(info.few_steps) << name;
  }
  auto info = plain();
  apply_distilled("watercolour_wan_lora", info);
  EXPECT_EQ(info.steps, 50);
  EXPECT_EQ(info.scheduler_config, plain().scheduler_config);
}

// 5 t / (1 + 4 t) at t = 1, 0.75, 0.5, 0.25 (the reference's grid ends at 1/1000 and so lies up to 0.001 higher); then a flow step is
// x + (next level - level) v.
TEST(WanDistilled, its_steps_are_eulers_at_the_shifted_quarters) {
  auto info = plain();
  apply_distilled("lightx2v", info);
  const auto scheduler = nn::make_scheduler(nn::JsonConfig::parse(info.scheduler_config, "scheduler_config.json"));
  scheduler->plan({.steps = info.steps});
  const auto sigmas = scheduler->sigmas();
  ASSERT_EQ(sigmas.numel(), 5);
  EXPECT_TRUE(sigmas.allclose(at::tensor({1.0, 5 * 0.75 / 4, 5 * 0.5 / 3, 5 * 0.25 / 2, 0.0}, at::kFloat), 0, 0.0015)) << sigmas;
  auto x = at::full({1, 1, 2, 2}, 0.7), expected = x.clone();
  for (std::int64_t i = 0; i < 4; ++i) {
    const auto velocity = at::full({1, 1, 2, 2}, 0.3 * static_cast<double>(i) - 0.4);
    expected = expected.add(velocity.mul(sigmas[i + 1].sub(sigmas[i])));
    x = scheduler->step(velocity, i, x, {});
    EXPECT_TRUE(x.allclose(expected, 1e-5, 1e-5)) << i;
  }
}

}  // namespace
}  // namespace kinora::models::wan
