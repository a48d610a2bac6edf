#include "jobs/job_rows.hpp"

#include "jobs/keyset.hpp"
#include "store/fault_point.hpp"

namespace kinora::jobs {
namespace {

using store::Connection;
using store::Statement;

std::int64_t millis(UnixMillis time) { return time.time_since_epoch().count(); }
std::optional<std::int64_t> millis(const std::optional<UnixMillis>& time) {
  if (!time) return std::nullopt;
  return millis(*time);
}
UnixMillis time_of(std::int64_t value) { return UnixMillis(std::chrono::milliseconds(value)); }
std::optional<UnixMillis> time_of(const std::optional<std::int64_t>& value) {
  if (!value) return std::nullopt;
  return time_of(*value);
}
std::optional<std::string> text_or_null(const json::value& value) {
  if (value.is_null()) return std::nullopt;
  return json::serialize(value);
}
json::value parse_or_null(std::string_view text) { return text.empty() ? json::value(nullptr) : json::parse(text); }

json::object to_json(const RetryPolicy& retry) {
  return {{"max_attempts", retry.max_attempts},
          {"on", json::value_from(retry.on)},
          {"initial_ms", retry.initial_ms},
          {"coefficient", retry.coefficient},
          {"max_ms", retry.max_ms}};
}
RetryPolicy retry_of(const json::value& value) {
  const json::object& object = value.as_object();
  return {.max_attempts = object.at("max_attempts").to_number<int>(),
          .on = json::value_to<std::vector<std::string>>(object.at("on")),
          .initial_ms = object.at("initial_ms").to_number<std::int64_t>(),
          .coefficient = object.at("coefficient").to_number<double>(),
          .max_ms = object.at("max_ms").to_number<std::int64_t>()};
}

std::optional<std::string> to_text(const std::optional<JobParent>& parent) {
  if (!parent) return std::nullopt;
  return json::serialize(json::object{{"run", parent->run}, {"step", parent->step}, {"index", parent->index}});
}
JobParent parent_of(const json::value& value) {
  return {std::string(value.at("run").as_string()), std::string(value.at("step").as_string()), value.at("index").to_number<int>()};
}

constexpr std::string_view kJobColumns =
    "id, project, key, version, task, model, resolved_model, status, phase, status_reason, priority, input, params, output, error, "
    "progress, attempt, "
    "requirements, output_options, metadata, retry, tags, client_ref, end_user, retry_of, trace_id, retention_s, created_at, deadline_at, "
    "start_deadline_at, queued_at, preparing_at, running_at, verifying_at, finalizing_at, completed_at, heartbeat_at, expires_at, "
    "cancel_requested, "
    "data_removed, parent, ephemeral, weights";

Job read_job(const Statement& row) {
  Job job;
  int i = 0;
  job.id = row.text(i++);
  job.project = row.text(i++);
  job.key = row.text(i++);
  job.version = row.integer(i++);
  job.task = row.text(i++);
  job.model = row.optional_text(i++);
  job.resolved_model = row.optional_text(i++);
  job.status = parse_status(row.text(i++)).value_or(Status::failed);
  job.phase = parse_phase(row.text(i++)).value_or(Phase::done);
  job.status_reason = row.optional_text(i++);
  job.priority = static_cast<Priority>(row.integer(i++));
  job.input = json::parse(row.text(i++)).as_object();
  job.params = json::parse(row.text(i++)).as_object();
  job.output = parse_or_null(row.text(i++));
  job.error = parse_or_null(row.text(i++));
  job.progress = json::parse(row.text(i++)).as_object();
  job.attempt = json::parse(row.text(i++)).as_object();
  job.requirements = json::parse(row.text(i++)).as_object();
  job.output_options = json::parse(row.text(i++)).as_object();
  job.metadata = json::parse(row.text(i++)).as_object();
  job.retry = retry_of(json::parse(row.text(i++)));
  job.tags = json::value_to<std::vector<std::string>>(json::parse(row.text(i++)));
  job.client_ref = row.optional_text(i++);
  job.end_user = row.optional_text(i++);
  job.retry_of = row.optional_text(i++);
  job.trace_id = row.optional_text(i++);
  job.retention_s = row.integer(i++);
  job.created_at = time_of(row.integer(i++));
  job.deadline_at = time_of(row.integer(i++));
  job.start_deadline_at = time_of(row.optional_integer(i++));
  for (auto* time : {&job.queued_at, &job.preparing_at, &job.running_at, &job.verifying_at, &job.finalizing_at, &job.completed_at,
                     &job.heartbeat_at, &job.expires_at})
    *time = time_of(row.optional_integer(i++));
  job.cancel_requested = row.integer(i++) != 0;
  job.data_removed = row.integer(i++) != 0;
  if (!row.is_null(i)) job.parent = parent_of(json::parse(row.text(i)));
  job.ephemeral = row.integer(++i) != 0;
  job.weights = row.optional_text(++i);
  return job;
}

base::Result<std::vector<Job>> read_jobs(Statement& row) {
  std::vector<Job> out;
  for (;;) {
    KINORA_TRY(const bool there, row.step());
    if (!there) return out;
    out.push_back(read_job(row));
  }
}

base::Result<std::int64_t> write_job(Connection& connection, std::string_view sql, const Job& job) {
  KINORA_TRY(Statement statement, connection.query(sql));
  int i = 0;
  const auto bind = [&](const auto& value) { statement.bind(++i, value); };
  bind(job.id), bind(job.project), bind(job.key), bind(job.version), bind(job.task), bind(job.model), bind(job.resolved_model);
  bind(name(job.status)), bind(name(job.phase)), bind(job.status_reason), bind(static_cast<int>(job.priority));
  bind(json::serialize(job.input)), bind(json::serialize(job.params)), bind(text_or_null(job.output)), bind(text_or_null(job.error));
  bind(json::serialize(job.progress)), bind(json::serialize(job.attempt)), bind(json::serialize(job.requirements));
  bind(json::serialize(job.output_options)), bind(json::serialize(job.metadata)), bind(json::serialize(to_json(job.retry)));
  bind(json::serialize(json::value_from(job.tags))), bind(job.client_ref), bind(job.end_user), bind(job.retry_of), bind(job.trace_id);
  bind(job.retention_s), bind(millis(job.created_at)), bind(millis(job.deadline_at)), bind(millis(job.start_deadline_at));
  for (const auto& time : {job.queued_at, job.preparing_at, job.running_at, job.verifying_at, job.finalizing_at, job.completed_at,
                           job.heartbeat_at, job.expires_at})
    bind(millis(time));
  bind(job.cancel_requested), bind(job.data_removed), bind(to_text(job.parent)), bind(job.ephemeral), bind(job.weights);
  KINORA_TRY(const bool there, statement.step());
  static_cast<void>(there);
  return connection.changes();
}

json::array to_json(const std::vector<TaskInput>& inputs) {
  json::array out;
  for (const TaskInput& input : inputs)
    out.push_back({{"slot", input.slot}, {"name", input.name}, {"sha256", input.sha256}, {"bytes", input.bytes}});
  return out;
}
std::vector<TaskInput> task_inputs_of(const json::value& value) {
  std::vector<TaskInput> out;
  for (const json::value& item : value.as_array())
    out.push_back({std::string(item.at("slot").as_string()), std::string(item.at("name").as_string()),
                   std::string(item.at("sha256").as_string()), item.at("bytes").to_number<std::int64_t>()});
  return out;
}

std::optional<TaskState> parse_task_state(std::string_view text) {
  for (const TaskState state : {TaskState::queued, TaskState::running, TaskState::succeeded, TaskState::failed, TaskState::canceled})
    if (text == name(state)) return state;
  return std::nullopt;
}

base::Status done(const base::Result<std::int64_t>& changed) {
  if (!changed) return base::fail(changed.error());
  return {};
}

}  // namespace

std::string_view name(TaskState state) {
  switch (state) {
    case TaskState::queued: return "queued";
    case TaskState::running: return "running";
    case TaskState::succeeded: return "succeeded";
    case TaskState::failed: return "failed";
    case TaskState::canceled: break;
  }
  return "canceled";
}

base::Status insert_job(Connection& connection, const Job& job, const std::vector<JobInput>& inputs) {
  static const std::string sql = "INSERT INTO jobs(" + std::string(kJobColumns) +
                                 ") VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
                                 "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
  KINORA_OK(done(write_job(connection, sql, job)));
  for (const JobInput& input : inputs) KINORA_OK(set_input(connection, job.id, input));
  return {};
}

base::Result<Job> find_job(Connection& connection, std::string_view id) {
  static const std::string sql = "SELECT " + std::string(kJobColumns) + " FROM jobs WHERE id = ?";
  KINORA_TRY(Statement row, connection.query(sql, id));
  KINORA_TRY(const bool there, row.step());
  if (!there) return base::fail(base::ErrorCode::not_found, "no job of that id");
  return read_job(row);
}

base::Status update_job(Connection& connection, const Job& job) {
  // ?1..?43 are the columns in the order of kJobColumns; those that never change are left out.
  constexpr std::string_view sql =
      R"sql(
      UPDATE jobs SET version = ?4, resolved_model = ?7, status = ?8, phase = ?9, status_reason = ?10, priority = ?11, input = ?12, params = ?13,
        output = ?14, error = ?15, progress = ?16, attempt = ?17, requirements = ?18, metadata = ?20, tags = ?22, queued_at = ?31, preparing_at = ?32, running_at = ?33,
        verifying_at = ?34, finalizing_at = ?35, completed_at = ?36, heartbeat_at = ?37, expires_at = ?38, cancel_requested = ?39,
        data_removed = ?40, parent = ?41, ephemeral = ?42, weights = ?43, start_deadline_at = ?30
      WHERE id = ?1 AND version < ?4 AND status IN ('queued', 'running'))sql";
  KINORA_TRY(const auto changed, write_job(connection, sql, job));
  if (changed != 1) return base::fail(base::ErrorCode::conflict, "the job has changed meanwhile");
  store::fault::carries("job/" + std::string(name(job.phase)));
  return {};
}

