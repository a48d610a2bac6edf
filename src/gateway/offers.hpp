#pragma once
// What the nodes' capability names (docs/protocol.md 1) mean for a client: models with their tasks, places per task. Pure.
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "market/market.hpp"

namespace kinora::gateway {

struct OfferedModel {
  std::set<std::string> tasks;
  std::string weights;    // digest, when all that offer it tell the same
  bool warm = false;      // somewhere
  unsigned capacity = 0;  // of its most offered task, over all nodes: a model's tasks share their device
  unsigned free = 0;
};
// By model id. Names of unknown or internal tasks are left out: a stranger announced them.
std::map<std::string, OfferedModel> offered_models(std::span<const market::NodeStatus> nodes);

struct Offer {
  unsigned capacity = 0, free = 0, nodes = 0;
};
// Why a node that has the model cannot use it, for clients (redacted); nullopt: no node says so.
std::optional<std::string> unusable_reason(std::span<const market::NodeStatus> nodes, std::string_view model);

// Why nobody can do the task with that model ("" and "auto...": with any), for a person; nullopt: somebody may. Sure only when every node
// has answered, and, of a model, when some node does the task with another one, or says why it cannot use it: else it may be on its way.
std::optional<std::string> missing_model(std::span<const market::NodeStatus> nodes, std::string_view task, std::string_view model);

// The task that a model is for, when it is for exactly one.
std::optional<std::string> only_task(std::span<const market::NodeStatus> nodes, const std::string& model);

// The digest of the weights that will do the task, whoever does it: with that model, or with any ("" and "auto...") when all are of the
// same weights. nullopt: not known, or not every node has answered.
std::optional<std::string> weights_digest(std::span<const market::NodeStatus> nodes, std::string_view task, std::string_view model);

// Any model: the capability that is the task's bare name.
Offer offered_task(std::span<const market::NodeStatus> nodes, std::string_view task);

}  // namespace kinora::gateway
