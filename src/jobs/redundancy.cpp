#include "jobs/redundancy.hpp"

#include <algorithm>
#include <map>

namespace kinora::jobs {

std::optional<RedundancyMode> parse_redundancy_mode(std::string_view text) {
  if (text == "first_valid") return RedundancyMode::first_valid;
  if (text == "quorum") return RedundancyMode::quorum;
  if (text == "best_score") return RedundancyMode::best_score;
  return std::nullopt;
}

Redundancy redundancy_of(const json::object& requirements) {
  Redundancy out;
  const json::value* value = requirements.if_contains("redundancy");
  if (value == nullptr || !value->is_object()) return out;
  if (const json::value* replicas = value->get_object().if_contains("replicas")) out.replicas = replicas->to_number<int>();
  if (const json::value* mode = value->get_object().if_contains("mode"))
    out.mode = parse_redundancy_mode(mode->as_string()).value_or(RedundancyMode::first_valid);
  return out;
}

Choice choose(const Redundancy& wanted, std::span<const Replica> replicas) {
  using State = Replica::State;
  const auto count = [&](State state) {
    return std::count_if(replicas.begin(), replicas.end(), [state](const Replica& one) { return one.state == state; });
  };
  const auto first_valid = std::find_if(replicas.begin(), replicas.end(), [](const Replica& one) { return one.state == State::valid; });
  const auto won = [&](auto at) { return Choice{Choice::Kind::won, static_cast<std::size_t>(at - replicas.begin())}; };
  const auto open = count(State::open);
  switch (wanted.mode) {
    case RedundancyMode::first_valid:
      if (first_valid != replicas.end()) return won(first_valid);
      break;
    case RedundancyMode::quorum: {
      std::map<int, int> groups;
      int unknown = 0, largest = 0;
      for (auto at = replicas.begin(); at != replicas.end(); ++at) {
        if (at->state != State::valid) continue;
        if (!at->group) {
          ++unknown;
          continue;
        }
        largest = std::max(largest, ++groups[*at->group]);
      }
      for (auto at = replicas.begin(); at != replicas.end(); ++at)
        if (at->state == State::valid && at->group && groups[*at->group] >= wanted.majority()) return won(at);
      if (largest + unknown + open < wanted.majority()) return {Choice::Kind::hopeless, 0};
      return {};
    }
    case RedundancyMode::best_score:
      if (open > 0) return {};
      if (first_valid != replicas.end())
        return won(std::max_element(replicas.begin(), replicas.end(), [](const Replica& a, const Replica& b) {
          const auto value = [](const Replica& one) { return one.state == State::valid ? one.score.value_or(-1) : -2; };
          return value(a) < value(b);
        }));
      break;
  }
  return {open > 0 ? Choice::Kind::wait : Choice::Kind::hopeless, 0};
}

}  // namespace kinora::jobs
