#pragma once
// The models of some folders as they lie on disk; nothing is loaded. A sub-folder may be
//   - a folder of ours: config.json and card.json (nn/model_folder.hpp), for upscalers;
//   - a folder with RIFE's flownet.pkl, as Practical-RIFE packs it;
//   - a diffusers folder: model_index.json;
//   - a repository of a hub cache, models--OWNER--NAME, whose snapshot is a diffusers folder; its id is OWNER/NAME.
// A checkpoint file beside them (.pth, .pkl, .safetensors) is a model of its own, by its name (models/loose_model.hpp).
// Any thread.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "models/pipeline.hpp"
#include "runner/residency.hpp"

namespace kinora::runner {

struct ModelEntry {
  std::string id;
  std::filesystem::path path;
  std::string name, description, license;
  std::vector<std::string> tasks;                // catalogue names
  std::int64_t scale = 0;                        // of an upscaler's network
  std::uint64_t bytes = 0;                       // of its weight files
  std::uint64_t largest_part = 0;                // of the component with most
  std::size_t folder = 0;                        // which of the folders it lies in
  bool loose = false;                            // path is a checkpoint file without a description
  std::optional<models::PipelineInfo> pipeline;  // absent: an upscaler or interpolator

  bool serves(std::string_view task) const;
  WantedModel wanted() const { return {.id = id, .bytes = bytes, .largest_part = largest_part}; }
};

struct ModelList {
  std::vector<ModelEntry> models;     // by id
  std::vector<std::string> refusals;  // why a sub-folder that looks like a model cannot be used
};
// Of all the folders; of two models with one id the first counts.
ModelList list_models(const std::vector<std::filesystem::path>& folders);

}  // namespace kinora::runner
