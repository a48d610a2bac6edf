#include "kinora_train/interpolator/training.hpp"

#include <ATen/Parallel.h>

#include <cmath>

#include "kinora_train/error.hpp"
#include "kinora_train/interpolator/learning.hpp"
#include "kinora_train/leaves.hpp"
#include "kinora_train/text.hpp"
#include "models/rife/ifnet_load.hpp"
#include "nn/model_folder.hpp"

namespace kinora::train {
namespace {

using models::rife::IfNet;

constexpr const char* kPrefix = "interpolator";
constexpr std::int64_t kScoredRuns = 60;
constexpr double kLastRate = 0.002;  // of the highest

MotionSet prepare(const InterpolatorSettings& settings, const Talk& talk) {
  if (!settings.motion.empty() && std::filesystem::exists(settings.motion)) return load_motion_set(settings.motion);
  MotionSet motion = make_motion_set(find_sources(settings.data, settings.list), settings.runs, settings.seed, talk);
  const auto count = [](const at::Tensor& runs) { return static_cast<long long>(runs.defined() ? runs.size(0) : 0); };
  talk(text("%zu photos, %zu clips; %lld runs to learn from, %lld for the score; %zu files skipped", motion.photo_files, motion.clip_files,
            count(motion.training), count(motion.held_out), motion.skipped.size()));
  if (!settings.motion.empty()) save_motion_set(settings.motion, motion);
  return motion;
}

nn::TensorMap first_weights(const InterpolatorSettings& settings) {
  if (settings.start.empty()) return random_weights_of<IfNet>(settings.network, settings.seed);
  nn::TensorMap weights = nn::load_weights(nn::read_model_folder(settings.start), models::rife::ifnet_shapes(settings.network));
  for (auto& [name, weight] : weights) weight = weight.to(at::kFloat);
  return weights;
}

// The convolutions of the blocks but for what gives flow and mask; that, the encoder and all biases stay with Adam. Pictures are far from
// zero in the mean, which hides what differs between them from Adam; Muon looks at all directions alike.
bool within_a_block(const std::string& name) {
  return name.ends_with("weight") && (name.find(".conv0.") != std::string::npos || name.find(".convblock.") != std::string::npos);
}

double rounded(double value) { return std::round(value * 1000) / 1000; }

void write_folder(const InterpolatorSettings& settings, const MotionSet& motion, const nn::TensorMap& weights, std::int64_t steps,
                  const InterpolationScore& score) {
  const auto runs = [](const at::Tensor& all) { return all.defined() ? all.size(0) : 0; };
  nn::ModelCard card;
  card.name = "Kinora Interpolator";
  card.description = "Makes pictures between two pictures of a video; small enough for processors.";
  card.tasks = {"frame-interpolation"};
  card.license = "Apache-2.0";
  card.rest = {{"data",
                {{"list", settings.list.filename().string()},
                 {"photos", motion.photo_files},
                 {"clips", motion.clip_files},
                 {"runs", runs(motion.training)},
                 {"held_out_runs", runs(motion.held_out)}}},
               {"training",
                {{"program", "kinora-train interpolator"},
                 {"steps", steps},
                 {"seed", settings.seed},
                 {"batch", settings.batch.pictures},
                 {"side", settings.batch.side},
                 {"precision", settings.bf16 ? "bf16" : "fp32"},
                 {"held_out_psnr_db", rounded(score.network)},
                 {"held_out_blend_psnr_db", rounded(score.blend)}}}};
  nn::TensorMap stored;
  for (const auto& [name, weight] : weights) stored[name] = weight.detach().to(at::kHalf).contiguous();
  nn::write_model_folder(settings.out, models::rife::kIfnetArchitecture, {{"scale_list", settings.network.scales}}, card, stored);
}

}  // namespace

FitReport train_interpolator_on(const MotionSet& motion, const InterpolatorSettings& settings, const Talk& talk) {
  const auto& network = settings.network;
  if (network.channels.empty() || network.layers.size() != network.channels.size() || network.scales.size() != network.channels.size())
    throw Failure("channels, layers and scales must be as many: one of each for every block");
  Leaves leaves;
  const auto net = leaves.build<IfNet>(kPrefix, settings.network, first_weights(settings),
                                       {.dtype = settings.bf16 ? at::kBFloat16 : at::kFloat, .channels_last = true});
  FitSettings how;
  how.name = kPrefix;
  how.checkpoint = settings.checkpoint.empty() ? std::filesystem::path(settings.out.string() + ".checkpoint") : settings.checkpoint;
  how.resume = settings.resume;
  how.minutes = settings.minutes;
  how.steps = settings.steps;
  how.threads = settings.threads;
  how.seed = settings.seed;
  how.peak_rate = settings.rate;
  how.last_rate = settings.rate * kLastRate;
  how.save_every_s = settings.save_every_s;
  how.by_muon = within_a_block;
  how.muon_rate = settings.muon_rate;
  const auto write = [&](const nn::TensorMap& average, std::int64_t step) {
    const nn::TensorMap weights = part_of(average, kPrefix);
    const at::Tensor& judged = motion.held_out.defined() ? motion.held_out : motion.training;
    InterpolationScore score;
    if (judged.defined()) {
      const auto ready = models::load_network<IfNet>(nn::make_checkpoint(weights, kPrefix), settings.network, {.channels_last = true});
      score = score_interpolator(*ready.model, judged, kScoredRuns);
    }
    write_folder(settings, motion, weights, step, score);
    talk(text("step %lld  PSNR of pictures not trained on %.3f dB, blend %.3f dB; model in %s", static_cast<long long>(step), score.network,
              score.blend, settings.out.c_str()));
  };
  auto report = fit(
      leaves, how,
      [&](std::int64_t step) {
        const auto batch = draw_motion_batch(motion, settings.batch, settings.seed, static_cast<std::uint64_t>(step));
        return interpolation_loss(*net, batch, settings.flow_share);
      },
      write, talk);
  write(report.average, report.steps);
  return report;
}

FitReport train_interpolator(const InterpolatorSettings& settings, const Talk& talk) {
  at::set_num_threads(settings.threads);
  return train_interpolator_on(prepare(settings, talk), settings, talk);
}

}  // namespace kinora::train
