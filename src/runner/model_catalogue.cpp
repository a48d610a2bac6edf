#include "runner/model_catalogue.hpp"

#include <functional>
#include <string>

#include "base/log.hpp"

namespace kinora::runner {
namespace {

namespace fs = std::filesystem;

// models--OWNER--NAME/snapshots/COMMIT/split_files/vae/FILE: as deep as a list looks.
constexpr int kDepth = 6;

// A number that changes with any file or folder below: of names, sizes, times. The order in which a folder tells its entries does not
// matter.
std::uint64_t fingerprint(const fs::path& folder, int depth) {
  std::uint64_t sum = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const auto name = entry.path().filename().string();
    if (name == "blobs") continue;  // seen through the snapshots' links
    const bool is_folder = entry.is_directory(error);
    const auto time = fs::last_write_time(entry.path(), error).time_since_epoch().count();
    const auto size = is_folder ? 0 : entry.file_size(error);
    std::string text = name + '/' + std::to_string(time) + '/' + std::to_string(error ? 0 : size);
    if (is_folder && depth > 1) text += '/' + std::to_string(fingerprint(entry.path(), depth - 1));
    sum += std::hash<std::string>{}(text);
  }
  return sum;
}

}  // namespace

std::shared_ptr<const ModelList> ModelCatalogue::get() const {
  std::uint64_t now = 0;
  for (const auto& folder : folders_) now = now * 31 + fingerprint(folder, kDepth);
  const std::lock_guard lock(mutex_);
  if (list_ && seen_ == now) return list_;
  list_ = std::make_shared<const ModelList>(list_models(folders_));
  seen_ = now;
  for (const auto& refusal : list_->refusals)
    base::log::warn("runner", "model refused", {{"model", refusal.id}, {"reason", refusal.reason}});
  return list_;
}

}  // namespace kinora::runner
