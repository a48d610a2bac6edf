#include "gateway/offers.hpp"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/nearest.hpp"
#include "jobs/retry.hpp"
#include "tasks/catalogue.hpp"
#include "tasks/model_id.hpp"

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
      const auto [entry, is_new] = models.try_emplace(capability.name.substr(colon + 1));
      auto& model = entry->second;
      model.tasks.emplace(task->name);
      if (is_new) model.weights = capability.weights;
      if (model.weights != capability.weights) model.weights.clear();
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

std::optional<std::string> weights_digest(std::span<const market::NodeStatus> nodes, std::string_view task, std::string_view model) {
  if (!std::ranges::all_of(nodes, &market::NodeStatus::reachable)) return std::nullopt;
  model = model.substr(0, model.find('@'));
  const bool any = model.empty() || model.starts_with("auto");
  const std::string prefix = std::string(task) + ":";
  std::optional<std::string> digest;
  for (const auto& node : nodes)
    for (const auto& capability : node.capabilities) {
      if (!capability.name.starts_with(prefix) || capability.capacity == 0) continue;
      if (!any && std::string_view(capability.name).substr(prefix.size()) != model) continue;
      if (capability.weights.empty() || (digest && *digest != capability.weights)) return std::nullopt;
      digest = capability.weights;
    }
  return digest;
}

std::optional<std::string> unusable_reason(std::span<const market::NodeStatus> nodes, std::string_view model) {
  const std::string name = tasks::unusable_name(model);
  for (const auto& node : nodes)
    for (const auto& capability : node.capabilities)
      if (node.reachable && capability.name == name)
        return "the model \"" + std::string(model) + "\" cannot be used: " + jobs::redact(capability.unusable);
  return std::nullopt;
}

std::optional<std::string> missing_model(std::span<const market::NodeStatus> nodes, std::string_view task, std::string_view model) {
  const tasks::TaskSpec* spec = tasks::find_task(task);
  if (spec == nullptr || nodes.empty() || !std::ranges::all_of(nodes, &market::NodeStatus::reachable)) return std::nullopt;
  model = model.substr(0, model.find('@'));
  const bool offered = offered_task(nodes, task).nodes > 0;
  if (model.empty() || model.starts_with("auto"))
    return offered ? std::nullopt : std::optional<std::string>("no node does " + std::string(task) + " now");
  if (!spec->has_models) return std::nullopt;
  const auto all = offered_models(nodes);
  std::vector<std::string> there;
  for (const auto& [id, offer] : all)
    if (offer.tasks.contains(std::string(task))) there.push_back(id);
  if (std::ranges::find(there, model) != there.end()) return std::nullopt;
  if (auto reason = unusable_reason(nodes, model)) return reason;
  if (!offered) return std::nullopt;
  if (const auto found = all.find(std::string(model)); found != all.end())
    return fmt::format("the model \"{}\" does {}, not {}", model, fmt::join(found->second.tasks, ", "), task);
  const auto meant = base::nearest(std::string(model), there);
  std::string why = "no node has the model \"" + std::string(model) + "\" for " + std::string(task);
  if (meant) return why + "; did you mean \"" + *meant + "\"?";
  return why + "; GET /v1/models lists what is there";
}

std::optional<std::string> only_task(std::span<const market::NodeStatus> nodes, const std::string& model) {
  const auto models = offered_models(nodes);
  const auto found = models.find(model.substr(0, model.find('@')));
  if (found == models.end() || found->second.tasks.size() != 1) return std::nullopt;
  return *found->second.tasks.begin();
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