base::Result<std::vector<Job>> unfinished_jobs(Connection& connection) {
  static const std::string sql =
      "SELECT " + std::string(kJobColumns) + " FROM jobs WHERE status IN ('queued', 'running') ORDER BY created_at, id";
  KINORA_TRY(Statement row, connection.query(sql));
  return read_jobs(row);
}

base::Result<std::vector<Job>> jobs_of_end_user(Connection& connection, std::string_view project, std::string_view end_user) {
  static const std::string sql = "SELECT " + std::string(kJobColumns) + " FROM jobs WHERE end_user = ? AND project = ?";
  KINORA_TRY(Statement row, connection.query(sql, end_user, project));
  return read_jobs(row);
}

base::Result<Listing<Job>> list_jobs(Connection& connection, std::string_view project, const JobFilter& filter, const Page& page) {
  Keyset keyset("SELECT " + std::string(kJobColumns) + " FROM jobs WHERE project = ?", page);
  keyset.add("project", std::string(project), true);
  if (filter.status) keyset.add("status = ?", std::string(name(*filter.status)));
  if (filter.task) keyset.add("task = ?", *filter.task);
  if (filter.model) keyset.add("model = ?", *filter.model);
  if (filter.end_user) keyset.add("end_user = ?", *filter.end_user);
  if (filter.run) keyset.add("json_extract(parent, '$.run') = ?", *filter.run);
  if (filter.client_ref) keyset.add("client_ref = ?", *filter.client_ref);
  if (filter.tag) keyset.add("EXISTS(SELECT 1 FROM json_each(tags) WHERE json_each.value = ?)", *filter.tag);
  if (filter.created_after) keyset.add("created_at > ?", millis(*filter.created_after));
  if (filter.created_before) keyset.add("created_at < ?", millis(*filter.created_before));
  KINORA_TRY(Statement row, keyset.query(connection));
  KINORA_TRY(auto jobs, read_jobs(row));
  return keyset.listing(std::move(jobs));
}

