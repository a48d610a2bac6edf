#pragma once
// What an operation made in its output folder: listed on success, removed on failure.
#include <filesystem>
#include <set>
#include <string>

namespace kinora::media_app {

class OutputFolder {
 public:
  // Remembers what was there before. An empty path: no folder, nothing to do.
  explicit OutputFolder(std::string path);
  // Removes everything that was not there before. Safe to call twice, and from another thread while work still runs.
  void remove_new() const;

 private:
  std::filesystem::path path_;
  std::set<std::filesystem::path> before_;
};

}  // namespace kinora::media_app
