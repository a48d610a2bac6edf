#include "kinora_train/fit.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "kinora_train/error.hpp"
#include "kinora_train/test_pictures.hpp"
#include "nn/layers.hpp"

namespace kinora::train {
namespace {

// A layer of three weights that is to become the identity.
struct Toy {
  struct Config {};
  explicit Toy(const Config& /*config*/, const nn::Weights& w) : layer(w / "layer", 3, 3) {}
  nn::Linear layer;
};

struct ToyRun {
  explicit ToyRun(at::ScalarType dtype = at::kFloat) {
    toy = leaves.build<Toy>("toy", Toy::Config{}, {{"layer.weight", at::zeros({3, 3})}, {"layer.bias", at::ones({3})}}, {.dtype = dtype});
  }
  at::Tensor loss(std::int64_t step) const {
    const auto x = (at::eye(3) + 0.1 * static_cast<double>(step % 3)).to(toy->layer.weight.scalar_type());
    return (toy->layer(x) - x).to(at::kFloat).square().mean();
  }
  Leaves leaves;
  std::shared_ptr<const Toy> toy;
};

class Fit : public ::testing::Test {
 protected:
  FitSettings settings(const std::string& name, std::int64_t steps) {
    FitSettings settings;
    settings.name = "toy";
    settings.checkpoint = folder_ / name;
    settings.steps = steps;
    settings.peak_rate = 0.05;
    settings.average_decay = 0.9;
    settings.save_every_s = 0;  // after every update
    return settings;
  }
  FitReport go(ToyRun& run, const FitSettings& settings, std::int64_t stop_after = -1) {
    return fit(
        run.leaves, settings, [&](std::int64_t step) { return run.loss(step); },
        [&](const nn::TensorMap&, std::int64_t step) {
          if (step == stop_after) throw Failure("stopped");
        },
        [](const std::string&) {});
  }
  const TestFolder folder_;
};

TEST_F(Fit, learns_what_the_loss_asks_for) {
  ToyRun run;
  auto fast = settings("a", 400);
  fast.peak_rate = 0.2;
  const auto report = go(run, fast);
  EXPECT_EQ(report.steps, 400);
  EXPECT_LT(report.losses.back(), 1e-3 * report.losses.front());
  EXPECT_TRUE(at::allclose(report.average.at("toy.layer.weight"), at::eye(3), 0, 0.05));
}

TEST_F(Fit, matrices_may_learn_by_muon) {
  ToyRun run;
  auto by_muon = settings("a", 400);
  by_muon.by_muon = [](const std::string& name) { return name == "toy.layer.weight"; };
  by_muon.peak_rate = 0.05;
  const auto report = go(run, by_muon);
  EXPECT_LT(report.losses.back(), 1e-2 * report.losses.front());
}

TEST_F(Fit, a_run_that_was_stopped_goes_on_as_if_it_had_not) {
  const std::pair<at::ScalarType, bool> kinds[] = {{at::kFloat, false}, {at::kBFloat16, false}, {at::kFloat, true}};
  for (const auto& [dtype, muon] : kinds) {
    ToyRun whole(dtype), before(dtype), after(dtype);
    const std::string name = std::string(dtype == at::kFloat ? "float" : "bfloat") + (muon ? "-muon" : "");
    auto cut = settings(name + "-cut", 40);
    if (muon) cut.by_muon = [](const std::string&) { return true; };
    auto uncut = cut;
    uncut.checkpoint = settings(name + "-whole", 40).checkpoint;
    const auto expected = go(whole, uncut);
    EXPECT_THROW(go(before, cut, 17), Failure);
    cut.resume = true;
    const auto rest = go(after, cut);
    EXPECT_EQ(rest.steps, 40);
    ASSERT_EQ(rest.losses.size(), 23U);
    EXPECT_TRUE(std::equal(rest.losses.begin(), rest.losses.end(), expected.losses.begin() + 17));
    for (const auto& [key, weight] : expected.average) EXPECT_TRUE(at::allclose(weight, rest.average.at(key), 0, 0)) << key;
  }
}

TEST_F(Fit, a_finished_run_that_goes_on_makes_no_update) {
  ToyRun one, two;
  auto done = settings("a", 5);
  go(one, done);
  done.resume = true;
  EXPECT_TRUE(go(two, done).losses.empty());
}

TEST_F(Fit, networks_compute_with_rounded_weights_and_small_updates_add_up) {
  ToyRun run(at::kBFloat16);
  EXPECT_EQ(run.toy->layer.bias.scalar_type(), at::kBFloat16);
  auto slow = settings("a", 50);
  slow.peak_rate = slow.last_rate = 1e-4;  // far below what bfloat16 tells from 1
  slow.warmup = 0.02;
  go(run, slow);
  const double bias = run.leaves.weights().at("toy.layer.bias").mean().item<double>();
  EXPECT_LT(bias, 0.9965);
  EXPECT_GT(bias, 0.99);
}

TEST_F(Fit, long_gradients_are_shortened_to_the_limit) {
  ToyRun run;
  (run.loss(0) * 1000.0).backward();
  const double before = run.leaves.take_gradients(1);
  EXPECT_GT(before, 100);
  double squares = 0;
  for (const auto& [name, weight] : run.leaves.weights()) squares += weight.grad().square().sum().item<double>();
  EXPECT_NEAR(squares, 1, 1e-4);
}

TEST_F(Fit, another_seed_and_both_limits_are_refused) {
  ToyRun run;
  auto made = settings("a", 2);
  go(run, made);
  made.resume = true;
  made.seed = 2;
  EXPECT_THROW(go(run, made), Failure);
  made.minutes = 1;
  EXPECT_THROW(go(run, made), Failure);
}

}  // namespace
}  // namespace kinora::train
