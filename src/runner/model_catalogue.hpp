#pragma once
// The list of models (model_list.hpp), read anew only when something in the folders changed: names, sizes or times of the files that the
// list is made from. Any thread.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "runner/model_list.hpp"

namespace kinora::runner {

class ModelCatalogue {
 public:
  explicit ModelCatalogue(std::vector<std::filesystem::path> folders) : folders_(std::move(folders)) {}
  // Refusals go to the log, once for each change.
  std::shared_ptr<const ModelList> get() const;

 private:
  const std::vector<std::filesystem::path> folders_;
  mutable std::mutex mutex_;
  mutable std::optional<std::uint64_t> seen_;
  mutable std::shared_ptr<const ModelList> list_;
};

}  // namespace kinora::runner
