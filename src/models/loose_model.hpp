#pragma once
// A network published as one checkpoint file, as its authors give it away: Real-ESRGAN's and ESRGAN's .pth files, RIFE's flownet.pkl,
// the same as safetensors. What it is, is told from its tensors; nothing is read beside their names and shapes.
#include <filesystem>

#include "nn/model_folder.hpp"

namespace kinora::models {

// id: what the model shall be called. The folder's `weights_file` is the file, its config and card tell architecture, sizes, tasks and
// scale; the licence is "unknown". A "realesr-general-wdn-x4v3" beside "realesr-general-x4v3" becomes its weak_denoise.
// Throws nn::LoadError when the file is none of these networks.
nn::ModelFolder describe_loose_model(const std::filesystem::path& file, const std::string& id);

// A network wherever it lies: a folder of ours, such a file, or a folder that holds one as it was published: RIFE's flownet.pkl, there or
// in train_log/, else the only checkpoint. Throws nn::LoadError.
nn::ModelFolder describe_network(const std::filesystem::path& path);

}  // namespace kinora::models
