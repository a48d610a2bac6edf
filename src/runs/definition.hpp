#pragma once
// A workflow's definition (docs/workflows.md): steps with references between them, parsed and checked whole before anything runs. Pure.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runs/value_template.hpp"

namespace kinora::runs {

inline constexpr std::size_t kMaxSteps = 100;
inline constexpr int kMaxInstances = 5000;  // of steps, after fan-out, in one run and the runs inside it
inline constexpr int kMaxItems = 1000;      // of one fan-out
inline constexpr int kMaxDepth = 4;         // of runs inside runs
inline constexpr std::int64_t kMaxTimeoutS = 604'800;
inline constexpr std::size_t kMaxFallbacks = 8;
inline constexpr std::size_t kMaxOutputs = 100;

enum class ItemFailure { fail_fast, fail_at_end, proceed };
enum class OnFailure { fail, proceed, fallback };
enum class GateTimeout { expire, approve, reject };
enum class Reuse { automatic, never, only };

struct ForEach {
  json::value in;  // template of a list
  std::string as = "item";
  int max_items = kMaxItems;
  int max_parallel = 8;
  ItemFailure on_item_failure = ItemFailure::fail_at_end;
  int min_success = 1;  // with proceed
};
struct Gate {
  bool event = false;  // waits for a signal; else for an approval
  std::string signal;  // of an event gate
  std::int64_t timeout_s = 86'400;
  GateTimeout on_timeout = GateTimeout::expire;
};
struct ChildRun {
  std::string workflow;  // wf_...
  std::optional<int> version;
  json::value args = json::object();  // template
};
// What the work may take; absent: the job's own defaults.
struct Timeouts {
  std::optional<std::int64_t> schedule_to_start_s, start_to_close_s, schedule_to_close_s;
};
struct Dependency {
  std::size_t step = 0;
  bool data = false;  // a reference to its output that is not optional
};
struct Step {
  std::string id;
  std::string pointer;  // "/steps/0"
  std::optional<ForEach> for_each;
  std::string when;                    // empty: always
  std::vector<json::object> variants;  // bodies of jobs, `input` a template: the step itself, then its fallbacks
  std::optional<Gate> gate;
  std::optional<ChildRun> child;
  Timeouts timeouts;
  OnFailure on_failure = OnFailure::fail;
  Reuse reuse = Reuse::automatic;
  bool keep = true;
  std::string same_worker_as, group;  // affinity
  std::vector<Reference> references;
  std::vector<Dependency> needs;
  std::vector<std::size_t> dependants;
  bool in_outputs = false;
};
struct Output {
  std::string name;
  json::value value;  // template
  std::vector<std::size_t> steps;
};
struct Definition {
  json::object source;  // {steps, outputs?, defaults?, fail_fast?}: parse_definition() of it gives this again
  std::vector<Step> steps;
  std::vector<Output> outputs;
  bool fail_fast = false;
  const Step* find(std::string_view id) const;
  std::size_t index_of(std::string_view id) const;  // of a step that is there
};

// Every error at once, with pointers. unknown_field, missing_field, invalid_field; workflow_cycle (names the loop).
jobs::Outcome<Definition> parse_definition(const json::object& source);

// The catalogue's and the references' types against each other; with `args` also every value that is known already. workflow_type_error.
// `args` nullptr: not known yet (a saved workflow).
jobs::Outcome<void> check_types(const Definition& definition, const json::value* args);

// The steps as nodes and edges, for GET .../graph.
json::object graph_of(const Definition& definition);

}  // namespace kinora::runs
