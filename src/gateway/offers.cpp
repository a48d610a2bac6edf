#include "gateway/offers.hpp"

#include <algorithm>

#include "tasks/catalogue.hpp"

namespace kinora::gateway {

std::map<std::string, OfferedModel> offered_models(std::span<const market::NodeStatus> nodes) {
  struct Places {
    unsigned capacity = 0, free = 0;
  };
  std::map<std::string, OfferedModel> models;
  std::map<std::string, Places, std::less<>> by_name;
  for (const auto& node : nodes) {
    if (!node.reachable) continue;
    for (const auto& capability : node.capabilities) {
      const auto colon = capability.name.find(':');
      if (colon == std::string::npos || colon + 1 == capability.name.size()) continue;
      const auto* task = tasks::find_task(std::string_view(capability.name).substr(0, colon));
      if (task == nullptr || task->internal || capability.capacity == 0) continue;
      auto& model = models[capability.name.substr(colon + 1)];
      model.tasks.emplace(task->name);
      model.warm = model.warm || capability.warm;
      auto& places = by_name[capability.name];
      places.capacity += capability.capacity;
      places.free += capability.free;
      model.capacity = std::max(model.capacity, places.capacity);
      model.free = std::max(model.free, places.free);
    }
  }
  return models;
}

Offer offered_task(std::span<const market::NodeStatus> nodes, std::string_view task) {
  Offer offer;
  for (const auto& node : nodes) {
    if (!node.reachable) continue;
    for (const auto& capability : node.capabilities) {
      if (capability.name != task || capability.capacity == 0) continue;
      offer.capacity += capability.capacity;
      offer.free += capability.free;
      ++offer.nodes;
    }
  }
  return offer;
}

}  // namespace kinora::gateway
