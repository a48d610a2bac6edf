#include "runner/model_entry.hpp"

#include <algorithm>
#include <fstream>

#include "base/printable.hpp"
#include "models/check_model.hpp"
#include "nn/component_files.hpp"
#include "nn/load_error.hpp"

namespace kinora::runner {
namespace {

namespace fs = std::filesystem;

ModelEntry described(std::string id, const fs::path& path, const fs::path& folder, models::PipelineSettings parts) {
  ModelEntry entry{.id = std::move(id),
                   .path = path,
                   .name = {},
                   .description = {},
                   .license = license_of(folder),
                   .tasks = {},
                   .pipeline = models::describe_pipeline(path, parts),
                   .parts = std::move(parts)};
  entry.name = entry.id;
  entry.description = entry.pipeline->pipeline;
  for (const models::Task task : entry.pipeline->tasks) entry.tasks.emplace_back(models::name(task));
  if (entry.serves(models::name(models::Task::image_to_video))) entry.tasks.emplace_back("video-extend");
  return entry;
}

}  // namespace

bool ModelEntry::serves(std::string_view task) const { return std::find(tasks.begin(), tasks.end(), task) != tasks.end(); }

std::string license_of(const fs::path& folder) {
  std::ifstream in(folder / "README.md");
  std::string line;
  for (int lines = 0; lines < 60 && std::getline(in, line) && line.size() < 1000; ++lines) {
    constexpr std::string_view kKey = "license:";
    if (!line.starts_with(kKey)) continue;
    const auto begin = line.find_first_not_of(" \"'", kKey.size());
    if (begin == std::string::npos) continue;
    return base::printable(line.substr(begin, line.find_last_not_of(" \"'\r") + 1 - begin), line.size());
  }
  return "unknown";
}

std::string shard_stem(const fs::path& index) {
  const std::string name = index.filename().string();
  return name.substr(0, name.find(".safetensors.index"));
}

std::vector<fs::path> component_weights(const fs::path& component) {
  std::error_code error;
  if (!fs::exists(component, error)) return {};
  fs::path weights = component;
  try {
    if (fs::is_directory(component, error)) weights = nn::find_weights(component);
  } catch (const nn::LoadError&) {
    return {};
  }
  if (weights.extension() != ".json") return {weights};
  // "model.fp16.safetensors.index.json" names shards "model.fp16-00001-of-00002.safetensors"
  const std::string stem = shard_stem(weights);
  std::vector<fs::path> shards;
  for (const auto& entry : fs::directory_iterator(weights.parent_path(), error))
    if (entry.path().filename().string().starts_with(stem + "-")) shards.push_back(entry.path());
  return shards;
}

std::uint64_t weights_bytes(const fs::path& component) {
  std::uint64_t sum = 0;
  std::error_code error;
  for (const auto& file : component_weights(component)) sum += fs::file_size(file, error);
  return sum;
}

ModelEntry network_entry(const nn::ModelFolder& model, bool loose) {
  const bool interpolates = std::find(model.card.tasks.begin(), model.card.tasks.end(), "frame-interpolation") != model.card.tasks.end();
  interpolates ? models::check_interpolator(model) : models::check_upscaler(model);
  return {.id = model.id,
          .path = model.path,
          .name = model.card.name,
          .description = model.card.description,
          .license = model.card.license,
          .tasks = model.card.tasks,
          .scale = model.card.scale,
          .bytes = model.weights_bytes,
          .largest_part = model.weights_bytes,
          .loose = loose,
          .pipeline = std::nullopt};
}

ModelEntry pipeline_entry(std::string id, const fs::path& folder, models::PipelineSettings parts) {
  auto entry = described(std::move(id), folder, folder, std::move(parts));
  models::check_pipeline(folder, entry.parts);
  std::error_code error;
  for (const auto& component : fs::directory_iterator(folder, error)) {
    if (!component.is_directory(error)) continue;
    const bool replaced = entry.parts.unet && component.path().filename() == "unet";
    const auto bytes = replaced ? fs::file_size(*entry.parts.unet, error) : weights_bytes(component.path());
    entry.bytes += bytes;
    entry.largest_part = std::max(entry.largest_part, bytes);
  }
  entry.least = models::least_device_bytes(folder, entry.parts);
  return entry;
}

ModelEntry single_file_entry(std::string id, const fs::path& file, std::vector<fs::path> companions) {
  models::PipelineSettings parts;
  parts.companions = std::move(companions);
  auto entry = described(std::move(id), file, file.parent_path(), std::move(parts));
  entry.bytes = entry.largest_part = weights_bytes(file);
  for (const auto& companion : entry.parts.companions) {
    const auto bytes = weights_bytes(companion);
    entry.bytes += bytes;
    entry.largest_part = std::max(entry.largest_part, bytes);
  }
  entry.least = models::least_device_bytes(file, entry.parts);
  return entry;
}

}  // namespace kinora::runner
