#pragma once
// The tables runs, run_steps, run_items, workflows, workflow_versions, step_results. All functions run inside a write or read.
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/job.hpp"
#include "runs/state.hpp"
#include "store/sqlite.hpp"

namespace kinora::runs {

inline constexpr std::string_view kSchemaRoom = "runs";
std::span<const std::string_view> schema_steps();

base::Status insert_run(store::Connection& connection, const Run& run);
// conflict unless the stored version is older. An empty definition, empty args: those that are stored stay.
base::Status update_run(store::Connection& connection, const Run& run);
base::Status put_step(store::Connection& connection, std::string_view run, std::size_t ordinal, const StepState& state);
base::Status put_item(store::Connection& connection, std::string_view run, std::size_t step, std::size_t index, const Item& item);
// With its steps and items; not_found also for another project's ("" sees all).
base::Result<Run> find_run(store::Connection& connection, std::string_view project, std::string_view id);
// Instances of steps of the run and of the runs that its present generation has made, as far as they have begun.
base::Result<std::size_t> instances_of_tree(store::Connection& connection, std::string_view root);
base::Result<std::vector<std::string>> unfinished_runs(store::Connection& connection);  // by creation

struct RunFilter {
  std::optional<RunStatus> status;
  std::optional<std::string> workflow, tag, end_user, client_ref;
};
// Without steps and items.
base::Result<jobs::Listing<Run>> list_runs(store::Connection& connection, std::string_view project, const RunFilter& filter,
                                           const jobs::Page& page);

struct Workflow {
  std::string id, project, name;
  std::optional<std::string> description;
  std::string visibility = "private";  // private, project, public
  int version = 1;                     // the newest
  std::int64_t revision = 1;           // of name, description, visibility: the ETag
  UnixMillis created_at{}, updated_at{};
};
struct WorkflowVersion {
  int version = 1;
  json::object args_schema, definition;
  std::string digest;  // sha256:<hex> of {args_schema, definition} in canonical form
  UnixMillis created_at{};
};
base::Status insert_workflow(store::Connection& connection, const Workflow& workflow, const WorkflowVersion& first);
base::Status add_version(store::Connection& connection, const Workflow& workflow, const WorkflowVersion& version);
base::Status update_workflow(store::Connection& connection, const Workflow& workflow);
base::Status delete_workflow(store::Connection& connection, std::string_view project, std::string_view id);
base::Result<Workflow> find_workflow(store::Connection& connection, std::string_view project, std::string_view id);  // also a public one
base::Result<WorkflowVersion> find_version(store::Connection& connection, std::string_view id, int version);
base::Result<std::vector<WorkflowVersion>> list_versions(store::Connection& connection, std::string_view id);
base::Result<jobs::Listing<Workflow>> list_workflows(store::Connection& connection, std::string_view project, const jobs::Page& page);

// Results by step key, for reuse inside one project.
struct StepResult {
  std::string job;
  json::value output;
};
base::Status put_result(store::Connection& connection, std::string_view project, std::string_view key, const StepResult& result,
                        UnixMillis now);
// nullopt also when an artifact of it has gone. Artifacts that are there are kept until `keep_until` at least.
base::Result<std::optional<StepResult>> find_result(store::Connection& connection, std::string_view project, std::string_view key,
                                                    UnixMillis keep_until);
// Artifacts named in the value that are no longer there.
base::Result<bool> artifacts_there(store::Connection& connection, const json::value& output);
// The project's artifacts that are named in the value are kept until then at least.
base::Status keep_artifacts(store::Connection& connection, std::string_view project, const json::value& value, UnixMillis until);
// Runs that ended before `before`, at most `limit` of them, with their steps, and step results as old. How many rows went.
base::Result<std::int64_t> drop_old_runs(store::Connection& connection, UnixMillis before, std::int64_t limit);
struct ErasedRuns {
  std::int64_t runs = 0, pending = 0;  // gone; not ended yet
};
// The end user's runs that have ended go, with what their events say. The events' types and numbers stay.
base::Result<ErasedRuns> erase_runs_of(store::Connection& connection, std::string_view project, std::string_view end_user);
// What the jobs made is deleted by the sweep after `at`, without artifact.expiring.
base::Status expire_artifacts_of(store::Connection& connection, const std::vector<std::string>& jobs, UnixMillis at);

}  // namespace kinora::runs
