#include "nn/component_files.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "nn/load_error.hpp"

namespace kinora::nn {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 2> kSafetensorsStems{"diffusion_pytorch_model", "model"};
constexpr std::array<std::string_view, 2> kPickledStems{"diffusion_pytorch_model", "pytorch_model"};
constexpr std::array<std::string_view, 6> kCheckpointSuffixes{".safetensors", ".bin", ".pth", ".pt", ".ckpt", ".gguf"};

std::vector<std::string> names_in(const fs::path& folder) {
  std::error_code failed;
  fs::directory_iterator entries(folder, failed);
  if (failed) throw LoadError(folder.string(), "", failed.message());
  std::vector<std::string> names;
  for (const auto& entry : entries)
    if (entry.is_regular_file(failed)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

// A whole file comes before an index: a folder that holds both holds the same weights twice.
std::vector<std::string> candidates(std::string_view stem, std::string_view suffix, const std::string& variant) {
  const std::string base(stem), end(suffix);
  if (variant.empty()) return {base + end, base + end + ".index.json"};
  // The variant goes before the last extension; older writers put it before the first.
  return {base + "." + variant + end, base + end + ".index." + variant + ".json", base + "." + variant + end + ".index.json"};
}

std::optional<std::string> find_variant(const std::vector<std::string>& names, const std::string& variant) {
  const auto search = [&](const auto& stems, std::string_view suffix) -> std::optional<std::string> {
    for (const auto stem : stems)
      for (const auto& wanted : candidates(stem, suffix, variant))
        if (std::binary_search(names.begin(), names.end(), wanted)) return wanted;
    return std::nullopt;
  };
  if (auto found = search(kSafetensorsStems, ".safetensors")) return found;
  return search(kPickledStems, ".bin");
}

bool is_checkpoint(const std::string& name) {
  return std::any_of(kCheckpointSuffixes.begin(), kCheckpointSuffixes.end(),
                     [&](std::string_view suffix) { return name.ends_with(suffix); });
}

std::string list(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < 10; ++i) text.append(i == 0 ? "" : ", ").append(names[i]);
  return text.append(names.size() > 10 ? ", ..." : "");
}

}  // namespace

fs::path find_weights(const fs::path& folder, const std::optional<std::string>& variant) {
  const auto names = names_in(folder);
  std::vector<std::string> checkpoints;
  std::copy_if(names.begin(), names.end(), std::back_inserter(checkpoints), is_checkpoint);
  if (checkpoints.empty()) throw LoadError(folder.string(), "", "holds no weights (.safetensors, .bin, .pth, .ckpt, .gguf)");
  if (variant) {
    if (const auto found = find_variant(names, *variant)) return folder / *found;
    throw LoadError(folder.string(), "",
                    (variant->empty() ? "no plain weights" : "no weights of variant " + *variant) + "; there: " + list(checkpoints));
  }
  for (const char* preferred : {"fp16", ""})
    if (const auto found = find_variant(names, preferred)) return folder / *found;
  if (checkpoints.size() == 1) return folder / checkpoints.front();
  throw LoadError(folder.string(), "", "which of these holds the weights? " + list(checkpoints));
}

}  // namespace kinora::nn
