#pragma once
// The starter model as a folder in the Hugging Face layout, which the Wan pipeline loads like any other.
#include <filesystem>
#include <vector>

#include "kinora_train/video/starter_config.hpp"
#include "nn/tensor_map.hpp"

namespace kinora::train {

void write_tokenizer(const std::filesystem::path& folder);  // the folder "tokenizer"

// weights: "vae.NAME", "text_encoder.NAME", "transformer.NAME"; stored as bfloat16. mean, deviation: of the VAE's channels.
void write_starter_folder(const std::filesystem::path& folder, StarterConfig config, const nn::TensorMap& weights,
                          const std::vector<double>& mean, const std::vector<double>& deviation);

}  // namespace kinora::train
