#include "kinora_media/output_folder.hpp"

#include <vector>

namespace kinora::media_app {

OutputFolder::OutputFolder(std::string path) : path_(std::move(path)) {
  if (path_.empty()) return;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(path_, ignored)) before_.insert(entry.path());
}

void OutputFolder::remove_new() const {
  if (path_.empty()) return;
  std::error_code ignored;
  std::vector<std::filesystem::path> made;
  for (const auto& entry : std::filesystem::directory_iterator(path_, ignored))
    if (!before_.contains(entry.path())) made.push_back(entry.path());
  for (const auto& path : made) std::filesystem::remove_all(path, ignored);
}

}  // namespace kinora::media_app
