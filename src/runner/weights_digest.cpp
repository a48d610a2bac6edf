#include "runner/weights_digest.hpp"

#include <functional>

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "runner/file_hash.hpp"

namespace kinora::runner {
namespace {

namespace fs = std::filesystem;

// A hub cache names large files by their SHA-256.
bool names_its_hash(const fs::path& file) {
  const std::string name = file.filename().string();
  return file.parent_path().filename() == "blobs" && name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

std::map<std::string, fs::path> weight_files(const ModelEntry& model) {
  std::error_code error;
  std::map<std::string, fs::path> files;
  const auto add = [&](const std::string& folder, const std::vector<fs::path>& all) {
    for (const auto& file : all) files[folder + file.filename().string()] = file;
  };
  if (!fs::is_directory(model.path, error)) {
    // Shards of two experts have the same names.
    const auto folder = [&](const fs::path& part) {
      if (fs::is_directory(part, error)) return part.filename().string() + "/";
      return part.extension() == ".json" ? part.parent_path().filename().string() + "/" : std::string();
    };
    const auto files_of = [](const fs::path& part) {
      auto all = component_weights(part);
      return all.empty() ? std::vector{part} : all;  // what is gone is an error when it is read
    };
    add(folder(model.path), files_of(model.path));
    for (const auto& companion : model.parts.companions) add(folder(companion), files_of(companion));
    return files;
  }
  if (!model.pipeline) add("", component_weights(model.path));
  for (const auto& component : fs::directory_iterator(model.path, error)) {
    if (!component.is_directory(error)) continue;
    const std::string name = component.path().filename().string();
    const bool replaced = model.parts.unet && name == "unet";
    add(name + "/", replaced ? std::vector{*model.parts.unet} : component_weights(component.path()));
  }
  if (model.parts.motion_adapter) add("motion_adapter/", component_weights(*model.parts.motion_adapter));
  return files;
}

std::uint64_t weights_stamp(const ModelEntry& model) {
  std::string text;
  for (const auto& [name, file] : weight_files(model)) {
    std::error_code error;
    text += name + '/' + std::to_string(fs::file_size(file, error)) + '/' +
            std::to_string(fs::last_write_time(file, error).time_since_epoch().count()) + '\n';
  }
  return std::hash<std::string>{}(text);
}

base::Result<std::string> WeightsDigests::hash_of(const fs::path& file, bool read, const std::stop_token& stop) {
  std::error_code error;
  const fs::path real = fs::canonical(file, error);
  if (names_its_hash(real)) return real.filename().string();
  Known now;
  now.bytes = fs::file_size(file, error);
  now.written = fs::last_write_time(file, error);
  if (error) return base::fail(base::ErrorCode::io, "cannot read " + file.string());
  {
    const std::scoped_lock lock(mutex_);
    const auto known = known_.find(real);
    if (known != known_.end() && known->second.bytes == now.bytes && known->second.written == now.written) return known->second.hash;
  }
  if (!read) return base::fail(base::ErrorCode::not_found, "not read yet");
  KINORA_TRY(now.hash, file_sha256(file, stop));
  const std::scoped_lock lock(mutex_);
  return (known_[real] = std::move(now)).hash;
}

base::Result<std::string> WeightsDigests::digest(const ModelEntry& model, bool read, const std::stop_token& stop) {
  std::string lines;
  for (const auto& [name, file] : weight_files(model)) {
    KINORA_TRY(const auto hash, hash_of(file, read, stop));
    lines.append(hash).append("  ").append(name).append("\n");
  }
  return "sha256:" + base::to_hex(base::sha256(base::as_bytes(lines)));
}

base::Result<std::string> WeightsDigests::of(const ModelEntry& model) { return digest(model, true, {}); }

std::optional<std::string> WeightsDigests::known(const ModelEntry& model) {
  auto found = digest(model, false, {});
  return found ? std::optional(*std::move(found)) : std::nullopt;
}

void WeightsDigests::learn(std::vector<ModelEntry> models) {
  if (learning_.exchange(true)) return;
  learner_ = std::jthread([this, models = std::move(models)](const std::stop_token& stop) {
    for (const ModelEntry& model : models) {
      if (stop.stop_requested()) break;
      if (const auto digest = this->digest(model, true, stop); !digest && digest.error().code == base::ErrorCode::io)
        base::log::debug("runner", "weights cannot be hashed", {{"model", model.id}, {"why", digest.error().message}});
    }
    learning_ = false;
  });
}

}  // namespace kinora::runner
