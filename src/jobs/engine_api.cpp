// Questions about jobs and events, cancel and delete (engine.hpp).
#include "jobs/engine_state.hpp"

namespace kinora::jobs {
namespace {

using store::Connection;

template <class T>
Outcome<T> answer(base::Result<T> result) {
  if (!result) return refuse(result.error());
  return std::move(*result);
}
Outcome<void> answer(const base::Status& status) {
  if (!status) return refuse(status.error());
  return {};
}

base::Result<Job> job_of_project(Connection& connection, const std::string& project, const std::string& id) {
  KINORA_TRY(Job job, find_job(connection, id));
  if (job.project != project) return base::fail(base::ErrorCode::not_found, "no job of that id");
  return job;
}

}  // namespace

Task<Outcome<Job>> Engine::get(std::string project, std::string id) {
  co_return answer(co_await state_->database_.read([&](Connection& connection) { return job_of_project(connection, project, id); }));
}

Task<Outcome<Listing<Job>>> Engine::list(std::string project, JobFilter filter, Page page) {
  co_return answer(co_await state_->database_.read([&](Connection& connection) { return list_jobs(connection, project, filter, page); }));
}

Task<Outcome<CancelAnswer>> Engine::cancel(std::string project, std::string id, std::optional<std::string> reason) {
  const auto state = state_;
  if (ActiveJob* active = state->find(id); active != nullptr && active->job.project == project && !active->ending && !active->finishing)
    state->end_job(*active,
                   {Status::canceled, "job.canceled", nullptr, reason ? std::move(reason) : std::optional<std::string>("canceled")});
  // Reads on the writer's thread, behind the change just queued.
  auto job = co_await state->database_.write([&](Connection& connection) { return job_of_project(connection, project, id); });
  if (!job) co_return refuse(job.error());
  CancelAnswer out;
  if (!terminal(job->status))
    out.result = CancelResult::canceling;
  else if (job->status != Status::canceled)
    out.result = CancelResult::too_late;
  out.job = std::move(*job);
  co_return out;
}

Task<Outcome<std::vector<Attempt>>> Engine::attempts(std::string project, std::string id) {
  co_return answer(co_await state_->database_.read([&](Connection& connection) -> base::Result<std::vector<Attempt>> {
    KINORA_TRY(const Job job, job_of_project(connection, project, id));
    static_cast<void>(job);
    return job_attempts(connection, id);
  }));
}

Task<Outcome<std::vector<Event>>> Engine::events(EventQuery query) {
  co_return answer(co_await state_->database_.read([&](Connection& connection) { return read_events(connection, query); }));
}

Task<Outcome<std::int64_t>> Engine::oldest_event_offset() {
  co_return answer(co_await state_->database_.read([](Connection& connection) { return oldest_event(connection); }));
}

Task<Outcome<std::int64_t>> Engine::newest_event_offset() {
  co_return answer(co_await state_->database_.read([](Connection& connection) { return newest_event(connection); }));
}

Outcome<AttemptTarget> Engine::attempt_target(std::string_view attempt) const {
  // Of one result file: a lossless hour at most.
  constexpr std::int64_t kMaxAttemptFileBytes = std::int64_t{64} << 30;
  const auto found = state_->find_attempt(std::string(attempt));
  const ActiveJob* active = found == nullptr ? nullptr : state_->find(found->job);
  if (active == nullptr || active->ending || active->finishing) return refuse("not_found", "that attempt is not running");
  return AttemptTarget{active->job.id, active->job.project, kMaxAttemptFileBytes};
}

Task<Outcome<void>> Engine::add_attempt_file(std::string attempt, std::string name, store::Blob blob) {
  if (!tasks::is_file_name(name)) co_return refuse("invalid_field", "is no allowed file name");
  const auto state = state_;
  const auto running = state->find_attempt(attempt);
  if (running == nullptr) co_return refuse("not_found", "that attempt is not running");
  if (running->files.size() >= tasks::kMaxResultFiles && !running->files.contains(name))
    co_return refuse("body_too_large", "too many files");
  const AttemptFile file{name, blob.sha256(), blob.bytes()};
  const auto stored = co_await state->database_.write([&](Connection& connection) -> base::Status {
    // The job may have ended while the bytes came in.
    KINORA_TRY(const Job job, find_job(connection, running->job));
    if (terminal(job.status)) return base::fail(base::ErrorCode::not_found, "that attempt is not running");
    return put_attempt_file(connection, running->job, attempt, file);
  });
  if (stored) running->files.insert_or_assign(name, file);
  co_return answer(stored);
}

}  // namespace kinora::jobs
