#pragma once
// RIFE's checkpoints: flownet.pkl of Practical-RIFE, or the same as safetensors.
#include "models/rife/ifnet.hpp"
#include "nn/checkpoint.hpp"
#include "nn/model_folder_fwd.hpp"

namespace kinora::models::rife {

// Without what training left in the file (teacher.*, caltime.*), and without the prefix "module.".
nn::Checkpoint with_ifnet_names(nn::Checkpoint checkpoint);

inline constexpr const char* kIfnetArchitecture = "IFNet";

// config.json "scale_list" of a model folder: the scale of each block; empty when it has none. Throws nn::LoadError.
std::vector<double> configured_scales(const nn::ModelFolder& model);

struct LoadedIfnet {
  IfNet net;
  std::int64_t parameters = 0;
};
// scales: of each block, when the file's own name does not tell; empty: as infer_ifnet_config() finds. Throws nn::LoadError.
LoadedIfnet load_ifnet(const nn::Checkpoint& checkpoint, const nn::Placement& placement, const std::vector<double>& scales = {});

}  // namespace kinora::models::rife
