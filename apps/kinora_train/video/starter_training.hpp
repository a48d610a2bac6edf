#pragma once
// The run of `kinora-train text-to-video`: VAE, latents, text encoder and transformer, model folder. What is done is kept beside the
// folder, in WORK, so that a stopped run goes on. Throws Failure, nn::LoadError, c10::Error.
#include <cstdint>
#include <filesystem>
#include <optional>

#include "kinora_train/fit.hpp"

namespace kinora::train {

struct StarterSettings {
  std::filesystem::path out;
  std::filesystem::path work;     // empty: OUT.work; checkpoints and latents
  std::optional<double> minutes;  // of training, all parts, as FitSettings has them; exactly one of these two
  std::optional<std::int64_t> steps;
  double vae_share = 0.15, decoder_share = 0.15;  // of minutes or steps
  bool resume = false;
  std::uint64_t seed = 1;
  int threads = 1;
  bool bf16 = false;
  std::int64_t clips = 6144;  // that latents are made of
  std::int64_t batch = 16;
  double vae_rate = 1e-3, rate = 1e-3;
  double save_every_s = 120;
  int judged = 12;  // held-out combinations that the checker looks at after a checkpoint; 0: none
};

void train_starter(const StarterSettings& settings, const Talk& talk);

}  // namespace kinora::train
