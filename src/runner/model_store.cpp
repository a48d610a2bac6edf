#include "runner/model_store.hpp"

#include <ATen/DeviceAccelerator.h>

#include <algorithm>
#include <cstdlib>
#include <tuple>

#include "base/log.hpp"
#include "models/loose_model.hpp"
#include "nn/device.hpp"
#include "nn/model_folder.hpp"

namespace kinora::runner {
namespace {

nn::ModelFolder described(const ModelEntry& model) {
  return model.loose ? models::describe_loose_model(model.path, model.id) : nn::read_model_folder(model.path);
}

// An upscaler or interpolator: small, and where it was loaded to.
template <class Network>
class NetworkModel final : public Resident {
 public:
  NetworkModel(std::unique_ptr<Network> network, std::uint64_t bytes) : network_(std::move(network)), bytes_(bytes) {}
  Network& get() { return *network_; }
  std::string description() const override { return network_->description(); }
  std::uint64_t bytes() const override { return bytes_; }
  std::uint64_t device_bytes() const override { return bytes_; }
  bool movable() const override { return false; }
  void to_host() override {}
  void to_device() override {}

 private:
  std::unique_ptr<Network> network_;
  std::uint64_t bytes_;
};
using UpscalerModel = NetworkModel<models::Upscaler>;
using InterpolatorModel = NetworkModel<models::Interpolator>;

class PipelineModel final : public Resident {
 public:
  PipelineModel(const ModelEntry& model, const models::PipelineSettings& settings)
      : pipeline_(models::load_pipeline(model.path, settings)), device_(settings.device) {}
  models::Pipeline& get() { return *pipeline_; }
  std::string description() const override { return pipeline_->description(); }
  std::uint64_t bytes() const override {
    std::uint64_t sum = 0;
    for (const auto& component : pipeline_->components()) sum += component.bytes;
    return sum;
  }
  std::uint64_t device_bytes() const override {
    std::uint64_t sum = 0;
    for (const auto& component : pipeline_->components())
      if (component.on_device && component.device == device_) sum += component.most;
    return sum;
  }
  void to_host() override { pipeline_->to_host(); }
  void to_device() override { pipeline_->to_device(); }

 private:
  std::unique_ptr<models::Pipeline> pipeline_;
  std::string device_;
};

void give_memory_back(const std::string& device) {
  if (device != "cpu") at::accelerator::emptyCache();
}

WantedModel wanted(const ModelEntry& model) {
  WantedModel out = model.wanted();
  out.version = weights_stamp(model);
  return out;
}

const Residency::Row* row_of(const std::vector<Residency::Row>& rows, const std::string& id) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const Residency::Row& row) { return row.id == id; });
  return found == rows.end() ? nullptr : &*found;
}

// The lower the better: the wanted scale, then what is nearest above (nothing has to be made up), then the largest below.
std::pair<bool, int> unfit(int scale, int wanted) {
  if (wanted <= 0) return {false, 0};
  return {scale < wanted, std::abs(scale - wanted)};
}

}  // namespace

ResidencyBudget residency_budget(const RunnerSettings& settings) {
  const auto memory = nn::device_memory(settings.device);
  // The rest of the device is for activations.
  const std::uint64_t device = settings.model_bytes != 0 ? settings.model_bytes : memory.total_bytes / 4 * 3;
  const std::uint64_t host = settings.device == "cpu" ? 0 : nn::device_memory("cpu").total_bytes / 2;
  return {.device_bytes = device, .host_bytes = host};
}

std::uint64_t activation_bytes(const std::string& device, std::uint64_t free_bytes) {
  constexpr std::uint64_t kLeast = 256ULL << 20, kMost = 1ULL << 30;
  return device == "cpu" ? std::clamp(free_bytes / 4, kLeast, kMost) : std::max(free_bytes / 2, kLeast);
}

ModelStore::ModelStore(const RunnerSettings& settings)
    : catalogue_(settings.models_dirs),
      device_(settings.device),
      guidance_device_(settings.guidance_device),
      memory_bytes_(settings.memory_bytes),
      residency_(residency_budget(settings), [device = settings.device] { give_memory_back(device); }) {
  for (const std::string& id : settings.pinned) residency_.pin(id, true);
}

