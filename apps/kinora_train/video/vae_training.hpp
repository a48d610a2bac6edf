#pragma once
// The first part of `kinora-train text-to-video`: the video VAE learns to store procedural clips.
#include "kinora_train/video/fit.hpp"
#include "models/wan/vae.hpp"

namespace kinora::train {

// Trains on cut-outs of clips, now and then on whole ones. Gives the averaged weights, float32.
nn::TensorMap train_vae(const models::wan::VaeConfig& config, const FitSettings& settings, at::ScalarType dtype, const Talk& talk);

// Trains the decoder alone, on cut-outs of all frames, for latents that stay as they are. Gives the whole VAE's weights.
nn::TensorMap train_decoder(const models::wan::VaeConfig& config, const nn::TensorMap& weights, const FitSettings& settings,
                            at::ScalarType dtype, const Talk& talk);

// How well whole clips of unseen combinations come back: PSNR in dB over `clips` of them, over all pixels of all.
double vae_psnr(const models::wan::Vae& vae, int clips);

// The VAE from averaged weights, for use.
std::shared_ptr<const models::wan::Vae> ready_vae(const models::wan::VaeConfig& config, const nn::TensorMap& weights, at::ScalarType dtype);

}  // namespace kinora::train
