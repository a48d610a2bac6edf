#pragma once
// Writes the trained network as a model folder with its card.
#include <cstdint>
#include <string>

#include "kinora_train/samples.hpp"
#include "models/esrgan/srvgg.hpp"
#include "nn/tensor_map.hpp"

namespace kinora::train {

struct TrainSettings;

struct TrainedHow {
  std::int64_t steps = 0;
  double psnr = 0;          // luma, held-out pairs
  double bicubic_psnr = 0;  // of the same pairs
  const SampleSet& samples;
};

// Weights are stored as fp32. Keeps "metrics" of a card that is there already out: they belong to the old weights.
void write_upscaler(const TrainSettings& settings, const models::esrgan::SrvggConfig& config, const nn::TensorMap& weights,
                    const TrainedHow& how);

}  // namespace kinora::train
