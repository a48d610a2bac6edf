#pragma once
// The run of `kinora-train interpolator`: photos and clips -> motion -> updates -> model folder. Throws Failure, nn::LoadError, c10::Error.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "kinora_train/fit.hpp"
#include "kinora_train/interpolator/batches.hpp"
#include "models/rife/ifnet_config.hpp"

namespace kinora::train {

struct InterpolatorSettings {
  std::vector<std::filesystem::path> data;  // folders or files
  std::filesystem::path list;               // empty: everything in data
  std::filesystem::path motion;             // prepared motion: read when the file exists, else written; empty: neither
  std::filesystem::path out;                // the model folder to write
  std::filesystem::path checkpoint;         // empty: OUT.checkpoint
  std::filesystem::path start;              // model folder to start from; empty: random weights
  std::optional<double> minutes;            // as FitSettings has them; exactly one of these two
  std::optional<std::int64_t> steps;
  bool resume = false;
  std::uint64_t seed = 1;
  int threads = 1;
  bool bf16 = false;
  std::size_t runs = 3000;  // of pictures, from all clips
  BatchSize batch{};
  double rate = 4e-4;
  double muon_rate = 5;     // FitSettings::muon_rate
  double flow_share = 0.3;  // interpolation_loss()
  double save_every_s = 120;
  models::rife::IfnetConfig network;  // starter_ifnet()
};

FitReport train_interpolator(const InterpolatorSettings& settings, const Talk& talk);

// The updates alone, over motion at hand.
FitReport train_interpolator_on(const MotionSet& motion, const InterpolatorSettings& settings, const Talk& talk);

}  // namespace kinora::train
