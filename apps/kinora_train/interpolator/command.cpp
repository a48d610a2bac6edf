#include "kinora_train/interpolator/command.hpp"

#include <cstdio>

#include "kinora_train/interpolator/learning.hpp"
#include "kinora_train/positive.hpp"

namespace kinora::train {
namespace {

void add_training(CLI::App& app, InterpolatorSettings& settings, const Talk& talk) {
  settings.network = starter_ifnet();
  CLI::App& command = *app.add_subcommand("interpolator", "train a small RIFE network from photos and clips");
  command.add_option("--data", settings.data, "folders or files with photos and clips")->required()->expected(1, -1);
  command.add_option("--list", settings.list, "use only these files of --data: one relative path a line");
  command.add_option("--motion", settings.motion, "prepared pictures: read when the file exists, else written");
  command.add_option("--out", settings.out, "model folder to write")->required();
  command.add_option("--checkpoint", settings.checkpoint, "where a run can be resumed from (default: OUT.checkpoint)");
  command.add_option("--start", settings.start, "model folder of this network to start from (default: random weights)");
  auto* minutes =
      command.add_option("--minutes", settings.minutes, "how long to train: processor time divided by --threads")->check(positive());
  auto* steps = command.add_option("--steps", settings.steps, "how many updates to make")->check(positive());
  minutes->excludes(steps);
  command.add_flag("--resume", settings.resume, "go on from the checkpoint where there is one");
  command.add_option("--seed", settings.seed, "of everything random")->capture_default_str();
  command.add_option("--threads", settings.threads, "processor threads")->check(CLI::Range(1, 256))->capture_default_str();
  command.add_flag("--bf16", settings.bf16, "convolutions in bfloat16 (faster on some processors)");
  command.add_option("--channels", settings.network.channels, "of each block, coarse to fine, even")
      ->check(CLI::Range(2, 1024))
      ->capture_default_str();
  command.add_option("--layers", settings.network.layers, "residual convolutions of each block")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command.add_option("--scales", settings.network.scales, "how much each block shrinks pictures")
      ->check(CLI::IsMember({1.0, 2.0, 4.0, 8.0, 16.0, 32.0}))
      ->capture_default_str();
  command.add_option("--runs", settings.runs, "runs of pictures to take from all clips")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command.add_option("--batch", settings.batch.pictures, "pictures an update")->check(CLI::Range(1, 1024))->capture_default_str();
  command.add_option("--side", settings.batch.side, "their sides in pixels")
      ->check(CLI::Range(std::int64_t{32}, kRunSide))
      ->capture_default_str();
  command.add_option("--moved-photos", settings.batch.moved_photos, "part of them that are photos moved about")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command.add_option("--rate", settings.rate, "highest learning rate")->check(positive())->capture_default_str();
  command.add_option("--muon-rate", settings.muon_rate, "the same of what Muon updates, times that")
      ->check(positive())
      ->capture_default_str();
  command.add_option("--flow", settings.flow_share, "weight of a pixel of wrong flow in the loss")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command.add_option("--save-every", settings.save_every_s, "seconds between checkpoints")->check(positive())->capture_default_str();
  command.callback([&settings, talk] {
    if (!settings.minutes && !settings.steps) throw CLI::RequiredError("--minutes or --steps");
    train_interpolator(settings, talk);
  });
}

void add_evaluation(CLI::App& app, InterpolationEvaluateSettings& settings, const Talk& talk) {
  CLI::App& command =
      *app.add_subcommand("evaluate-interpolator", "drop every second picture of clips, and compare what is made in its place with it");
  command.add_option("--model", settings.model, "model folder, a checkpoint (flownet.pkl), or a folder that holds one")->required();
  command.add_option("--clips", settings.clips, "files or folders with clips")->required()->expected(1, -1);
  command.add_option("--frames", settings.frames, "pictures of each clip that are made again")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command.add_flag("--update-card", settings.update_card, "write the table into the model's card.json");
  command.add_option("--crops", settings.crops, "folder for crops: blend | model | true picture");
  command.add_option("--threads", settings.threads, "processor threads")->check(CLI::Range(1, 256))->capture_default_str();
  command.callback([&settings, talk] { std::printf("%s", table_of(evaluate_interpolator(settings, talk)).c_str()); });
}

}  // namespace

void add_interpolator_commands(CLI::App& app, InterpolatorCommands& settings, const Talk& talk) {
  add_training(app, settings.training, talk);
  add_evaluation(app, settings.evaluation, talk);
}

}  // namespace kinora::train
