#pragma once
// One task done by several nodes (developer-api 5.3.1 "redundancy"): what was asked, and when which result wins. Pure.
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "base/json.hpp"

namespace kinora::jobs {

namespace json = base::json;

inline constexpr int kMaxReplicas = 5;

enum class RedundancyMode {
  first_valid,  // a race: the first result that verifies; the others are cancelled
  quorum,       // a majority of equal results; its first one is delivered
  best_score    // all are awaited; the best by measure is delivered
};
std::optional<RedundancyMode> parse_redundancy_mode(std::string_view text);

struct Redundancy {
  int replicas = 1;  // 1..kMaxReplicas
  RedundancyMode mode = RedundancyMode::first_valid;
  // Equal results that make a quorum: more than half.
  int majority() const { return replicas / 2 + 1; }
};
// From a job's `requirements`, which have been checked.
Redundancy redundancy_of(const json::object& requirements);

struct Replica {
  enum class State { open, valid, failed };  // open: waiting or at work
  State state = State::open;
  std::optional<int> group;     // of a valid one: results of one group are equal; nullopt: not compared yet
  std::optional<double> score;  // of a valid one, higher is better; nullopt: not measured
};
struct Choice {
  enum class Kind { wait, won, hopeless };
  Kind kind = Kind::wait;
  std::size_t winner = 0;  // of won: its index
};
Choice choose(const Redundancy& wanted, std::span<const Replica> replicas);

}  // namespace kinora::jobs
