#pragma once
// What a worker registers with an orchestrator (docs/protocol.md 1, 2). Pure.
#include <string>
#include <vector>

#include "base/json.hpp"
#include "worker/runner.hpp"
#include "worker/settings.hpp"

namespace kinora::worker {

// One capability name.
struct Offer {
  std::string name;
  std::string description;
  unsigned capacity = 0;
  bool warm = false;
  std::string group;          // names with the same group share one capacity
  std::string weights = {};   // digest of the model's, when all devices that have it know it and agree
  std::string unusable = {};  // why the model of a name without capacity cannot be used
  friend bool operator==(const Offer&, const Offer&) = default;
};

// What a device offers: its models, the default of a task first.
struct DeviceOffer {
  std::string device;
  std::vector<RunnerModel> models;
  std::vector<UnusableModel> unusable = {};
};

inline constexpr std::size_t kMaxUnusableOffers = 64;  // a folder may be full of what is no model

// ping; the tasks of kinora-media when it has slots; per task with models `<task>` and `<task>:<model>` of the devices that are ready.
// All devices form one group: a name can be registered only once per worker. Models that no device can use are named with the reason
// (tasks::unusable_name), at most kMaxUnusableOffers.
std::vector<Offer> offers(unsigned ping_slots, unsigned media_slots, const std::vector<DeviceOffer>& devices);

// The body of POST /capability/register. `url` is settings.url + "/process": the orchestrator appends "/<task>".
base::json::object registration(const Offer& offer, const WorkerSettings& settings, const std::string& token);

// Tasks that kinora-media does.
bool is_media_task(std::string_view task);

}  // namespace kinora::worker
