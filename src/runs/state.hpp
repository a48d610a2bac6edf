#pragma once
// What is known of a run: the stored rows, in memory. Everything the scheduler decides follows from this and the definition. Pure.
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/job.hpp"
#include "runs/definition.hpp"

namespace kinora::runs {

using base::UnixMillis;

enum class RunStatus { queued, running, pausing, paused, canceling, succeeded, partially_succeeded, failed, canceled, expired };
enum class StepStatus { pending, waiting, queued, running, succeeded, reused, skipped, failed, expired, canceled };
enum class ItemStatus { pending, queued, running, succeeded, reused, failed, expired, canceled };
// What was asked of an item at work: its job is being canceled.
enum class Stop { none, cancel, expire };
std::string_view name(RunStatus status);
std::string_view name(StepStatus status);
std::string_view name(ItemStatus status);
std::optional<RunStatus> parse_run_status(std::string_view text);
std::optional<StepStatus> parse_step_status(std::string_view text);
std::optional<ItemStatus> parse_item_status(std::string_view text);
inline bool terminal(RunStatus status) { return status >= RunStatus::succeeded; }
inline bool terminal(StepStatus status) { return status >= StepStatus::succeeded; }
inline bool terminal(ItemStatus status) { return status >= ItemStatus::succeeded; }
inline bool good(ItemStatus status) { return status == ItemStatus::succeeded || status == ItemStatus::reused; }
inline bool good(StepStatus status) { return status == StepStatus::succeeded || status == StepStatus::reused; }

// One instance of a step: a job or a child run.
struct Item {
  ItemStatus status = ItemStatus::pending;
  int variant = 0;     // 0: the step itself; n: its n-th fallback
  int generation = 1;  // of the run that made it
  std::string work;    // job_... or run_...; empty until it is queued
  Stop stop = Stop::none;
  json::value output, error;
  std::optional<std::string> reused_from;  // the job whose result this is
  std::optional<UnixMillis> queued_at, started_at, ended_at;
  double fraction = 0;  // in memory only
};

struct StepState {
  StepStatus status = StepStatus::pending;
  std::vector<Item> items;  // empty until the step begins
  json::value list;         // of for_each, once evaluated
  json::value signal;       // what a gate was told, possibly before it opened: {"approved", "payload"?, "by"?}
  json::value output, error;
  std::string reason;
  std::optional<UnixMillis> ready_at, started_at, completed_at;
  std::size_t next = 0;   // the first item that may still be pending: derived
  int active = 0;         // items queued or running: derived
  std::size_t ended = 0;  // items terminal: derived
  std::size_t bad = 0;    // items terminal without success: derived
  json::value value;      // step_value() once it has ended: derived
};

struct Run {
  std::string id, project, key;
  std::int64_t version = 0;
  int generation = 1;
  std::string name;
  RunStatus status = RunStatus::queued;
  std::optional<RunStatus> ending;  // canceled or expired: everything at work is being stopped
  json::object definition, args, outputs, metadata;
  json::array failures;
  json::value error;
  bool degraded = false;
  std::optional<std::string> workflow, reason, client_ref, end_user, trace_id;
  std::optional<int> workflow_version;
  std::optional<jobs::JobParent> parent;
  int depth = 1;
  std::vector<std::string> tags;
  UnixMillis created_at{}, deadline_at{};
  std::optional<UnixMillis> started_at, paused_at, completed_at;
  std::vector<StepState> steps;  // in the definition's order
  std::size_t elsewhere = 0;     // instances of the other runs of its tree (runs inside runs): in memory only
};
std::size_t instances(const Run& run);

// What `steps.<id>` stands for: {status, output, error}, with for_each also {items, succeeded, failed}.
json::value step_value(const Step& step, const StepState& state);
// The scope of a step's references; `index` of its item. Borrows from all three.
Scope scope_of(const Definition& definition, const Run& run, const json::value& args, const json::value& about, const Step* step,
               const StepState* state, std::size_t index);
// {id, name, generation, created_at}
json::value about(const Run& run);
// Sets what is derived in every step, after loading.
void derive(const Definition& definition, Run& run);

// Deterministic, so that nothing starts twice: a ULID of the run's time of creation and SHA-256 of (run, generation, step, index, variant).
std::string work_id(std::string_view prefix, const Run& run, std::string_view step, std::size_t index, int variant);

}  // namespace kinora::runs
