#pragma once
// The run of `kinora-train upscaler`: pictures -> pairs -> updates -> model folder. Throws Failure, nn::LoadError, c10::Error.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "kinora_train/fit.hpp"
#include "kinora_train/network.hpp"
#include "kinora_train/samples.hpp"

namespace kinora::train {

struct TrainSettings {
  std::vector<std::filesystem::path> data;  // folders or files
  std::filesystem::path list;               // empty: everything in data
  std::filesystem::path samples;            // prepared pairs: read when the file exists, else written; empty: neither
  std::filesystem::path out;                // the model folder to write
  std::filesystem::path checkpoint;         // empty: OUT.checkpoint
  std::int64_t scale = 2;
  std::int64_t features = 32;
  std::int64_t convolutions = 8;
  std::optional<double> minutes;  // as FitSettings has them; exactly one of these two
  std::optional<std::int64_t> steps;
  std::filesystem::path start;  // model folder to start from, as grown() takes it; empty: random weights
  bool resume = false;
  std::uint64_t seed = 1;
  int threads = 1;
  Precision precision = Precision::fp32;
  std::size_t shots = 1200;
  std::int64_t batch = 16;
  double peak_rate = 2e-3;
  double last_rate = 2e-6;
  double warmup = 0.01;  // fraction of the run
  double muon_rate = 1;  // FitSettings::muon_rate
  double average_decay = 0.999;
  double save_every_s = 120;
  std::string licence = "Apache-2.0";
};

struct TrainReport {
  std::int64_t steps = 0;  // from the first start
  double best_psnr = 0;
  double bicubic_psnr = 0;
  std::vector<double> losses;  // of this call's steps
};

// Trains and leaves the best averaged weights (by the held-out pairs, else the training pairs) in settings.out.
TrainReport train_upscaler(const TrainSettings& settings, const Talk& talk);

// The updates alone, over pairs at hand; what train_upscaler does between reading data and the end.
TrainReport train_on(const SampleSet& samples, const TrainSettings& settings, const Talk& talk);

}  // namespace kinora::train
