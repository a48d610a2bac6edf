#pragma once
// Clips as latents of the trained VAE, made once: what the transformer learns from.
#include <cstdint>
#include <vector>

#include "kinora_train/clips/scene.hpp"
#include "kinora_train/fit.hpp"
#include "models/wan/vae.hpp"

namespace kinora::train {

struct Latents {
  at::Tensor values;                    // [N, channels, frames, rows, columns] bfloat16, mean 0 and deviation 1 in each channel
  std::vector<Combination> shown;       // of each clip; none of them held out
  std::vector<double> mean, deviation;  // of the channels as the VAE gives them
};

// `clips` scenes drawn from the seed, the combinations in turn.
Latents make_latents(const models::wan::Vae& vae, std::int64_t clips, std::uint64_t seed, const Talk& talk);

// One safetensors file. Reading refuses files that were made of another number of clips or seed (Failure).
void save_latents(const std::filesystem::path& path, const Latents& latents, std::uint64_t seed);
Latents load_latents(const std::filesystem::path& path, std::int64_t clips, std::uint64_t seed);

}  // namespace kinora::train
