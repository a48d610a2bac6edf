#include "kinora_train/interpolator/batches.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "kinora_train/interpolator/moving_scene.hpp"
#include "kinora_train/pictures.hpp"

namespace kinora::train {
namespace {

constexpr double kMiddleShare = 0.6;  // of the batches are of the middle; the others of these times
constexpr double kNoiseShare = 0.3, kStrongestNoise = 4;

// Which pictures of a run show this time.
struct Choice {
  double time;
  std::int64_t first, truth, last;
};
constexpr std::array<Choice, 10> kChoices{{{1.0 / 2, 0, 1, 2},
                                           {1.0 / 2, 1, 2, 3},
                                           {1.0 / 2, 0, 2, 4},
                                           {1.0 / 2, 0, 2, 4},
                                           {1.0 / 4, 0, 1, 4},
                                           {3.0 / 4, 0, 3, 4},
                                           {1.0 / 3, 0, 1, 3},
                                           {1.0 / 3, 1, 2, 4},
                                           {2.0 / 3, 0, 2, 3},
                                           {2.0 / 3, 1, 3, 4}}};

double draw_time(Random& random) {
  constexpr std::array kTimes{1.0 / 4, 1.0 / 3, 2.0 / 3, 3.0 / 4};
  return random.chance(kMiddleShare) ? 0.5 : kTimes[random.next() % kTimes.size()];
}

const Choice& draw_choice(double time, Random& random) {
  for (;;)
    if (const Choice& choice = kChoices[random.next() % kChoices.size()]; choice.time == time) return choice;
}

// The three pictures of one place in the batch, uint8 or float32 0..255 [3, side, side].
using Three = std::array<at::Tensor, 3>;

Three from_run(const at::Tensor& runs, double time, std::int64_t side, Random& random) {
  at::Tensor run = runs[static_cast<std::int64_t>(random.next() % static_cast<std::uint64_t>(runs.size(0)))];
  const int top = random.integer(0, static_cast<int>(kRunSide - side)), left = random.integer(0, static_cast<int>(kRunSide - side));
  run = run.slice(2, top, top + side).slice(3, left, left + side);
  if (random.chance(0.5)) run = run.flip({0});  // time runs backwards
  if (random.chance(0.5)) run = run.flip({3});
  if (random.chance(0.5)) run = run.flip({2});
  if (random.chance(0.5)) run = run.transpose(2, 3);
  const Choice& choice = draw_choice(time, random);
  return {run[choice.first], run[choice.truth], run[choice.last]};
}

Three from_scene(const MovingScene& scene, double time, std::int64_t side, Random& random) {
  Three three{picture_at(scene, 0, side), picture_at(scene, time, side), picture_at(scene, 1, side)};
  if (random.chance(kNoiseShare)) {
    const double deviation = random.uniform(0, kStrongestNoise);
    for (at::Tensor& picture : three) picture = noisy(picture, deviation, random.next());
  }
  return three;
}

at::Tensor as_input(const std::vector<at::Tensor>& pictures) {
  std::vector<at::Tensor> floats;
  floats.reserve(pictures.size());
  for (const at::Tensor& picture : pictures) floats.push_back(picture.to(at::kFloat));
  return at::stack(floats).mul_(1.0 / 255);
}

}  // namespace

MotionBatch draw_motion_batch(const MotionSet& set, const BatchSize& size, std::uint64_t seed, std::uint64_t step) {
  Random random(seed, step);
  MotionBatch batch;
  batch.time = draw_time(random);
  auto photos = std::llround(size.moved_photos * static_cast<double>(size.pictures));
  if (!set.training.defined()) photos = size.pictures;
  if (set.photos.empty()) photos = 0;
  std::vector<at::Tensor> first, truth, last, flow;
  for (std::int64_t i = 0; i < size.pictures; ++i) {
    Three three;
    if (i < photos) {
      const MovingScene scene = draw_scene(set.photos, size.side, random);
      three = from_scene(scene, batch.time, size.side, random);
      flow.push_back(flow_at(scene, batch.time, size.side));
    } else {
      three = from_run(set.training, batch.time, size.side, random);
    }
    first.push_back(three[0]);
    truth.push_back(three[1]);
    last.push_back(three[2]);
  }
  batch.first = as_input(first);
  batch.truth = as_input(truth);
  batch.last = as_input(last);
  if (!flow.empty()) batch.flow = at::stack(flow);
  return batch;
}

MotionBatch middle_of_run(const at::Tensor& runs, std::int64_t index, std::int64_t span) {
  const at::Tensor run = runs[index];
  const std::int64_t middle = kRunFrames / 2;
  return {as_input({run[middle - span]}), as_input({run[middle + span]}), as_input({run[middle]}), 0.5, {}};
}

}  // namespace kinora::train
