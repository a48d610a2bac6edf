#pragma once
// The models of a folder, and the one that is loaded. Loading is lazy: the first task of a model loads it; another model takes its
// place. Listing may be called from any thread, use() from the inference thread only. Errors: nn::LoadError.
#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/json.hpp"
#include "base/result.hpp"
#include "models/upscaler.hpp"

namespace kinora::runner {

class ModelStore {
 public:
  ModelStore(std::filesystem::path folder, models::UpscalerSettings settings)
      : folder_(std::move(folder)), settings_(std::move(settings)) {}

  // [{"id", "name", "tasks", "task", "scale", "license", "loaded", "bytes", "description", "runtime"}] by id. Folders that cannot be
  // used are left out and told to the log.
  base::json::array list() const;

  // The id that a task without a model gets: the first (by id) whose scale is the wanted one, else the first that serves the task.
  // not_found: no such model, or it does not serve the task.
  base::Result<std::string> choose(const std::optional<std::string>& model, std::string_view task, int scale) const;

  // Loads it if it is not, and keeps it until another is used.
  models::Upscaler& use(const std::string& id);

 private:
  const std::filesystem::path folder_;
  const models::UpscalerSettings settings_;
  std::unique_ptr<models::Upscaler> loaded_;
  mutable std::mutex mutex_;  // of the two below, which list() reads
  std::string loaded_id_;
  std::string runtime_;
};

}  // namespace kinora::runner
