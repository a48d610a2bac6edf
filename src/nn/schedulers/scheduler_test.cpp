#include "nn/schedulers/scheduler.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "nn/load_error.hpp"
#include "nn/schedulers/sigma_schedule.hpp"

namespace kinora::nn {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::unique_ptr<Scheduler> make(std::string_view members) {
  return make_scheduler(JsonConfig::parse("{" + std::string(members) + "}", "scheduler_config.json"));
}

const char* const kStable = R"("beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear")";

void expect_values(const at::Tensor& ours, const std::vector<double>& expected) {
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(ours[static_cast<std::int64_t>(i)].to(at::kDouble).item<double>(), expected[i],
                1e-5 * std::max(1.0, std::fabs(expected[i])))
        << i;
}

// Known values of the schedules in use, computed in double by hand from the formulas of the papers.
TEST(Scheduler, euler_leading_has_the_levels_of_sdxl) {
  const auto scheduler =
      make(R"("_class_name": "EulerDiscreteScheduler", "timestep_spacing": "leading", "steps_offset": 1, )" + std::string(kStable));
  scheduler->plan({.steps = 2});
  expect_values(scheduler->timesteps(), {501, 1});
  expect_values(scheduler->sigmas(), {1.623693, 0.041314, 0});
  scheduler->plan({.steps = 30});
  expect_values(scheduler->timesteps(), {958, 925, 892, 859});
  expect_values(scheduler->sigmas(), {11.476851, 9.543586, 8.004313, 6.768384});
  EXPECT_NEAR(scheduler->init_noise_sigma(), std::sqrt(11.476851 * 11.476851 + 1), 1e-4);
}

TEST(Scheduler, euler_trailing_has_the_levels_of_the_lightning_models) {
  const auto scheduler = make(R"("_class_name": "EulerDiscreteScheduler", "timestep_spacing": "trailing", )" + std::string(kStable));
  scheduler->plan({.steps = 4});
  expect_values(scheduler->timesteps(), {999, 749, 499, 249});
  expect_values(scheduler->sigmas(), {14.614647, 4.081731, 1.612887, 0.693205, 0});
  scheduler->plan({.steps = 8});
  expect_values(scheduler->timesteps(), {999, 874, 749, 624, 499, 374, 249, 124});
  scheduler->plan({.steps = 1});
  expect_values(scheduler->timesteps(), {999});
}

TEST(Scheduler, euler_of_stable_video_diffusion_uses_karras_levels_and_logarithmic_times) {
  const auto scheduler = make(
      R"("_class_name": "EulerDiscreteScheduler", "timestep_spacing": "leading", "steps_offset": 1, "use_karras_sigmas": true, "sigma_min": 0.002,
         "sigma_max": 700.0, "timestep_type": "continuous", "prediction_type": "v_prediction", )" +
      std::string(kStable));
  scheduler->plan({.steps = 25});
  expect_values(scheduler->sigmas(), {700, 545.729246, 421.569136, 322.453683});
  expect_values(scheduler->timesteps(), {1.63777, 1.575531, 1.510996, 1.44399});
  EXPECT_NEAR(scheduler->init_noise_sigma(), 700.000714, 1e-3);
}

TEST(Scheduler, lcm_picks_from_the_distilled_timesteps) {
  const auto scheduler = make(R"("_class_name": "LCMScheduler")");
  for (const auto& [steps, times] : std::map<std::int64_t, std::vector<double>>{
           {1, {999}}, {2, {999, 499}}, {4, {999, 759, 499, 259}}, {8, {999, 879, 759, 639, 499, 379, 259, 139}}}) {
    scheduler->plan({.steps = steps});
    EXPECT_EQ(scheduler->size(), steps);
    expect_values(scheduler->timesteps(), times);
  }
}

