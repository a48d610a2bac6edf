#include "runs/rows.hpp"

#include <algorithm>
#include <functional>

#include "jobs/keyset.hpp"
#include "store/fault_point.hpp"

namespace kinora::runs {
namespace {

using store::Connection;
using store::Statement;

std::int64_t millis(UnixMillis time) { return time.time_since_epoch().count(); }
std::optional<std::int64_t> millis(const std::optional<UnixMillis>& time) { return time ? std::optional(millis(*time)) : std::nullopt; }
UnixMillis time_of(std::int64_t value) { return UnixMillis(std::chrono::milliseconds(value)); }
std::optional<UnixMillis> time_at(const Statement& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional(time_of(row.integer(column)));
}
std::optional<std::string> text_of(const json::value& value) {
  return value.is_null() ? std::nullopt : std::optional(json::serialize(value));
}
json::value value_of(const Statement& row, int column) {
  return row.is_null(column) ? json::value(nullptr) : json::parse(row.text(column));
}
json::object object_of(const Statement& row, int column) { return json::parse(row.text(column)).as_object(); }

base::Status done(const base::Result<std::int64_t>& changed) {
  if (!changed) return base::fail(changed.error());
  return {};
}

constexpr std::string_view kColumns =
    "id, project, key, version, generation, name, status, ending, reason, definition, args, outputs, metadata, failures, error, degraded, "
    "workflow, "
    "workflow_version, client_ref, end_user, trace_id, parent_run, parent_step, parent_index, depth, tags, created_at, deadline_at, "
    "started_at, "
    "paused_at, completed_at";

base::Result<std::int64_t> write_run(Connection& connection, std::string_view sql, const Run& run) {
  using Text = std::optional<std::string>;
  const Text ending = run.ending ? Text(name(*run.ending)) : std::nullopt;
  const Text parent_run = run.parent ? Text(run.parent->run) : std::nullopt;
  const Text parent_step = run.parent ? Text(run.parent->step) : std::nullopt;
  const std::optional<int> parent_index = run.parent ? std::optional(run.parent->index) : std::nullopt;
  return connection.run(sql, run.id, run.project, run.key, run.version, run.generation, run.name, name(run.status), ending, run.reason,
                        json::serialize(run.definition), json::serialize(run.args), json::serialize(run.outputs),
                        json::serialize(run.metadata), json::serialize(run.failures), text_of(run.error), run.degraded, run.workflow,
                        run.workflow_version, run.client_ref, run.end_user, run.trace_id, parent_run, parent_step, parent_index, run.depth,
                        json::serialize(json::value_from(run.tags)), millis(run.created_at), millis(run.deadline_at),
                        millis(run.started_at), millis(run.paused_at), millis(run.completed_at));
}

Run read_run(const Statement& row) {
  Run run;
  run.id = row.text(0);
  run.project = row.text(1);
  run.key = row.text(2);
  run.version = row.integer(3);
  run.generation = static_cast<int>(row.integer(4));
  run.name = row.text(5);
  run.status = parse_run_status(row.text(6)).value_or(RunStatus::failed);
  if (!row.is_null(7)) run.ending = parse_run_status(row.text(7));
  run.reason = row.optional_text(8);
  run.definition = object_of(row, 9);
  run.args = object_of(row, 10);
  run.outputs = object_of(row, 11);
  run.metadata = object_of(row, 12);
  run.failures = json::parse(row.text(13)).as_array();
  run.error = value_of(row, 14);
  run.degraded = row.integer(15) != 0;
  run.workflow = row.optional_text(16);
  if (!row.is_null(17)) run.workflow_version = static_cast<int>(row.integer(17));
  run.client_ref = row.optional_text(18);
  run.end_user = row.optional_text(19);
  run.trace_id = row.optional_text(20);
  if (!row.is_null(21))
    run.parent = jobs::JobParent{std::string(row.text(21)), std::string(row.text(22)), static_cast<int>(row.integer(23))};
  run.depth = static_cast<int>(row.integer(24));
  run.tags = json::value_to<std::vector<std::string>>(json::parse(row.text(25)));
  run.created_at = time_of(row.integer(26));
  run.deadline_at = time_of(row.integer(27));
  run.started_at = time_at(row, 28);
  run.paused_at = time_at(row, 29);
  run.completed_at = time_at(row, 30);
  return run;
}

base::Status read_steps(Connection& connection, Run& run) {
  KINORA_TRY(Statement row,
             connection.query("SELECT status, list, signal, output, error, reason, size, ready_at, started_at, completed_at FROM run_steps "
                              "WHERE run = ? ORDER BY ordinal",
                              run.id));
  for (;;) {
    KINORA_TRY(const bool there, row.step());
    if (!there) return {};
    StepState& state = run.steps.emplace_back();
    state.status = parse_step_status(row.text(0)).value_or(StepStatus::failed);
    state.list = value_of(row, 1);
    state.signal = value_of(row, 2);
    state.output = value_of(row, 3);
    state.error = value_of(row, 4);
    state.reason = row.text(5);
    state.items.resize(static_cast<std::size_t>(row.integer(6)));
    state.ready_at = time_at(row, 7);
    state.started_at = time_at(row, 8);
    state.completed_at = time_at(row, 9);
  }
}

base::Status read_items(Connection& connection, Run& run) {
  KINORA_TRY(
      Statement row,
      connection.query("SELECT step, idx, status, variant, generation, work, stop, output, error, reused_from, queued_at, started_at, "
                       "ended_at FROM run_items WHERE run = ?",
                       run.id));
  for (;;) {
    KINORA_TRY(const bool there, row.step());
    if (!there) return {};
    const auto step = static_cast<std::size_t>(row.integer(0)), index = static_cast<std::size_t>(row.integer(1));
    if (step >= run.steps.size() || index >= run.steps[step].items.size()) continue;  // of an earlier generation
    Item& item = run.steps[step].items[index];
    item.status = parse_item_status(row.text(2)).value_or(ItemStatus::failed);
    item.variant = static_cast<int>(row.integer(3));
    item.generation = static_cast<int>(row.integer(4));
    item.work = row.text(5);
    item.stop = static_cast<Stop>(row.integer(6));
    item.output = value_of(row, 7);
    item.error = value_of(row, 8);
    item.reused_from = row.optional_text(9);
    item.queued_at = time_at(row, 10);
    item.started_at = time_at(row, 11);
    item.ended_at = time_at(row, 12);
  }
}

void each_artifact(const json::value& value, const std::function<void(std::string_view)>& use) {
  if (const json::array* list = value.if_array())
    for (const json::value& item : *list) each_artifact(item, use);
  const json::object* object = value.if_object();
  if (object == nullptr) return;
  if (const json::value* id = object->if_contains("artifact"); id != nullptr && id->is_string()) use(std::string_view(id->get_string()));
  for (const auto& member : *object) each_artifact(member.value(), use);
}

}  // namespace

base::Status insert_run(Connection& connection, const Run& run) {
  static const std::string sql = "INSERT INTO runs(" + std::string(kColumns) +
                                 ") VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
  return done(write_run(connection, sql, run));
}

base::Status update_run(Connection& connection, const Run& run) {
  static const std::string sql = [] {
    std::string columns(kColumns), out = "UPDATE runs SET ";
    int number = 1;
    for (std::size_t at = 0; at < columns.size(); ++number) {
      const std::size_t comma = std::min(columns.find(", ", at), columns.size());
      const std::string column = columns.substr(at, comma - at), value = "?" + std::to_string(number);
      const bool may_stay = column == "definition" || column == "args";
      if (number > 1) out += ", ";
      out.append(column).append(" = ");
      if (may_stay)
        out.append("iif(").append(value).append(" = '{}', ").append(column).append(", ").append(value).append(")");
      else
        out += value;
      at = comma + 2;
    }
    return out + " WHERE id = ?1 AND version < ?4";
  }();
  KINORA_TRY(const auto changed, write_run(connection, sql, run));
  if (changed != 1) return base::fail(base::ErrorCode::conflict, "the run has changed meanwhile");
  store::fault::carries("run/" + std::string(name(run.status)));
  return {};
}

base::Status put_step(Connection& connection, std::string_view run, std::size_t ordinal, const StepState& state) {
  store::fault::carries("step/" + std::string(name(state.status)));
  return done(connection.run(
      "INSERT OR REPLACE INTO run_steps(run, ordinal, status, list, signal, output, error, reason, size, ready_at, started_at, "
      "completed_at) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      run, static_cast<std::int64_t>(ordinal), name(state.status), text_of(state.list), text_of(state.signal), text_of(state.output),
      text_of(state.error), state.reason, static_cast<std::int64_t>(state.items.size()), millis(state.ready_at), millis(state.started_at),
      millis(state.completed_at)));
}

base::Status put_item(Connection& connection, std::string_view run, std::size_t step, std::size_t index, const Item& item) {
  store::fault::carries("item/" + std::string(name(item.status)));
  return done(connection.run(
      "INSERT OR REPLACE INTO run_items(run, step, idx, status, variant, generation, work, stop, output, error, reused_from, queued_at, "
      "started_at, ended_at) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      run, static_cast<std::int64_t>(step), static_cast<std::int64_t>(index), name(item.status), item.variant, item.generation, item.work,
      static_cast<int>(item.stop), text_of(item.output), text_of(item.error), item.reused_from, millis(item.queued_at),
      millis(item.started_at), millis(item.ended_at)));
}

base::Result<Run> find_run(Connection& connection, std::string_view project, std::string_view id) {
  static const std::string sql = "SELECT " + std::string(kColumns) + " FROM runs WHERE id = ?";
  std::optional<Run> run;
  {
    KINORA_TRY(Statement row, connection.query(sql, id));
    KINORA_TRY(const bool there, row.step());
    if (there) run = read_run(row);
  }
  if (!run || (!project.empty() && run->project != project)) return base::fail(base::ErrorCode::not_found, "no run of that id");
  KINORA_OK(read_steps(connection, *run));
  KINORA_OK(read_items(connection, *run));
  return std::move(*run);
}

base::Result<std::size_t> instances_of_tree(Connection& connection, std::string_view root) {
  KINORA_TRY(Statement row,
             connection.query("WITH RECURSIVE tree(id) AS (VALUES(?) UNION SELECT work FROM tree JOIN runs ON runs.id = tree.id "
                              "JOIN run_items ON run_items.run = runs.id AND run_items.generation = runs.generation "
                              "WHERE work LIKE 'run~_%' ESCAPE '~') SELECT sum(size) FROM run_steps WHERE run IN tree",
                              root));
  KINORA_TRY(const bool there, row.step());
  return there && !row.is_null(0) ? static_cast<std::size_t>(row.integer(0)) : 0;
}

base::Result<std::vector<std::string>> unfinished_runs(Connection& connection) {
  KINORA_TRY(Statement row, connection.query("SELECT id FROM runs WHERE completed_at IS NULL ORDER BY created_at, id"));
  std::vector<std::string> out;
  for (;;) {
    KINORA_TRY(const bool there, row.step());
    if (!there) return out;
    out.emplace_back(row.text(0));
  }
}

base::Result<jobs::Listing<Run>> list_runs(Connection& connection, std::string_view project, const RunFilter& filter,
                                           const jobs::Page& page) {
  jobs::Keyset keyset("SELECT " + std::string(kColumns) + " FROM runs WHERE project = ?", page);
  keyset.add("project", std::string(project), true);
  if (filter.status) keyset.add("status = ?", std::string(name(*filter.status)));
  if (filter.workflow) keyset.add("workflow = ?", *filter.workflow);
  if (filter.tag) keyset.add("EXISTS(SELECT 1 FROM json_each(tags) WHERE value = ?)", *filter.tag);
  if (filter.end_user) keyset.add("end_user = ?", *filter.end_user);
  if (filter.client_ref) keyset.add("client_ref = ?", *filter.client_ref);
  KINORA_TRY(Statement row, keyset.query(connection));
  std::vector<Run> out;
  for (;;) {
    KINORA_TRY(const bool there, row.step());
    if (!there) return keyset.listing(std::move(out));
    out.push_back(read_run(row));
  }
}

base::Status put_result(Connection& connection, std::string_view project, std::string_view key, const StepResult& result, UnixMillis now) {
  return done(connection.run("INSERT OR REPLACE INTO step_results(project, key, job, output, created_at) VALUES(?, ?, ?, ?, ?)", project,
                             key, result.job, json::serialize(result.output), millis(now)));
}

base::Result<bool> artifacts_there(Connection& connection, const json::value& output) {
  std::vector<std::string> ids;
  each_artifact(output, [&](std::string_view id) { ids.emplace_back(id); });
  for (const std::string& id : ids) {
    KINORA_TRY(Statement row, connection.query("SELECT 1 FROM artifacts WHERE id = ?", id));
    KINORA_TRY(const bool there, row.step());
    if (!there) return false;
  }
  return true;
}

base::Result<std::optional<StepResult>> find_result(Connection& connection, std::string_view project, std::string_view key,
                                                    UnixMillis keep_until) {
  std::optional<StepResult> out;
  {
    KINORA_TRY(Statement row, connection.query("SELECT job, output FROM step_results WHERE project = ? AND key = ?", project, key));
    KINORA_TRY(const bool there, row.step());
    if (!there) return out;
    out = StepResult{std::string(row.text(0)), json::parse(row.text(1))};
  }
  KINORA_TRY(const bool there, artifacts_there(connection, out->output));
  if (!there) return std::optional<StepResult>();
  KINORA_OK(keep_artifacts(connection, project, out->output, keep_until));
  return out;
}

base::Status keep_artifacts(Connection& connection, std::string_view project, const json::value& value, UnixMillis until) {
  std::vector<std::string> ids;
  each_artifact(value, [&](std::string_view id) { ids.emplace_back(id); });
  for (const std::string& id : ids)
    KINORA_OK(
        done(connection.run("UPDATE artifacts SET expires_at = ?1, expiry_told = 0 WHERE id = ?2 AND project = ?3 AND expires_at < ?1",
                            millis(until), id, project)));
  return {};
}

namespace {

base::Status drop_run(Connection& connection, std::string_view id) {
  for (const std::string_view sql :
       {"DELETE FROM step_results WHERE job IN (SELECT work FROM run_items WHERE run = ?)", "DELETE FROM run_items WHERE run = ?",
        "DELETE FROM run_steps WHERE run = ?", "DELETE FROM subject_hooks WHERE subject = ?", "DELETE FROM runs WHERE id = ?"})
    KINORA_OK(done(connection.run(sql, id)));
  return {};
}

base::Result<std::vector<std::string>> ids_of(base::Result<Statement> row) {
  if (!row) return base::fail(row.error());
  std::vector<std::string> out;
  for (;;) {
    KINORA_TRY(const bool there, row->step());
    if (!there) return out;
    out.emplace_back(row->text(0));
  }
}

}  // namespace

base::Result<std::int64_t> drop_old_runs(Connection& connection, UnixMillis before, std::int64_t limit) {
  KINORA_TRY(const auto old, ids_of(connection.query("SELECT id FROM runs WHERE completed_at < ? LIMIT ?", millis(before), limit)));
  for (const std::string& id : old) KINORA_OK(drop_run(connection, id));
  KINORA_TRY(const auto results,
             connection.run(
                 "DELETE FROM step_results WHERE (project, key) IN (SELECT project, key FROM step_results WHERE created_at < ? LIMIT ?)",
                 millis(before), limit));
  return static_cast<std::int64_t>(old.size()) + results;
}

base::Result<ErasedRuns> erase_runs_of(Connection& connection, std::string_view project, std::string_view end_user) {
  ErasedRuns out;
  KINORA_TRY(
      const auto ended,
      ids_of(connection.query("SELECT id FROM runs WHERE project = ? AND end_user = ? AND completed_at IS NOT NULL", project, end_user)));
  for (const std::string& id : ended) {
    KINORA_OK(drop_run(connection, id));
    KINORA_OK(
        done(connection.run("UPDATE events SET data = json_object('id', subject, 'object', json_extract(data, '$.object'), 'status', "
                            "json_extract(data, '$.status'), 'data_removed', json('true')) WHERE subject = ?",
                            id)));
    ++out.runs;
  }
  KINORA_TRY(Statement row, connection.query("SELECT COUNT(*) FROM runs WHERE project = ? AND end_user = ?", project, end_user));
  KINORA_TRY(const bool counted, row.step());
  out.pending = counted ? row.integer(0) : 0;
  return out;
}

base::Status expire_artifacts_of(Connection& connection, const std::vector<std::string>& jobs, UnixMillis at) {
  for (const std::string& job : jobs)
    KINORA_OK(done(connection.run(
        "UPDATE artifacts SET expires_at = MIN(COALESCE(expires_at, ?1), ?1), expiry_told = 1 WHERE source_job = ?2", millis(at), job)));
  return {};
}

}  // namespace kinora::runs