base::Status delete_job(Connection& connection, std::string_view id) {
  for (const std::string_view sql :
       {"DELETE FROM job_inputs WHERE job = ?", "DELETE FROM job_tasks WHERE job = ?", "DELETE FROM attempts WHERE job = ?",
        "DELETE FROM attempt_files WHERE job = ?", "DELETE FROM subject_hooks WHERE subject = ?", "DELETE FROM jobs WHERE id = ?"})
    KINORA_OK(done(connection.run(sql, id)));
  return {};
}

base::Result<std::vector<JobInput>> job_inputs(Connection& connection, std::string_view job) {
  KINORA_TRY(Statement row,
             connection.query("SELECT slot, ordinal, artifact, upload, sha256, name, bytes, mime FROM job_inputs WHERE job = ? "
                              "ORDER BY slot, ordinal",
                              job));
  std::vector<JobInput> out;
  for (;;) {
    KINORA_TRY(const bool there, row.step());
    if (!there) return out;
    out.push_back({std::string(row.text(0)), static_cast<int>(row.integer(1)), row.optional_text(2), row.optional_text(3),
                   std::string(row.text(4)), std::string(row.text(5)), std::string(row.text(7)), row.integer(6)});
  }
}

base::Status set_input(Connection& connection, std::string_view job, const JobInput& input) {
  return done(
      connection.run("INSERT OR REPLACE INTO job_inputs(job, slot, ordinal, artifact, upload, sha256, name, bytes, mime) "
                     "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
                     job, input.slot, input.ordinal, input.artifact, input.upload, input.sha256, input.name, input.bytes, input.mime));
}

base::Status put_task(Connection& connection, const TaskRow& task) {
  return done(connection.run(
      "INSERT OR REPLACE INTO job_tasks(job, step, ordinal, state, task, params, inputs, attempt, number, due_at, avoid, node, weight, "
      "result) "
      "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      task.job, task.step, task.ordinal, name(task.state), task.task, json::serialize(task.params), json::serialize(to_json(task.inputs)),
      task.attempt, task.number, millis(task.due_at), json::serialize(json::value_from(task.avoid)), task.node, task.weight, task.result));
}