TEST(Scheduler, flow_levels_are_shifted_as_published) {
  auto scheduler = make(R"("_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3.0)");
  scheduler->plan({.steps = 4});
  expect_values(scheduler->sigmas(), {1, 0.8576923, 0.6021505, 0.0089286, 0});
  scheduler = make(R"("_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 7.0)");
  scheduler->plan({.steps = 2});
  expect_values(scheduler->sigmas(), {1, 0.0467557, 0});
  scheduler =
      make(R"("_class_name": "UniPCMultistepScheduler", "prediction_type": "flow_prediction", "use_flow_sigmas": true, "flow_shift": 3.0)");
  scheduler->plan({.steps = 4});
  expect_values(scheduler->sigmas(), {0.999999, 0.90012, 0.7503748, 0.500999, 0});
  expect_values(scheduler->timesteps(), {999, 900, 750, 500});
}

TEST(Scheduler, pndm_calls_the_model_once_more_than_asked) {
  const auto scheduler = make(R"("_class_name": "PNDMScheduler", "skip_prk_steps": true, "steps_offset": 1, )" + std::string(kStable));
  scheduler->plan({.steps = 4});
  expect_values(scheduler->timesteps(), {751, 501, 501, 251, 1});
  EXPECT_EQ(scheduler->size(), 5);
}

TEST(Scheduler, trailing_spacing_never_leaves_the_training_schedule) {
  const auto scheduler = make(R"("_class_name": "DDIMScheduler", "timestep_spacing": "trailing")");
  for (std::int64_t steps = 1; steps <= 1000; ++steps) {
    scheduler->plan({.steps = steps});
    ASSERT_EQ(scheduler->size(), steps);
    EXPECT_EQ(scheduler->timesteps()[0].item<std::int64_t>(), 999);
    EXPECT_GE(scheduler->timesteps()[steps - 1].item<std::int64_t>(), 0) << steps;
  }
}

// The estimate of the clean sample undoes the noising, whatever the model predicts.
TEST(Scheduler, the_clean_sample_is_recovered_from_a_perfect_prediction) {
  const auto clean = at::full({1, 1, 2, 2}, 0.3), noise = at::full({1, 1, 2, 2}, -1.5);
  for (const auto name : scheduler_classes()) {
    SCOPED_TRACE(name);
    const bool flow = name == "FlowMatchEulerDiscreteScheduler";
    const auto scheduler = make("\"_class_name\": \"" + std::string(name) + "\", " + kStable);
    scheduler->plan({.steps = 10});
    const auto noisy = scheduler->add_noise(clean, noise, 3);
    EXPECT_FALSE(noisy.allclose(clean));
    const auto found = scheduler->predict_clean(flow ? noise - clean : noise, 3, noisy);
    EXPECT_TRUE(found.allclose(clean, 1e-4, 1e-4)) << found;
  }
}

TEST(Scheduler, samples_keep_their_type) {
  const auto scheduler = make(R"("_class_name": "EulerDiscreteScheduler", )" + std::string(kStable));
  scheduler->plan({.steps = 3});
  const auto x = at::ones({1, 4, 2, 2}, at::kBFloat16);
  EXPECT_EQ(scheduler->step(x, 0, x, {}).scalar_type(), at::kBFloat16);
}

TEST(Scheduler, an_unknown_class_is_refused_with_the_known_ones) {
  EXPECT_THAT([] { make(R"("_class_name": "HeunDiscreteScheduler")"); },
              ThrowsMessage<LoadError>(AllOf(HasSubstr("scheduler_config.json: _class_name"), HasSubstr("HeunDiscreteScheduler"),
                                             HasSubstr("EulerDiscreteScheduler, FlowMatchEulerDiscreteScheduler"))));
  EXPECT_THROW(make("\"beta_start\": 0.1"), LoadError);
}

