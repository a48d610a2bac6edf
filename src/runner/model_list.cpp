#include "runner/model_list.hpp"

#include <algorithm>
#include <fstream>

#include "models/loose_model.hpp"
#include "nn/component_files.hpp"
#include "nn/hub_folder.hpp"
#include "nn/load_error.hpp"
#include "nn/model_folder.hpp"

namespace kinora::runner {
namespace {

namespace fs = std::filesystem;

// The "license:" of a model card's front matter; "unknown" when it tells none.
std::string license_of(const fs::path& folder) {
  std::ifstream in(folder / "README.md");
  std::string line;
  for (int lines = 0; lines < 60 && std::getline(in, line) && line.size() < 1000; ++lines) {
    constexpr std::string_view kKey = "license:";
    if (!line.starts_with(kKey)) continue;
    const auto begin = line.find_first_not_of(" \"'", kKey.size());
    if (begin == std::string::npos) continue;
    return line.substr(begin, line.find_last_not_of(" \"'\r") + 1 - begin);
  }
  return "unknown";
}

// Bytes of the weight files that a component would be loaded from; of a sharded one, all shards.
std::uint64_t weights_bytes(const fs::path& component) {
  fs::path weights;
  try {
    weights = nn::find_weights(component);
  } catch (const nn::LoadError&) {
    return 0;  // a scheduler, a tokenizer
  }
  std::error_code error;
  if (weights.extension() != ".json") return fs::file_size(weights, error);
  // "model.fp16.safetensors.index.json" names shards "model.fp16-00001-of-00002.safetensors"
  const std::string stem = weights.filename().string().substr(0, weights.filename().string().find(".safetensors.index"));
  std::uint64_t sum = 0;
  for (const auto& entry : fs::directory_iterator(component, error))
    if (entry.path().filename().string().starts_with(stem + "-")) sum += entry.file_size(error);
  return sum;
}

ModelEntry network(const nn::ModelFolder& model, bool loose) {
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

bool is_checkpoint(const fs::path& path) {
  const auto kind = path.extension();
  return kind == ".pth" || kind == ".pkl" || kind == ".safetensors";
}

ModelEntry generator(std::string id, const fs::path& folder) {
  ModelEntry entry{.id = std::move(id),
                   .path = folder,
                   .name = {},
                   .description = {},
                   .license = license_of(folder),
                   .tasks = {},
                   .pipeline = models::describe_pipeline(folder)};
  entry.name = entry.id;
  entry.description = entry.pipeline->pipeline;
  for (const models::Task task : entry.pipeline->tasks) entry.tasks.emplace_back(models::name(task));
  if (entry.serves(models::name(models::Task::image_to_video))) entry.tasks.emplace_back("video-extend");
  std::error_code error;
  for (const auto& component : fs::directory_iterator(folder, error)) {
    if (!component.is_directory(error)) continue;
    const auto bytes = weights_bytes(component.path());
    entry.bytes += bytes;
    entry.largest_part = std::max(entry.largest_part, bytes);
  }
  return entry;
}

}  // namespace

bool ModelEntry::serves(std::string_view task) const { return std::find(tasks.begin(), tasks.end(), task) != tasks.end(); }

ModelList list_models(const std::vector<fs::path>& folders) {
  ModelList list;
  std::size_t at = 0;
  const auto add = [&](ModelEntry entry) {
    const bool known = std::any_of(list.models.begin(), list.models.end(), [&](const ModelEntry& other) { return other.id == entry.id; });
    entry.folder = at;
    if (!known) list.models.push_back(std::move(entry));
  };
  for (; at < folders.size(); ++at) {
    const fs::path& folder = folders[at];
    auto own = nn::list_model_folders(folder);
    for (const auto& model : own.models) add(network(model, false));
    list.refusals.insert(list.refusals.end(), own.refusals.begin(), own.refusals.end());
    std::error_code error;
    const auto add_loose = [&](const fs::path& file, const std::string& id) {
      try {
        add(network(models::describe_loose_model(file, id), true));
      } catch (const nn::LoadError& refusal) {
        list.refusals.emplace_back(refusal.what());
      }
    };
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      if (is_checkpoint(entry.path()) && entry.is_regular_file(error)) add_loose(entry.path(), entry.path().stem().string());
      if (!entry.is_directory(error)) continue;
      const bool described = fs::exists(entry.path() / "config.json", error);
      if (const auto rife = entry.path() / "flownet.pkl"; !described && fs::exists(rife, error))
        add_loose(rife, entry.path().filename().string());
      const auto snapshot = nn::find_hub_snapshot(entry.path());
      const fs::path path = snapshot ? snapshot->path : entry.path();
      if (!fs::exists(path / "model_index.json", error)) {
        if (snapshot) list.refusals.push_back(snapshot->id + ": holds no model_index.json, so it is no pipeline that can be run");
        continue;
      }
      try {
        add(generator(snapshot ? snapshot->id : entry.path().filename().string(), path));
      } catch (const nn::LoadError& refusal) {
        list.refusals.emplace_back(refusal.what());
      }
    }
  }
  std::sort(list.models.begin(), list.models.end(), [](const ModelEntry& a, const ModelEntry& b) { return a.id < b.id; });
  return list;
}

}  // namespace kinora::runner