base::json::array ModelStore::list() const {
  const auto listing = catalogue_.get();
  const auto rows = residency_.rows();
  base::json::array all;
  std::vector<ModelEntry> unread;
  for (const ModelEntry& model : listing->models) {
    const auto* row = row_of(rows, model.id);
    base::json::object entry{{"id", model.id},
                             {"kind", "model"},
                             {"name", model.name},
                             {"tasks", base::json::array(model.tasks.begin(), model.tasks.end())},
                             {"task", model.tasks.empty() ? "" : model.tasks.front()},
                             {"license", model.license},
                             {"loaded", row != nullptr},
                             {"on_device", row != nullptr && row->on_device},
                             {"device_bytes", row != nullptr ? row->device_bytes : 0},
                             {"pinned", row != nullptr && row->pinned},
                             {"bytes", model.bytes},
                             {"description", model.description}};
    if (model.scale > 0) entry["scale"] = model.scale;
    if (row != nullptr) entry["runtime"] = row->description;
    if (auto digest = digests_.known(model))
      entry["weights"] = *std::move(digest);
    else
      unread.push_back(model);
    all.push_back(std::move(entry));
  }
  if (!unread.empty()) digests_.learn(std::move(unread));
  for (const AdapterEntry& adapter : listing->adapters)
    all.push_back(base::json::object{
        {"id", adapter.id}, {"kind", "adapter"}, {"tasks", base::json::array()}, {"license", adapter.license}, {"bytes", adapter.bytes}});
  for (const Refusal& refusal : listing->refusals)
    all.push_back(base::json::object{{"id", refusal.id}, {"kind", "unusable"}, {"tasks", base::json::array()}, {"reason", refusal.reason}});
  return all;
}

base::Result<ModelEntry> ModelStore::choose(const std::optional<std::string>& model, std::string_view task, int scale) const {
  const auto listing = catalogue_.get();
  const ModelEntry* found = nullptr;
  for (const ModelEntry& candidate : listing->models) {
    if (!candidate.serves(task) || (model && candidate.id != *model)) continue;
    const auto rank = [&](const ModelEntry& entry) { return std::tuple(unfit(entry.scale, scale), entry.folder); };
    if (found == nullptr || rank(candidate) < rank(*found)) found = &candidate;
  }
  if (found != nullptr) return *found;
  if (!model) return base::fail(base::ErrorCode::not_found, "no model here serves " + std::string(task));
  for (const Refusal& refusal : listing->refusals)
    if (refusal.id == *model) return base::fail(base::ErrorCode::invalid, "model \"" + *model + "\" cannot be used: " + refusal.reason);
  return base::fail(base::ErrorCode::not_found, "no model \"" + *model + "\" here serves " + std::string(task));
}

std::optional<std::filesystem::path> ModelStore::adapter(const std::string& id) const {
  const auto listing = catalogue_.get();
  const auto found =
      std::find_if(listing->adapters.begin(), listing->adapters.end(), [&](const AdapterEntry& one) { return one.id == id; });
  return found == listing->adapters.end() ? std::nullopt : std::optional(found->path);
}

models::Upscaler& ModelStore::upscaler(const ModelEntry& model) {
  auto& resident = residency_.use(wanted(model), [&](models::Residency) {
    const std::uint64_t memory = memory_bytes_ != 0 ? memory_bytes_ : activation_bytes(device_, nn::device_memory(device_).free_bytes);
    const models::UpscalerSettings settings{.device = device_, .precision = models::Precision::automatic, .memory_bytes = memory};
    return std::make_unique<UpscalerModel>(models::load_upscaler(described(model), settings), model.bytes);
  });
  return static_cast<UpscalerModel&>(resident).get();
}

models::Interpolator& ModelStore::interpolator(const ModelEntry& model) {
  auto& resident = residency_.use(wanted(model), [&](models::Residency) {
    return std::make_unique<InterpolatorModel>(models::load_interpolator(described(model), device_), model.bytes);
  });
  return static_cast<InterpolatorModel&>(resident).get();
}

models::Pipeline& ModelStore::pipeline(const ModelEntry& model) {
  auto& resident = residency_.use(wanted(model), [&](models::Residency residency) {
    models::PipelineSettings settings = model.parts;
    settings.device = device_;
    settings.guidance_device = guidance_device_;
    settings.residency = residency;
    return std::make_unique<PipelineModel>(model, settings);
  });
  return static_cast<PipelineModel&>(resident).get();
}

}  // namespace kinora::runner