TEST(Scheduler, values_that_a_class_does_not_know_are_refused_by_name) {
  const auto refused = [](std::string_view cls, std::string_view members, std::string_view member) {
    EXPECT_THAT([&] { make("\"_class_name\": \"" + std::string(cls) + "\", " + std::string(members)); },
                ThrowsMessage<LoadError>(HasSubstr("scheduler_config.json: " + std::string(member))))
        << members;
  };
  refused("EulerDiscreteScheduler", R"("prediction_type": "flow_prediction")", "prediction_type");
  refused("EulerAncestralDiscreteScheduler", R"("prediction_type": "sample")", "prediction_type");
  refused("EulerDiscreteScheduler", R"("beta_schedule": "sqrt")", "beta_schedule");
  refused("EulerDiscreteScheduler", R"("beta_start": 0)", "beta_start");
  refused("EulerDiscreteScheduler", R"("beta_end": 1.5)", "beta_end");
  refused("EulerDiscreteScheduler", R"("trained_betas": [0.1, 0.2])", "trained_betas");
  refused("EulerDiscreteScheduler", R"("num_train_timesteps": 2, "trained_betas": [0.1, 2])", "betas");
  refused("EulerDiscreteScheduler", R"("num_train_timesteps": 1)", "num_train_timesteps");
  refused("EulerDiscreteScheduler", R"("use_karras_sigmas": true, "use_beta_sigmas": true)", "use_karras_sigmas");
  refused("EulerDiscreteScheduler", R"("sigma_min": 3, "sigma_max": 2)", "sigma_max");
  refused("EulerDiscreteScheduler", R"("timestep_spacing": "even")", "timestep_spacing");
  refused("DDIMScheduler", R"("clip_sample_range": 0)", "clip_sample_range");
  refused("LCMScheduler", R"("original_inference_steps": 2000)", "original_inference_steps");
  refused("DPMSolverMultistepScheduler", R"("algorithm_type": "dpmsolver")", "final_sigmas_type");
  refused("DPMSolverMultistepScheduler", R"("variance_type": "learned")", "variance_type");
  refused("DPMSolverMultistepScheduler", R"("lambda_min_clipped": NaN)", "lambda_min_clipped");
  refused("DPMSolverMultistepScheduler", R"("lambda_min_clipped": Infinity)", "lambda_min_clipped");
  refused("UniPCMultistepScheduler", R"("shift_terminal": 0.1)", "shift_terminal");
  refused("UniPCMultistepScheduler", R"("lower_order_final": false)", "lower_order_final");
  refused("FlowMatchEulerDiscreteScheduler", R"("shift": -1)", "shift");
}

TEST(Scheduler, plans_that_cannot_be_are_refused_with_the_range) {
  const auto refused = [](std::string_view members, const StepPlan& plan, std::string_view reason) {
    const auto scheduler = make(members);
    EXPECT_THAT([&] { scheduler->plan(plan); }, ThrowsMessage<std::invalid_argument>(HasSubstr(std::string(reason))));
  };
  refused(R"("_class_name": "DDIMScheduler")", {.steps = 0}, "1 to 1000");
  refused(R"("_class_name": "EulerDiscreteScheduler")", {.steps = 1001}, "1 to 1000");
  refused(R"("_class_name": "DDIMScheduler", "steps_offset": 1)", {.steps = 1000}, "fewer steps");
  refused(R"("_class_name": "LCMScheduler")", {.steps = 51}, "1 to 50");
  refused(R"("_class_name": "PNDMScheduler")", {.steps = 3}, "at least 4 steps");
  refused(R"("_class_name": "FlowMatchEulerDiscreteScheduler", "use_dynamic_shifting": true)", {.steps = 3}, "mu is needed");
  refused(R"("_class_name": "FlowMatchEulerDiscreteScheduler")", {.sigmas = {1.5}}, "at most 1");
  refused(R"("_class_name": "UniPCMultistepScheduler")", {.sigmas = {1.0}}, "flow");
  refused(R"("_class_name": "DPMSolverMultistepScheduler")", {.sigmas = {1.0}}, "number of steps");
}

TEST(SigmaSchedule, the_beta_quantile_meets_its_closed_forms) {
  for (const double p : {0.0, 0.01, 0.2, 0.5, 0.83, 0.999, 1.0}) {
    EXPECT_NEAR(beta_quantile(p, 0.5, 0.5), std::pow(std::sin(std::numbers::pi * p / 2), 2), 1e-12);  // arcsine distribution
    EXPECT_NEAR(beta_quantile(p, 1, 3), 1 - std::cbrt(1 - p), 1e-12);
    EXPECT_NEAR(beta_quantile(p, 2, 1), std::sqrt(p), 1e-12);
  }
}

}  // namespace
}  // namespace kinora::nn
