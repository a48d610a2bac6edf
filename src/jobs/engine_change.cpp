// What clients change of jobs that exist: labels, priority, again, data away (engine.hpp).
#include "jobs/engine_state.hpp"
#include "jobs/purge.hpp"

namespace kinora::jobs {
namespace {

using store::Connection;

base::Result<Job> job_of_project(Connection& connection, const std::string& project, const std::string& id) {
  KINORA_TRY(Job job, find_job(connection, id));
  if (job.project != project) return base::fail(base::ErrorCode::not_found, "no job of that id");
  return job;
}

// The labels of a job that has ended: its state does not move any more, its version does.
base::Status write_labels(Connection& connection, const Job& job) {
  KINORA_TRY(const auto changed, connection.run("UPDATE jobs SET version = ?, tags = ?, metadata = ? WHERE id = ?", job.version,
                                                json::serialize(json::value_from(job.tags)), json::serialize(job.metadata), job.id));
  static_cast<void>(changed);
  return {};
}

void set_labels(Job& job, JobPatch& patch) {
  if (patch.tags) job.tags = std::move(*patch.tags);
  if (patch.metadata) job.metadata = std::move(*patch.metadata);
}

// The request that makes the same job anew; a deadline that was a point in time has no meaning for it.
json::object body_of(const Job& job) {
  json::object body{{"task", job.task}, {"input", job.input}};
  if (job.model) body["model"] = *job.model;
  json::object requirements = job.requirements;
  requirements.erase("deadline");
  if (!requirements.empty()) body["requirements"] = std::move(requirements);
  if (!job.output_options.empty()) body["output"] = job.output_options;
  body["retry"] = {{"max_attempts", job.retry.max_attempts},
                   {"on", json::value_from(job.retry.on)},
                   {"initial_ms", job.retry.initial_ms},
                   {"coefficient", job.retry.coefficient},
                   {"max_ms", job.retry.max_ms}};
  if (!job.tags.empty()) body["tags"] = json::value_from(job.tags);
  if (!job.metadata.empty()) body["metadata"] = job.metadata;
  if (job.client_ref) body["client_ref"] = *job.client_ref;
  if (job.end_user) body["end_user"] = *job.end_user;
  if (job.ephemeral) {
    body["ephemeral"] = true;
    body["wait_s"] = 1;  // whoever asks again is there to fetch it
  }
  return body;
}

}  // namespace

Task<Outcome<Job>> Engine::State::patch(std::string project, std::string id, JobPatch patch) {
  ActiveJob* active = find(id);
  if (active != nullptr && active->job.project == project && !active->finishing) {
    if (patch.if_version && *patch.if_version != active->job.version)
      co_return refuse("version_conflict", "the job is at version " + std::to_string(active->job.version));
    if (patch.priority && *patch.priority != active->job.priority) {
      if (active->job.status != Status::queued || active->ending)
        co_return refuse("not_cancelable", "the priority can be changed while the job is queued only");
      active->job.priority = *patch.priority;
      active->job.requirements["priority"] = name(*patch.priority);
      for (auto& [capability, waiting] : waiting_) waiting.queue.erase_job(id);
      for (auto& [key, task] : active->tasks)
        if (task.state == TaskState::queued && task.due_at <= clock_() && (!is_replicated(*active) || key.second < active->released))
          enqueue(*active, task);
    }
    set_labels(active->job, patch);
    store(change_of(*active, ""));
    wake();
    const Job changed = active->job;
    // Behind the change just queued: answered when it is on the disk.
    const auto written = co_await database_.write([](Connection&) -> base::Status { return {}; });
    if (!written) co_return refuse(written.error());
    co_return changed;
  }
  auto problem = std::make_shared<std::optional<tasks::Problem>>();
  auto changed = co_await database_.write([&](Connection& connection) -> base::Result<Job> {
    KINORA_TRY(Job job, job_of_project(connection, project, id));
    if (patch.if_version && *patch.if_version != job.version)
      *problem = refuse("version_conflict", "the job is at version " + std::to_string(job.version)).value();
    else if (patch.priority)
      *problem = refuse("not_cancelable", "the job has ended: its priority cannot be changed").value();
    else if (job.data_removed)
      *problem = refuse("gone", "the data of this job has been removed").value();
    if (*problem) return job;
    set_labels(job, patch);
    ++job.version;
    KINORA_OK(write_labels(connection, job));
    return job;
  });
  if (*problem) co_return tl::unexpected<tasks::Problem>(std::move(**problem));
  if (!changed) co_return refuse(changed.error());
  co_return std::move(*changed);
}

Task<Outcome<SubmitAnswer>> Engine::State::retry(std::string id, SubmitRequest request) {
  auto job = co_await database_.read([&](Connection& connection) { return job_of_project(connection, request.project, id); });
  if (!job) co_return refuse(job.error());
  if (!terminal(job->status)) co_return refuse("not_terminal", "the job is still at work");
  if (job->data_removed) co_return refuse("gone", "the data of this job has been removed: it cannot be run again");
  request.body = body_of(*job);
  request.retry_of = job->id;
  co_return co_await submit(std::move(request));
}

Task<Outcome<void>> Engine::State::purge(std::string project, std::string id) {
  struct Purged {
    bool done = false;
    std::vector<std::string> released;
  };
  auto purged = co_await database_.write([&](Connection& connection) -> base::Result<Purged> {
    KINORA_TRY(const Job job, job_of_project(connection, project, id));
    if (!terminal(job.status)) return Purged{};
    KINORA_TRY(auto released, purge_job(connection, job));
    return Purged{true, std::move(released)};
  });
  if (!purged) co_return refuse(purged.error());
  if (!purged->done) co_return refuse("not_terminal", "the job is still at work; cancel it first");
  collect(std::move(purged->released));
  co_return Outcome<void>();
}

Task<Outcome<Erased>> Engine::State::erase_end_user(std::string project, std::string end_user) {
  for (const auto& [id, active] : active_) {
    if (active.job.project != project || active.job.end_user != end_user || active.ending || active.finishing) continue;
    end_job(active_.at(id), {Status::canceled, "job.canceled", nullptr, "end_user_erased"});
  }
  Erased out;
  std::vector<std::string> released;
  const auto erased = co_await database_.write([&](Connection& connection) -> base::Status {
    out = {};
    KINORA_TRY(const auto jobs, jobs_of_end_user(connection, project, end_user));
    for (const Job& job : jobs) {
      if (!terminal(job.status)) {
        ++out.pending;
        continue;
      }
      KINORA_TRY(auto more, purge_job(connection, job));
      released.insert(released.end(), more.begin(), more.end());
      KINORA_TRY(const auto changed, connection.run("UPDATE jobs SET end_user = NULL WHERE id = ?", job.id));
      static_cast<void>(changed);
      ++out.jobs;
    }
    return {};
  });
  if (!erased) co_return refuse(erased.error());
  collect(std::move(released));
  co_return out;
}

Task<Outcome<Job>> Engine::patch(std::string project, std::string id, JobPatch patch) {
  const auto state = state_;
  co_return co_await state->patch(std::move(project), std::move(id), std::move(patch));
}
Task<Outcome<SubmitAnswer>> Engine::retry(std::string id, SubmitRequest request) {
  const auto state = state_;
  co_return co_await state->retry(std::move(id), std::move(request));
}
Task<Outcome<void>> Engine::remove(std::string project, std::string id) {
  const auto state = state_;
  co_return co_await state->purge(std::move(project), std::move(id));
}
Task<Outcome<Erased>> Engine::erase_end_user(std::string project, std::string end_user) {
  const auto state = state_;
  co_return co_await state->erase_end_user(std::move(project), std::move(end_user));
}

}  // namespace kinora::jobs
