#pragma once
// A model as it lies on disk: a folder ID/ with model.safetensors (weights), config.json (architecture and its sizes) and card.json
// (what it is for, licence, data, metrics; README.md beside it is for people). docs/models.md gives every field.
// Reading the description loads no weights. Errors: nn::LoadError, naming file and field. Any thread.
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "nn/checkpoint.hpp"
#include "nn/weight_check.hpp"

namespace kinora::nn {

inline constexpr std::uint64_t kMaxModelJsonBytes = 1 << 20;
inline constexpr std::size_t kMaxModelIdBytes = 64;

struct ModelCard {
  std::string name;                // for people, "Kinora SR 2x"
  std::string description;         // one sentence
  std::vector<std::string> tasks;  // "video-upscale", "image-upscale": at least one
  std::int64_t scale = 1;          // enlargement per side, 1..8
  std::string license;             // SPDX identifier; never empty
  nlohmann::json rest;             // all further members ("data", "metrics", "source", ...): an object, kept as they are
};

struct ModelFolder {
  std::string id;              // the folder's name: 1..kMaxModelIdBytes of [A-Za-z0-9._-], no leading dot
  std::filesystem::path path;  // absolute
  std::string architecture;    // config.json "architecture", "SRVGGNetCompact"
  nlohmann::json config;       // config.json whole
  ModelCard card;
  std::uint64_t weights_bytes = 0;
  std::filesystem::path weights_file;  // empty: model.safetensors in the folder

  std::filesystem::path weights_path() const { return weights_file.empty() ? path / "model.safetensors" : weights_file; }
};

// Reads config.json and card.json and sees that the weights are there.
ModelFolder read_model_folder(const std::filesystem::path& path);

// The weights, after names and shapes were compared with `needed` and every stored value was seen to be finite and of a floating
// type. The tensors are mapped, in the stored dtype.
TensorMap load_weights(const Checkpoint& checkpoint, const WeightShapes& needed);
TensorMap load_weights(const ModelFolder& model, const WeightShapes& needed);

// Makes the folder (weights, config.json with architecture added, card.json), replacing these three files. For kinora-train.
void write_model_folder(const std::filesystem::path& path, const std::string& architecture, const nlohmann::json& config,
                        const ModelCard& card, const TensorMap& weights);

}  // namespace kinora::nn
