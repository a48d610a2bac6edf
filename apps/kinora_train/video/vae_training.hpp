#pragma once
// The first part of `kinora-train text-to-video`: the video VAE learns to store procedural clips.
#include <string>

#include "kinora_train/fit.hpp"
#include "kinora_train/video/trial.hpp"
#include "models/wan/vae.hpp"

namespace kinora::train {

// Trains on cut-outs of clips, now and then on whole ones. Gives the averaged weights, float32.
nn::TensorMap train_vae(const models::wan::VaeConfig& config, FitSettings settings, at::ScalarType dtype, const Talk& talk);

// Trains the decoder alone, on cut-outs of all frames, for latents that stay as they are. Gives the whole VAE's weights.
nn::TensorMap train_decoder(const models::wan::VaeConfig& config, const nn::TensorMap& weights, FitSettings settings, at::ScalarType dtype,
                            const Talk& talk);

// How whole clips of unseen combinations come back: PSNR in dB over all pixels of all, and in how many the checker still reads what they
// show. A model draws no shape that its VAE does not keep.
struct Kept {
  double psnr_db = 0;
  Score read;
};
Kept kept_by(const models::wan::Vae& vae, int clips);
std::string describe(const Kept& kept);  // "come back with 27.10 dB, the checker reads shape 5, ... of 16"

// The VAE from averaged weights, for use.
std::shared_ptr<const models::wan::Vae> ready_vae(const models::wan::VaeConfig& config, const nn::TensorMap& weights, at::ScalarType dtype);

}  // namespace kinora::train
