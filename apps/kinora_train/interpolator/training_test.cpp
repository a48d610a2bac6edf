#include "kinora_train/interpolator/training.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include "kinora_train/error.hpp"
#include "kinora_train/interpolator/learning.hpp"
#include "kinora_train/interpolator/moving_scene.hpp"
#include "kinora_train/interpolator/test_motion.hpp"
#include "kinora_train/leaves.hpp"
#include "models/interpolator.hpp"
#include "models/loaded.hpp"
#include "nn/load_error.hpp"
#include "nn/model_folder.hpp"
#include "nn/safetensors.hpp"

namespace kinora::train {
namespace {

void silent(const std::string&) {}

models::rife::IfnetConfig tiny() {
  models::rife::IfnetConfig config;
  config.encoder_width = 4;
  config.features = 2;
  config.carried = 2;
  config.channels = {16, 8};
  config.layers = {1, 1};
  config.scales = {2, 1};
  return config;
}

class InterpolatorTraining : public ::testing::Test {
 protected:
  InterpolatorSettings settings(const std::string& name, std::int64_t steps) {
    InterpolatorSettings settings;
    settings.out = folder_ / name;
    settings.steps = steps;
    settings.batch = {.pictures = 2, .side = 32, .moved_photos = 0.5};
    settings.network = tiny();
    settings.save_every_s = 3600;
    return settings;
  }
  const TestFolder folder_;
};

// A background and a rectangle before it that go different ways.
MotionBatch one_scene() {
  const MovingScene scene{{{wavy_picture(200, 260), {.x = 100, .y = 90, .shift_x = 8, .shift_y = 2}, {}},
                           {wavy_picture(300, 240),
                            {.x = 120, .y = 90, .shift_x = -3, .shift_y = -6},
                            {{.round = false, .x = 120, .y = 90, .half_width = 12, .half_height = 9}}}}};
  const auto picture = [&](double time) { return picture_at(scene, time, 64).div(255).unsqueeze(0); };
  return {picture(0), picture(1), picture(0.25), 0.25, flow_at(scene, 0.25, 64).unsqueeze(0)};
}

TEST_F(InterpolatorTraining, learns_a_known_motion_by_heart) {
  const MotionBatch batch = one_scene();
  Leaves leaves;
  const auto net =
      leaves.build<models::rife::IfNet>("net", tiny(), random_weights_of<models::rife::IfNet>(tiny(), 5), {.dtype = at::kFloat});
  FitSettings how;
  how.checkpoint = folder_ / "checkpoint";
  how.steps = 300;
  how.peak_rate = 5e-3;
  how.average_decay = 0.9;
  const auto report = fit(
      leaves, how, [&](std::int64_t) { return interpolation_loss(*net, batch, 0.3); }, [](const nn::TensorMap&, std::int64_t) {}, silent);
  EXPECT_LT(report.losses.back(), report.losses.front() - 1);  // a pixel of wrong flow counts 0.54, 6 dB count 1.2
  const auto found = net->between(net->prepare(batch.first, 1), net->prepare(batch.last, 1), batch.time, {});
  const at::Tensor off = (found.flows.back() - batch.flow).slice(1, 2, 4).square().sum(1).sqrt();
  EXPECT_LT(off.mean().item<float>(), 1.0F);  // pixels; what lies there has gone 4.7 to 6.2
}

// The derivative of the loss along its own gradient, by a difference: both the pictures' and the flows' part reach every block.
TEST_F(InterpolatorTraining, the_gradient_is_the_slope_of_the_loss) {
  Leaves leaves;
  const auto net =
      leaves.build<models::rife::IfNet>("net", tiny(), random_weights_of<models::rife::IfNet>(tiny(), 5), {.dtype = at::kDouble});
  const MotionSet motion = small_motion();
  MotionBatch batch = draw_motion_batch(motion, {.pictures = 2, .side = 32, .moved_photos = 1}, 1, 2);
  const auto loss = [&] { return interpolation_loss(*net, batch, 0.01); };
  const at::Tensor at_first = loss();
  at_first.backward();
  const double length = leaves.take_gradients(1e9);
  nn::TensorMap moved;
  const double step = 1e-4 / length;
  for (const auto& [name, weight] : leaves.weights()) {
    ASSERT_TRUE(weight.grad().defined()) << name;
    EXPECT_GT(weight.grad().abs().max().item<float>(), 0) << name;
    moved[name] = weight.detach() - weight.grad() * step;
  }
  leaves.set_weights(moved);
  EXPECT_NEAR((at_first.item<double>() - loss().item<double>()) / (step * length * length), 1, 0.1);
}

TEST_F(InterpolatorTraining, known_flow_makes_the_loss_larger_by_its_share) {
  const auto ready =
      models::load_network<models::rife::IfNet>(nn::make_checkpoint(random_weights_of<models::rife::IfNet>(tiny(), 5), "net"), tiny(), {});
  MotionBatch batch = draw_motion_batch(small_motion(), {.pictures = 2, .side = 32, .moved_photos = 1}, 1, 2);
  const auto loss = [&](double share) { return interpolation_loss(*ready.model, batch, share).item<double>(); };
  EXPECT_NEAR(loss(0.02) - loss(0), 2 * (loss(0.01) - loss(0)), 1e-5);
  EXPECT_GT(loss(0.01), loss(0));
}

TEST_F(InterpolatorTraining, a_run_that_was_stopped_goes_on_as_if_it_had_not) {
  const MotionSet motion = small_motion();
  const auto whole = train_interpolator_on(motion, settings("whole", 8), silent);
  auto cut = settings("cut", 8);
  cut.save_every_s = 1e-9;
  const auto stop = [](const std::string& line) {
    if (line.starts_with("step 5 ")) throw Failure("stopped");
  };
  EXPECT_THROW(train_interpolator_on(motion, cut, stop), Failure);
  cut.resume = true;
  const auto rest = train_interpolator_on(motion, cut, silent);
  ASSERT_EQ(rest.losses.size(), 3U);
  EXPECT_TRUE(std::equal(rest.losses.begin(), rest.losses.end(), whole.losses.begin() + 5));
  for (const auto& [name, weight] : whole.average) EXPECT_TRUE(at::equal(weight, rest.average.at(name))) << name;
}

TEST_F(InterpolatorTraining, leaves_a_folder_that_the_runner_loads_and_another_run_starts_from) {
  const MotionSet motion = small_motion();
  auto how = settings("model", 3);
  how.network = starter_ifnet();
  train_interpolator_on(motion, how, silent);
  const auto folder = nn::read_model_folder(folder_ / "model");
  EXPECT_EQ(folder.card.tasks, std::vector<std::string>{"frame-interpolation"});
  EXPECT_EQ(folder.architecture, "IFNet");
  EXPECT_LT(folder.weights_bytes, 3U << 20);
  EXPECT_TRUE(models::load_interpolator(folder, "cpu")->ensembles());  // the layout of 4.6
  auto next = settings("next", 1);
  next.network = starter_ifnet();
  next.start = folder.path;
  next.rate = 1e-9;
  train_interpolator_on(motion, next, silent);
  const auto before = nn::SafetensorsFile(folder.weights_path()).tensors(),
             after = nn::SafetensorsFile(folder_ / "next" / "model.safetensors").tensors();
  for (const auto& [name, weight] : before) EXPECT_TRUE(at::equal(weight, after.at(name))) << name;
  next.network = tiny();
  EXPECT_THROW(train_interpolator_on(motion, next, silent), nn::LoadError);  // not its sizes
  next.network.scales = {1};
  EXPECT_THROW(train_interpolator_on(motion, next, silent), Failure);
}

TEST_F(InterpolatorTraining, a_network_that_gives_the_mean_of_both_scores_as_the_blend_does) {
  nn::TensorMap weights = random_weights_of<models::rife::IfNet>(tiny(), 5);
  for (auto& [name, weight] : weights)
    if (name.find("lastconv") != std::string::npos) weight.zero_();  // no flow, and half of each picture
  const auto ready = models::load_network<models::rife::IfNet>(nn::make_checkpoint(weights, "net"), tiny(), {});
  const auto score = score_interpolator(*ready.model, small_motion().training, 10);
  EXPECT_NEAR(score.network, score.blend, 1e-3);
  EXPECT_GT(score.blend, 10);
  EXPECT_LT(score.blend, 40);
}

}  // namespace
}  // namespace kinora::train
