#pragma once
// The models of a folder, and those that are loaded (residency.hpp). Loading is lazy: the first task of a model loads it. list(), adapter()
// and rows() may be called from any thread, everything else from the inference thread only. Errors of loading: nn::LoadError, DoesNotFit,
// LibTorch's out-of-memory.
#include <filesystem>
#include <optional>
#include <string>

#include "base/json.hpp"
#include "base/result.hpp"
#include "models/interpolator.hpp"
#include "models/pipeline.hpp"
#include "models/upscaler.hpp"
#include "runner/model_catalogue.hpp"
#include "runner/residency.hpp"
#include "runner/settings.hpp"
#include "runner/weights_digest.hpp"

namespace kinora::runner {

class ModelStore {
 public:
  explicit ModelStore(const RunnerSettings& settings);

  // [{"id", "kind", "name", "tasks", "task", "scale", "license", "loaded", "on_device", "device_bytes", "pinned", "bytes",
  // "description", "weights": their digest once it is known}], models by id, then adapters with id, kind, license, bytes and no tasks, then
  // what cannot be used with id, kind and reason.
  base::json::array list() const;

  // The model of that id, or without one the first that serves the task: by scale (the wanted one, else the next above, else the largest
  // below; 0: any), then a model of an earlier folder before one of a later, then by id, so that a folder that is added changes nothing.
  // not_found: no such model, or it does not serve the task. invalid: it cannot be used, and why.
  base::Result<ModelEntry> choose(const std::optional<std::string>& model, std::string_view task, int scale) const;

  // The file of an adapter; nullopt: none of that id.
  std::optional<std::filesystem::path> adapter(const std::string& id) const;

  // On the device when it returns.
  models::Upscaler& upscaler(const ModelEntry& model);
  models::Interpolator& interpolator(const ModelEntry& model);
  models::Pipeline& pipeline(const ModelEntry& model);
  // Any thread. See WeightsDigests.
  base::Result<std::string> weights_digest(const ModelEntry& model) { return digests_.of(model); }
  Residency& residency() { return residency_; }
  const Residency& residency() const { return residency_; }

 private:
  ModelCatalogue catalogue_;
  mutable WeightsDigests digests_;
  const std::string device_, guidance_device_;
  const std::uint64_t memory_bytes_;
  Residency residency_;
};

// What the settings leave for weights: the given bytes, or a share of the device's memory; host memory as second level for a GPU.
ResidencyBudget residency_budget(const RunnerSettings& settings);

// What one network call may take when nothing was set: half of what is free on a GPU; of host memory a quarter, but 256 MiB to 1 GiB,
// for more does not make it faster.
std::uint64_t activation_bytes(const std::string& device, std::uint64_t free_bytes);

}  // namespace kinora::runner
