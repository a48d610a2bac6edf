// A node that went silent: its attempt is lost and another one begins, but its result counts when it comes first (engine_state.hpp,
// developer-api 5.3.2).
#include "base/log.hpp"
#include "jobs/engine_state.hpp"

namespace kinora::jobs {

void Engine::State::went_silent(const Running& running, const tasks::TaskFailure& lost) {
  ActiveJob* active = find(running->job);
  if (stopping_ || running->late || active == nullptr || active->ending || active->finishing) return;
  if (active->tasks.at(running->task).attempt != running->row.id) return;
  running->late = true;
  late_.emplace(running->row.id, running);
  failed(running, lost, "lost", running->row.node.value_or(""));
}

bool Engine::State::take_late(const Running& running) {
  ActiveJob& active = *find(running->job);
  TaskRow& task = active.tasks.at(running->task);
  if (task.state != TaskState::queued && task.state != TaskState::running) return false;
  base::log::info("jobs", "a late result is taken", {{"job", active.job.id}, {"attempt", running->row.id}, {"instead_of", task.attempt}});
  Change change = change_of(active, "");
  if (const auto other = running_.find(task.attempt); other != running_.end()) {
    change.attempts.push_back(close(*other->second, "canceled"));
    other->second->cancel->emit(boost::asio::cancellation_type::terminal);
  }
  task.attempt = running->row.id;
  task.node = running->row.node;
  task.state = TaskState::running;
  running->row.error = nullptr;
  late_.erase(running->row.id);
  running->late = false;
  running_.emplace(running->row.id, running);
  ++active.running;
  change.tasks.push_back(task);
  store(std::move(change));
  return true;
}

void Engine::State::cancel_late(const std::string& job) {
  for (const auto& [id, attempt] : late_)
    if (attempt->job == job) attempt->cancel->emit(boost::asio::cancellation_type::terminal);
}

std::shared_ptr<RunningAttempt> Engine::State::find_attempt(const std::string& attempt) const {
  if (const auto found = running_.find(attempt); found != running_.end()) return found->second;
  const auto found = late_.find(attempt);
  return found == late_.end() ? nullptr : found->second;
}

}  // namespace kinora::jobs
