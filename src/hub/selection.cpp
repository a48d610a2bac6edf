#include "hub/selection.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <set>

namespace kinora::hub {
namespace {

constexpr std::string_view kVariant = ".fp16";

std::string_view folder_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}
std::string_view name_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}
bool ends_with_any(std::string_view path, std::initializer_list<std::string_view> endings) {
  return std::ranges::any_of(endings, [&](std::string_view ending) { return path.ends_with(ending); });
}

bool is_safetensors(std::string_view path) { return path.ends_with(".safetensors"); }
bool is_pickle(std::string_view path) { return ends_with_any(path, {".bin", ".pth", ".pt", ".ckpt"}); }
bool is_weights(std::string_view path) { return is_safetensors(path) || is_pickle(path) || path.ends_with(".gguf"); }
bool is_description(std::string_view path) {
  return ends_with_any(path, {".json", ".txt", ".model", ".md", ".yaml"}) || name_of(path).starts_with("LICENSE");
}
bool is_fp16(std::string_view path) { return name_of(path).find(kVariant) != std::string_view::npos; }

// "diffusion_pytorch_model.fp16-00001-of-00002.safetensors" -> "diffusion_pytorch_model"; the same for the file of full precision.
std::string stem(std::string_view path) {
  std::string name(name_of(path));
  name.resize(std::min(name.find(kVariant), name.size()));
  name.resize(std::min(name.find("-0"), name.size()));
  name.resize(std::min(name.find(".safetensors"), name.size()));
  name.resize(std::min(name.find(".bin"), name.size()));
  return std::string(folder_of(path)) + "/" + name;
}

std::vector<RemoteFile> loadable(const std::vector<RemoteFile>& files, bool full_precision) {
  const bool folders = std::ranges::any_of(files, [](const RemoteFile& f) { return f.path == "model_index.json"; });
  std::set<std::string_view> with_safetensors;
  std::set<std::string> fp16, full;  // stems of safetensors
  for (const RemoteFile& file : files) {
    if (!is_safetensors(file.path)) continue;
    with_safetensors.insert(folder_of(file.path));
    (is_fp16(file.path) ? fp16 : full).insert(stem(file.path));
  }
  // A model's own libraries write .bin and .ckpt beside what is the same as safetensors; a .pth of another name is another network's.
  const auto has_safer = [&](const std::string& path) {
    if (!path.ends_with(".pth")) return with_safetensors.contains(folder_of(path));
    const auto same = path.substr(0, path.size() - 4) + ".safetensors";
    return std::ranges::any_of(files, [&](const RemoteFile& other) { return other.path == same; });
  };
  std::vector<RemoteFile> kept;
  for (const RemoteFile& file : files) {
    const bool weights = is_weights(file.path), index = file.path.find(".index.") != std::string::npos;
    if (!weights && !is_description(file.path)) continue;
    if (name_of(file.path).starts_with(".")) continue;
    if (weights && folders && folder_of(file.path).empty()) continue;  // the same weights as one file
    if (is_pickle(file.path) && has_safer(file.path)) continue;
    if (index && file.path.find(".bin.index.") != std::string::npos && with_safetensors.contains(folder_of(file.path))) continue;
    if ((is_safetensors(file.path) || index) && fp16.contains(stem(file.path)) && full.contains(stem(file.path)) &&
        is_fp16(file.path) == full_precision)
      continue;  // both precisions are there: one is enough
    kept.push_back(file);
  }
  return kept;
}

bool matches_any(std::string_view path, const std::vector<std::string>& patterns) {
  return std::ranges::any_of(patterns, [&](const std::string& pattern) { return matches(path, pattern); });
}

}  // namespace

bool matches(std::string_view path, std::string_view pattern) {
  std::string wanted(pattern);
  if (wanted.ends_with('/')) wanted += '*';
  return fnmatch(wanted.c_str(), std::string(path).c_str(), FNM_NOESCAPE) == 0;
}

std::vector<RemoteFile> select(const std::vector<RemoteFile>& files, const Selection& selection) {
  std::vector<RemoteFile> chosen;
  if (selection.everything)
    chosen = files;
  else if (selection.include.empty())
    chosen = loadable(files, selection.full_precision);
  else
    std::ranges::copy_if(files, std::back_inserter(chosen), [&](const RemoteFile& f) { return matches_any(f.path, selection.include); });
  std::erase_if(chosen, [&](const RemoteFile& f) { return matches_any(f.path, selection.exclude); });
  return chosen;
}

}  // namespace kinora::hub