base::Result<std::vector<TaskRow>> job_tasks(Connection& connection, std::string_view job) {
  KINORA_TRY(
      Statement row,
      connection.query("SELECT job, step, ordinal, state, task, params, inputs, attempt, number, due_at, avoid, node, weight, result "
                       "FROM job_tasks WHERE job = ? ORDER BY step, ordinal",
                       job));
  std::vector<TaskRow> out;
  for (;;) {
    KINORA_TRY(const bool there, row.step());
    if (!there) return out;
    out.push_back({std::string(row.text(0)), std::string(row.text(1)), static_cast<int>(row.integer(2)),
                   parse_task_state(row.text(3)).value_or(TaskState::failed), std::string(row.text(4)),
                   json::parse(row.text(5)).as_object(), task_inputs_of(json::parse(row.text(6))), std::string(row.text(7)),
                   static_cast<int>(row.integer(8)), time_of(row.integer(9)),
                   json::value_to<std::vector<std::string>>(json::parse(row.text(10))), row.optional_text(11), row.real(12),
                   std::string(row.text(13))});
  }
}

base::Status put_attempt(Connection& connection, const Attempt& attempt) {
  return done(connection.run(
      "INSERT OR REPLACE INTO attempts(id, job, step, ordinal, number, state, node, worker, device, accepted_at, started_at, "
      "ended_at, units, error) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      attempt.id, attempt.job, attempt.step, attempt.step_index, attempt.number, attempt.state, attempt.node, attempt.worker,
      attempt.device, millis(attempt.accepted_at), millis(attempt.started_at), millis(attempt.ended_at), attempt.units,
      text_or_null(attempt.error)));
}

base::Result<std::vector<Attempt>> job_attempts(Connection& connection, std::string_view job) {
  KINORA_TRY(
      Statement row,
      connection.query("SELECT id, job, state, step, ordinal, number, node, worker, device, accepted_at, started_at, ended_at, units, "
                       "error FROM attempts WHERE job = ? ORDER BY id",
                       job));
  std::vector<Attempt> out;
  for (;;) {
    KINORA_TRY(const bool there, row.step());
    if (!there) return out;
    Attempt attempt;
    attempt.id = row.text(0);
    attempt.job = row.text(1);
    attempt.state = row.text(2);
    attempt.step = row.text(3);
    attempt.step_index = static_cast<int>(row.integer(4));
    attempt.number = static_cast<int>(row.integer(5));
    attempt.node = row.optional_text(6);
    attempt.worker = row.optional_text(7);
    attempt.device = row.optional_text(8);
    attempt.accepted_at = time_of(row.optional_integer(9));
    attempt.started_at = time_of(row.optional_integer(10));
    attempt.ended_at = time_of(row.optional_integer(11));
    attempt.units = row.real(12);
    attempt.error = parse_or_null(row.text(13));
    out.push_back(std::move(attempt));
  }
}

base::Status close_attempts(Connection& connection, std::string_view job, std::string_view state, UnixMillis now) {
  return done(connection.run("UPDATE attempts SET state = ?, ended_at = ? WHERE job = ? AND ended_at IS NULL", state, millis(now), job));
}

base::Status put_attempt_file(Connection& connection, std::string_view job, std::string_view attempt, const AttemptFile& file) {
  return done(connection.run("INSERT OR REPLACE INTO attempt_files(attempt, name, job, sha256, bytes) VALUES(?, ?, ?, ?, ?)", attempt,
                             file.name, job, file.sha256, file.bytes));
}

base::Result<std::vector<AttemptFile>> attempt_files(Connection& connection, std::string_view attempt) {
  KINORA_TRY(Statement row, connection.query("SELECT name, sha256, bytes FROM attempt_files WHERE attempt = ? ORDER BY name", attempt));
  std::vector<AttemptFile> out;
  for (;;) {
    KINORA_TRY(const bool there, row.step());
    if (!there) return out;
    out.push_back({std::string(row.text(0)), std::string(row.text(1)), row.integer(2)});
  }
}

base::Result<std::vector<std::string>> delivered_blobs(Connection& connection, std::string_view job) {
  KINORA_TRY(Statement row, connection.query("SELECT DISTINCT sha256 FROM attempt_files WHERE job = ?", job));
  std::vector<std::string> out;
  for (;;) {
    KINORA_TRY(const bool there, row.step());
    if (!there) return out;
    out.emplace_back(row.text(0));
  }
}

base::Status drop_attempt_files(Connection& connection, std::string_view job) {
  return done(connection.run("DELETE FROM attempt_files WHERE job = ?", job));
}

}  // namespace kinora::jobs
