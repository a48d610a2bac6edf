#include <array>

#include "runs/rows.hpp"

namespace kinora::runs {
namespace {

// Times are Unix milliseconds. JSON is text; NULL where there is none. Steps and items go by their place in the definition.
constexpr std::string_view kFirst = R"sql(
CREATE TABLE runs(
  id TEXT PRIMARY KEY, project TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, generation INTEGER NOT NULL, name TEXT NOT NULL,
  status TEXT NOT NULL, ending TEXT, reason TEXT, definition TEXT NOT NULL, args TEXT NOT NULL, outputs TEXT NOT NULL, metadata TEXT NOT NULL,
  failures TEXT NOT NULL, error TEXT, degraded INTEGER NOT NULL, workflow TEXT, workflow_version INTEGER,
  client_ref TEXT, end_user TEXT, trace_id TEXT, parent_run TEXT, parent_step TEXT, parent_index INTEGER, depth INTEGER NOT NULL,
  tags TEXT NOT NULL, created_at INTEGER NOT NULL, deadline_at INTEGER NOT NULL, started_at INTEGER, paused_at INTEGER, completed_at INTEGER
) STRICT;
CREATE INDEX runs_by_time ON runs(project, created_at, id);
CREATE INDEX runs_unfinished ON runs(created_at) WHERE completed_at IS NULL;
CREATE INDEX runs_finished ON runs(completed_at) WHERE completed_at IS NOT NULL;

CREATE TABLE run_steps(
  run TEXT NOT NULL, ordinal INTEGER NOT NULL, status TEXT NOT NULL, list TEXT, signal TEXT, output TEXT, error TEXT, reason TEXT NOT NULL,
  size INTEGER NOT NULL, ready_at INTEGER, started_at INTEGER, completed_at INTEGER, PRIMARY KEY(run, ordinal)
) STRICT, WITHOUT ROWID;

-- Items that have been begun; those not there are pending.
CREATE TABLE run_items(
  run TEXT NOT NULL, step INTEGER NOT NULL, idx INTEGER NOT NULL, status TEXT NOT NULL, variant INTEGER NOT NULL, generation INTEGER NOT NULL,
  work TEXT NOT NULL, stop INTEGER NOT NULL, output TEXT, error TEXT, reused_from TEXT, queued_at INTEGER, started_at INTEGER, ended_at INTEGER,
  PRIMARY KEY(run, step, idx)
) STRICT, WITHOUT ROWID;

CREATE TABLE workflows(
  id TEXT PRIMARY KEY, project TEXT NOT NULL, name TEXT NOT NULL, description TEXT, visibility TEXT NOT NULL, version INTEGER NOT NULL,
  revision INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX workflows_by_time ON workflows(project, created_at, id);
CREATE TABLE workflow_versions(
  workflow TEXT NOT NULL, version INTEGER NOT NULL, args_schema TEXT NOT NULL, definition TEXT NOT NULL, digest TEXT NOT NULL,
  created_at INTEGER NOT NULL, PRIMARY KEY(workflow, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE step_results(
  project TEXT NOT NULL, key TEXT NOT NULL, job TEXT NOT NULL, output TEXT NOT NULL, created_at INTEGER NOT NULL, PRIMARY KEY(project, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX step_results_by_time ON step_results(created_at);
)sql";

constexpr std::array kSteps{kFirst};

}  // namespace

std::span<const std::string_view> schema_steps() { return kSteps; }

}  // namespace kinora::runs
