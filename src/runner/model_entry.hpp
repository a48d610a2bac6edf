#pragma once
// One model of a listing, described from its files, and seen to have the weights that it needs; nothing is loaded. Any thread. Errors:
// nn::LoadError.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/pipeline.hpp"
#include "nn/model_folder.hpp"
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
  std::uint64_t least = 0;                       // on the device, block by block; 0: it has no network that can be used so
  std::size_t folder = 0;                        // which of the folders it lies in
  bool loose = false;                            // path is a checkpoint file without a description
  std::optional<models::PipelineInfo> pipeline;  // absent: an upscaler or interpolator
  models::PipelineSettings parts = {};           // files that come from elsewhere: a UNet, tokenizers, companions

  bool serves(std::string_view task) const;
  WantedModel wanted() const { return {.id = id, .bytes = bytes, .largest_part = largest_part, .least = least}; }
};

// An upscaler or interpolator.
ModelEntry network_entry(const nn::ModelFolder& model, bool loose);
// A diffusers folder.
ModelEntry pipeline_entry(std::string id, const std::filesystem::path& folder, models::PipelineSettings parts = {});
// A whole model in its authors' layout, with the companions that it needs; its weights are not looked at, for its tokenizers may be missing
// yet.
ModelEntry single_file_entry(std::string id, const std::filesystem::path& file, std::vector<std::filesystem::path> companions = {});

// The weight files that a component's folder, a weight file or the index of shards stands for; none for a scheduler or a tokenizer.
std::vector<std::filesystem::path> component_weights(const std::filesystem::path& component);
std::uint64_t weights_bytes(const std::filesystem::path& component);  // of them
// "model.safetensors.index.json" -> "model", as its shards' names begin.
std::string shard_stem(const std::filesystem::path& index);
// The "license:" of a model card's front matter; "unknown" when it tells none.
std::string license_of(const std::filesystem::path& folder);

}  // namespace kinora::runner
