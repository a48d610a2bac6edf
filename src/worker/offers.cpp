#include "worker/offers.hpp"

#include <algorithm>
#include <map>

#include "tasks/catalogue.hpp"
#include "tasks/model_id.hpp"

namespace kinora::worker {
namespace {

void add(std::vector<Offer>& out, const std::string& name, std::string_view summary, bool loaded, unsigned devices,
         const std::string& weights = {}) {
  const auto found = std::find_if(out.begin(), out.end(), [&](const Offer& offer) { return offer.name == name; });
  if (found != out.end()) {
    found->warm = found->warm || loaded;
    if (found->weights != weights) found->weights.clear();
    return;
  }
  out.push_back(
      {.name = name, .description = std::string(summary), .capacity = devices, .warm = loaded, .group = "devices", .weights = weights});
}

// Whoever asks for such a model is told why he does not get it.
void add_unusable(std::vector<Offer>& out, const std::vector<DeviceOffer>& devices) {
  const auto is_usable = [&](const std::string& id) {
    return std::ranges::any_of(
        devices, [&](const DeviceOffer& device) { return std::ranges::find(device.models, id, &RunnerModel::id) != device.models.end(); });
  };
  std::map<std::string, std::string> reasons;
  for (const DeviceOffer& device : devices)
    for (const UnusableModel& model : device.unusable)
      if (!is_usable(model.id) && reasons.size() < kMaxUnusableOffers) reasons.emplace(model.id, model.reason);
  for (const auto& [id, reason] : reasons)
    out.push_back({.name = tasks::unusable_name(id), .description = "a model that cannot be used", .group = {}, .unusable = reason});
}

}  // namespace

bool is_media_task(std::string_view task) {
  const auto* spec = tasks::find_task(task);
  return spec && !spec->has_models && task != "ping";
}

std::vector<Offer> offers(unsigned ping_slots, unsigned media_slots, const std::vector<DeviceOffer>& devices) {
  std::vector<Offer> out;
  const auto with_models =
      static_cast<unsigned>(std::count_if(devices.begin(), devices.end(), [](const auto& d) { return !d.models.empty(); }));
  for (const tasks::TaskSpec& task : tasks::catalogue()) {
    const std::string name(task.name);
    if (task.name == "ping") {
      if (ping_slots > 0)
        out.push_back({.name = name, .description = std::string(task.summary), .capacity = ping_slots, .warm = true, .group = "ping"});
    } else if (!task.has_models) {
      if (media_slots > 0)
        out.push_back({.name = name, .description = std::string(task.summary), .capacity = media_slots, .warm = true, .group = "media"});
    } else {
      for (const DeviceOffer& device : devices) {
        for (const RunnerModel& model : device.models) {
          if (model.task != task.name) continue;
          add(out, name, task.summary, model.loaded, with_models);
          add(out, name + ":" + model.id, task.summary, model.loaded, with_models, model.weights);
        }
      }
    }
  }
  add_unusable(out, devices);
  return out;
}

base::json::object registration(const Offer& offer, const WorkerSettings& settings, const std::string& token) {
  base::json::object body{{"name", offer.name},
                          {"description", offer.description},
                          {"url", settings.url + "/process"},
                          {"capacity", offer.capacity},
                          {"price_per_unit", settings.price_per_unit},
                          {"price_scaling", settings.price_scaling},
                          {"currency", "wei"},
                          {"token", token},
                          {"warm", offer.warm},
                          {"group", offer.group},
                          {"ttl_s", settings.timings.registration_ttl.count()}};
  if (!offer.weights.empty()) body["weights"] = offer.weights;
  if (!offer.unusable.empty()) body["unusable"] = offer.unusable;
  if (settings.tls_pin) body["tls_pin"] = *settings.tls_pin;
  return body;
}

}  // namespace kinora::worker
