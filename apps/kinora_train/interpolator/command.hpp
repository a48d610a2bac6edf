#pragma once
// `kinora-train interpolator` and `evaluate-interpolator`.
#include <CLI/CLI.hpp>

#include "kinora_train/interpolator/evaluate.hpp"
#include "kinora_train/interpolator/training.hpp"

namespace kinora::train {

struct InterpolatorCommands {
  InterpolatorSettings training;
  InterpolationEvaluateSettings evaluation;
};

// The settings must live as long as the app.
void add_interpolator_commands(CLI::App& app, InterpolatorCommands& settings, const Talk& talk);

}  // namespace kinora::train
