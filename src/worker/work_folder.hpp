#pragma once
// The worker's folder on disk: <work_dir>/{attempts,cache,models,lock}. One worker at a time; what an earlier one left is removed.
// All functions block on the disk.
#include <filesystem>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "proc/descriptor.hpp"

namespace kinora::worker {

class WorkFolder {
 public:
  // Errors: io, conflict (another live process holds the lock).
  static base::Result<WorkFolder> open(const std::filesystem::path& folder);

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path cache() const { return root_ / "cache"; }
  std::filesystem::path attempt(std::string_view id) const { return root_ / "attempts" / id; }
  // Makes <attempt>/in and <attempt>/out, emptied. `id` is an attempt id (base::is_id).
  base::Status make_attempt(std::string_view id) const;
  void remove_attempt(std::string_view id) const;

 private:
  WorkFolder(std::filesystem::path root, proc::Descriptor lock) : root_(std::move(root)), lock_(std::move(lock)) {}
  std::filesystem::path root_;
  proc::Descriptor lock_;
};

}  // namespace kinora::worker
