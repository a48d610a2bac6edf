#pragma once
// The models of some folders as they lie on disk; nothing is loaded. In a folder may lie
//   - a folder of ours: config.json and card.json (nn/model_folder.hpp), for upscalers;
//   - a diffusers folder: model_index.json;
//   - a repository of a hub cache, models--OWNER--NAME, whose snapshot is a diffusers folder or holds files; its id is OWNER/NAME;
//   - a file (.safetensors, .ckpt, .pth, .pkl), there or in a folder or repository without model_index.json: a whole model in its
//     authors' layout, a UNet for SDXL in diffusers' names, an adapter (LoRA), an upscaler or interpolator (models/loose_model.hpp). Its
//     id is its name without ending, after that of its folder; the only file of a folder, RIFE's flownet.pkl, and a LoRA of the usual
//     name have their folder's id.
// A folder that is a link to one of the folders, to one above, or to its own holder is left out: what it holds is seen without it.
// Any thread.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "runner/model_entry.hpp"

namespace kinora::runner {

struct AdapterEntry {
  std::string id;
  std::filesystem::path path;  // the file
  std::string license;
  std::uint64_t bytes = 0;
  std::size_t folder = 0;  // which of the folders it lies in
};

// What looks like a model and cannot be used. The reason names files as they lie in the model's folder.
struct Refusal {
  std::string id, reason;
};

struct ModelList {
  std::vector<ModelEntry> models;      // by id
  std::vector<AdapterEntry> adapters;  // by id
  std::vector<Refusal> refusals;       // by id
};
// Of all the folders; of two models with one id that of the earlier folder counts.
ModelList list_models(const std::vector<std::filesystem::path>& folders);

}  // namespace kinora::runner
