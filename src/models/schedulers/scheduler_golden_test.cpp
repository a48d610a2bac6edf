// Every scheduler class along the trajectories that the reference takes with a small stand-in for the model:
// output = tanh(a u + b t / 1000 + c) with u the scaled input, a, b, c from the case.
#include <ATen/TensorOperators.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <regex>

#include "models/golden/golden_case.hpp"
#include "nn/schedulers/scheduler.hpp"

namespace kinora::models::golden {
namespace {

nn::StepPlan plan_of(const Case& test, std::int64_t steps) {
  nn::StepPlan plan{.steps = steps};
  const auto call = test.json().value("set_timesteps", std::string());
  if (call.find("sigmas=linspace(1,1/n,n)") != std::string::npos) {
    for (std::int64_t i = 0; i < steps; ++i) {
      const auto n = static_cast<double>(steps);
      plan.sigmas.push_back(steps == 1 ? 1.0 : 1.0 + static_cast<double>(i) * (1 / n - 1) / (n - 1));
    }
  }
  std::smatch mu;
  if (std::regex_search(call, mu, std::regex("mu=([0-9.eE+-]+)"))) plan.mu = std::stod(mu[1]);
  return plan;
}

// A stored trajectory has a limit for each step.
void expect_steps(const Case& test, const std::string& name, const std::vector<at::Tensor>& ours) {
  const auto& tolerance = test.json().at("tensors").at(name).at("tolerance");
  const at::Tensor theirs = test.io().at(name);
  ASSERT_EQ(theirs.size(0), static_cast<std::int64_t>(ours.size())) << name;
  for (std::size_t k = 0; k < ours.size(); ++k) {
    const double atol =
        tolerance.contains("atol_per_step") ? tolerance.at("atol_per_step").at(k).get<double>() : tolerance.at("atol").get<double>();
    const auto expected = theirs[static_cast<std::int64_t>(k)];
    const auto excess = ((ours[k] - expected).abs() - expected.abs() * tolerance.at("rtol").get<double>()).max().item<double>();
    EXPECT_LE(excess, atol) << name << " step " << k;
  }
}

void expect_plan(const Case& test, const std::string& prefix, const nn::Scheduler& scheduler) {
  const auto expect = [&](const std::string& name, const at::Tensor& ours) {
    const auto& tolerance = test.json().at("tensors").at(prefix + name).at("tolerance");
    test.expect_tensor(prefix + name, ours, tolerance.at("atol").get<double>(), tolerance.at("rtol").get<double>());
  };
  EXPECT_EQ(scheduler.timesteps().scalar_type(), test.io().at(prefix + "timesteps").scalar_type());
  expect("timesteps", scheduler.timesteps());
  if (test.io().contains(prefix + "sigmas")) expect("sigmas", scheduler.sigmas());
  expect("init_noise_sigma", at::zeros({}) + scheduler.init_noise_sigma());
}

void run(const Case& test) {
  const auto& json = test.json();
  const double a = json.at("a"), b = json.at("b"), c = json.at("c");
  const auto scheduler = nn::make_scheduler(nn::JsonConfig::read(test.model_dir() / "scheduler_config.json"));
  nn::StepOptions options;
  if (json.contains("step_args") && json.at("step_args").contains("eta")) options.eta = json.at("step_args").at("eta").get<double>();

  for (const std::int64_t steps : json.at("steps").get<std::vector<std::int64_t>>()) {
    const std::string prefix = "n" + std::to_string(steps) + ".";
    SCOPED_TRACE(prefix);
    scheduler->plan(plan_of(test, steps));
    expect_plan(test, prefix, *scheduler);
    std::int64_t drawn = 0;
    options.normal = [&](at::IntArrayRef shape, std::optional<at::ScalarType>) {
      const auto noise = test.io().at(prefix + "noise")[drawn++];
      EXPECT_EQ(noise.sizes(), shape);
      return noise;
    };
    at::Tensor x = test.io().at("in.x0") * scheduler->init_noise_sigma();
    std::vector<at::Tensor> trajectory{x}, inputs;
    for (std::int64_t i = 0; i < scheduler->size(); ++i) {
      inputs.push_back(scheduler->scale_model_input(x, i));
      const auto output = (inputs.back() * a + scheduler->timesteps()[i].to(at::kFloat) / 1000 * b + c).tanh();
      x = scheduler->step(output, i, x, options);
      trajectory.push_back(x);
    }
    expect_steps(test, prefix + "traj", trajectory);
    expect_steps(test, prefix + "model_in", inputs);
    const bool has_noise = test.io().contains(prefix + "noise");
    EXPECT_EQ(drawn, has_noise ? test.io().at(prefix + "noise").size(0) : 0) << "draws";
  }
}

const std::vector<Register> registered = [] {
  std::vector<Register> all;
  for (const auto name : nn::scheduler_classes()) all.emplace_back(std::string(name), run);
  return all;
}();

}  // namespace
}  // namespace kinora::models::golden
