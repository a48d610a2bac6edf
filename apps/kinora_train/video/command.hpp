#pragma once
// `kinora-train text-to-video`, `text-to-video-check` and `see-clip`.
#include <CLI/CLI.hpp>

#include "kinora_train/video/starter_training.hpp"
#include "kinora_train/video/trial.hpp"

namespace kinora::train {

struct VideoCommands {
  StarterSettings training;
  TrialSettings trial;
  std::filesystem::path model, sheet, file;
  int seeds = 3, threads = 2;
};

// The settings must live as long as the app.
void add_video_commands(CLI::App& app, VideoCommands& settings, const Talk& talk);

}  // namespace kinora::train
