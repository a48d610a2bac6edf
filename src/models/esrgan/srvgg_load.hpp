#pragma once
// An SRVGG model folder: config.json {"architecture": "SRVGGNetCompact", "num_in_ch", "num_out_ch", "num_feat", "num_conv", "upscale",
// "act_type"}; absent numbers have the architecture's defaults. "weak_denoise" names a second checkpoint of the same sizes, beside the
// first, that was trained to keep noise. Errors: nn::LoadError.
#include "models/esrgan/srvgg.hpp"
#include "nn/model_folder.hpp"

namespace kinora::models::esrgan {

inline constexpr const char* kSrvggArchitecture = "SRVGGNetCompact";

struct SrvggModel {
  SrvggConfig config;
  nn::TensorMap weights;            // mapped, as stored
  nn::TensorMap weak_denoise = {};  // of the second checkpoint; empty: there is none
};

SrvggConfig read_srvgg_config(const nn::ModelFolder& model);
SrvggModel load_srvgg(const nn::ModelFolder& model);
// What config.json holds, without "architecture"; for nn::write_model_folder.
nlohmann::json to_json(const SrvggConfig& config);

}  // namespace kinora::models::esrgan
