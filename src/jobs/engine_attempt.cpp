// One attempt from the offer to its outcome (engine_state.hpp).
#include <algorithm>

#include "base/log.hpp"
#include "jobs/engine_state.hpp"
#include "jobs/result_output.hpp"
#include "jobs/retry.hpp"

namespace kinora::jobs {

namespace {

constexpr std::size_t kMaxAvoided = 8;
constexpr std::chrono::milliseconds kLeastPause{50};
constexpr std::chrono::milliseconds kLongestPause{30'000};

std::string_view text_at(const json::object& object, std::string_view outer, std::string_view inner) {
  const json::value* value = object.if_contains(outer);
  if (value == nullptr || !value->is_object()) return {};
  const json::value* text = value->get_object().if_contains(inner);
  return text != nullptr && text->is_string() ? std::string_view(text->get_string()) : std::string_view();
}

double number_at(const json::object& object, std::string_view outer, std::string_view inner, double otherwise) {
  const json::value* value = object.if_contains(outer);
  if (value == nullptr || !value->is_object()) return otherwise;
  const json::value* number = value->get_object().if_contains(inner);
  return number != nullptr && number->is_number() ? number->to_number<double>() : otherwise;
}

}  // namespace

tasks::TaskOrder Engine::State::order_of(const ActiveJob& active, const TaskRow& task) const {
  tasks::TaskOrder order;
  order.attempt = task.attempt;
  order.task = task.task;
  if (const std::string model = model_of(active.job, task); !model.empty()) order.model = model;
  order.params = task.params;
  for (const TaskInput& input : task.inputs) order.inputs.push_back({input.slot, "", input.name, input.bytes, input.sha256});
  const auto left = std::chrono::duration_cast<std::chrono::seconds>(active.job.deadline_at - clock_()).count();
  order.deadline_s = std::clamp<std::int64_t>(left, 1, tasks::find_task(task.task)->default_deadline_s);
  return order;
}

Task<void> Engine::State::run_attempt(Running running) {
  ActiveJob* active = find(running->job);
  if (active == nullptr || active->ending) co_return;
  const TaskRow& task = active->tasks.at(running->task);
  if (running->recovered) {
    // What it delivered before a restart.
    auto files = co_await database_.read([id = running->row.id](store::Connection& connection) { return attempt_files(connection, id); });
    if (files)
      for (AttemptFile& file : *files) running->files.emplace(file.name, std::move(file));
  }
  active = find(running->job);
  if (active == nullptr || active->ending) co_return;
  AttemptRequest request{active->job.id, active->job.project, order_of(*active, task), nodes_of_others(*active, task), task.node};
  const tasks::TaskOrder order = request.order;
  AttemptObserver observer;
  const std::weak_ptr<State> weak = weak_from_this();
  observer.on_node = [weak, running](std::string_view node) {
    if (const auto self = weak.lock()) self->given_to(*running, node);
  };
  observer.on_event = [weak, running](const tasks::TaskEvent& event) {
    if (const auto self = weak.lock()) self->observe(running, event);
  };
  running->seen_by_executor = true;
  --waiting_[running->capability].starting;
  AttemptOutcome outcome = outcome::Lost{};
  try {
    outcome = co_await worker_.run(std::move(request), std::move(observer));
  } catch (const std::exception& error) {
    outcome = outcome::Lost{running->row.node.value_or(""), "the connection to the node broke"};
    base::log::debug("jobs", "attempt broken off", {{"attempt", running->row.id}, {"why", error.what()}});
  }
  // Asked to stop (cancel, deadline, shutdown, another replica has won): the rows stay as they are, or leave() ends the job.
  const auto over = [&] {
    active = find(running->job);
    if (stopping_ || active == nullptr || active->ending || active->finishing) return true;
    // Another attempt's late result has taken its place.
    return !running->late && active->tasks.at(running->task).attempt != running->row.id;
  };
  if (over()) co_return;
  if (auto* done = std::get_if<outcome::Succeeded>(&outcome)) {
    running->row.node = done->node;
    auto failure = co_await judge(running, order, done->result);
    if (over()) co_return;
    if (running->late && (failure || !take_late(running))) co_return;
    if (!failure && is_replicated(*active)) {
      TaskRow& row = active->tasks.at(running->task);
      row.state = TaskState::succeeded;
      row.result = json::serialize(tasks::to_json(done->result));
    }
    if (is_replicated(*active)) co_await weigh(running->job);
    if (over()) co_return;
    if (failure)
      failed(running, std::move(*failure), "invalid", done->node);
    else
      succeeded(running, done->result);
  } else if (running->late) {
    co_return;  // lost already
  } else if (auto* said = std::get_if<outcome::Failed>(&outcome)) {
    failed(running, std::move(said->failure), "failed", said->node);
  } else if (const auto* refusal = std::get_if<outcome::Refused>(&outcome)) {
    refused(running, *refusal);
  } else {
    const auto& lost = std::get<outcome::Lost>(outcome);
    failed(running, tasks::failure("worker_lost", lost.reason), "lost", lost.node);
  }
}

void Engine::State::given_to(RunningAttempt& running, std::string_view node) {
  running.row.node = std::string(node);
  ActiveJob* active = find(running.job);
  if (active == nullptr) return;
  active->tasks.at(running.task).node = std::string(node);
  if (!is_replicated(*active) || active->ending || active->finishing) return;
  release_replicas(*active);
  wake();
}

void Engine::State::observe(const Running& running, const tasks::TaskEvent& event) {
  if (running->late) return;  // the job's progress is that of the attempt in its place
  if (const auto* first = std::get_if<tasks::Accepted>(&event)) accepted(*running, *first);
  if (const auto* progress = std::get_if<tasks::Progress>(&event)) progressed(*running, *progress);
  if (const auto* lost = std::get_if<tasks::TaskFailure>(&event)) went_silent(running, *lost);
}

void Engine::State::accepted(RunningAttempt& running, const tasks::Accepted& event) {
  ActiveJob* active = find(running.job);
  if (active == nullptr || active->ending || active->finishing || running.row.accepted_at) return;
  const UnixMillis now = clock_();
  running.row.state = "accepted";
  running.row.worker = event.worker;
  running.row.device = event.device;
  running.row.accepted_at = now;
  Job& job = active->job;
  const bool first = job.status == Status::queued;
  job.attempt = {{"number", running.row.number},
                 {"of", job.retry.max_attempts},
                 {"worker", event.worker},
                 {"region", nullptr},
                 {"started_at", base::to_rfc3339(now)}};
  job.heartbeat_at = now;
  if (first) {
    job.status = Status::running;
    job.phase = Phase::preparing;
    job.preparing_at = now;
  }
  Change change = change_of(*active, first ? "job.preparing" : "");
  change.attempts.push_back(running.row);
  change.tasks.push_back(active->tasks.at(running.task));
  store(std::move(change));
}

void Engine::State::begin_running(ActiveJob& active, Change* into) {
  const bool first = !active.job.running_at;
  active.job.status = Status::running;
  active.job.phase = Phase::running;
  if (first) active.job.running_at = clock_();
  Change change = change_of(active, first ? "job.started" : "");
  if (into == nullptr)
    store(std::move(change));
  else
    std::move(change.events.begin(), change.events.end(), std::back_inserter(into->events));
}

void Engine::State::progressed(RunningAttempt& running, const tasks::Progress& event) {
  ActiveJob* active = find(running.job);
  if (active == nullptr || active->ending || active->finishing) return;
  if (!running.row.accepted_at) accepted(running, {});
  const UnixMillis now = clock_();
  const bool computing = event.stage != "download" && event.stage != "prepare";
  if (computing && !running.row.started_at) {
    running.row.started_at = now;
    running.row.state = "running";
    if (active->job.phase != Phase::running) begin_running(*active, nullptr);
  }
  active->progress.update(running.task, event, now);
  preview(*active, event);
  if (!active->progress.due(now)) return;
  active->job.progress = active->progress.to_json(now);
  active->job.heartbeat_at = now;
  store(change_of(*active, "job.progress"));
}

void Engine::State::leave(const Running& running) {
  const auto entry = running_.find(running->row.id);
  if (entry == running_.end() || entry->second != running) return;
  running_.erase(entry);
  if (running_.empty()) idle_.cancel();
  if (!running->seen_by_executor) --waiting_[running->capability].starting;
  ActiveJob* active = find(running->job);
  if (active != nullptr) {
    if (active->running > 0) --active->running;
    if (active->ending && active->running == 0 && !active->finishing) end_job(*active, *active->ending);
  }
  wake();
}

Task<std::optional<tasks::TaskFailure>> Engine::State::judge(Running running, tasks::TaskOrder order, const tasks::TaskResult& result) {
  std::vector<DeliveredFile> files;
  for (const tasks::ResultFile& file : result.files) {
    const auto found = running->files.find(file.name);
    if (found != running->files.end()) files.push_back({file.slot, file.name, file.mime, found->second.sha256, found->second.bytes});
  }
  if (auto failure = check_delivery(order, result, files)) co_return failure;
  ActiveJob& active = *find(running->job);
  const std::string level(text_at(active.job.requirements, "verification", "level"));
  if (files.empty() || level == "none" || level == "checksum") co_return std::nullopt;
  if (!std::bernoulli_distribution(number_at(active.job.requirements, "verification", "sample_rate", 1))(random_)) {
    running->verification = {{"level", "checksum"}, {"passed", true}};
    co_return std::nullopt;
  }
  const bool last = running->task.first == "run" || running->task.first == "join";
  if (last && !running->late) {
    if (!active.job.running_at) begin_running(active, nullptr);
    active.job.phase = Phase::verifying;
    active.job.verifying_at = clock_();
    store(change_of(active, "job.verifying"));
  }
  const std::string on_fail(text_at(active.job.requirements, "verification", "on_fail"));
  base::Status verdict = base::fail(base::ErrorCode::canceled, "stopped");
  try {
    verdict = co_await verifier_.verify(order, result, files, level == "perceptual" ? Strictness::perceptual : Strictness::structural);
  } catch (const std::exception& error) {
    verdict = base::fail(base::ErrorCode::internal, error.what());
  }
  if (verdict) co_return std::nullopt;
  using enum base::ErrorCode;
  const base::ErrorCode code = verdict.error().code;
  const bool of_result = code == invalid || code == unsupported || code == too_large || code == not_found || code == conflict;
  if (of_result && last && on_fail == "deliver_flagged") {
    running->verification = {{"passed", false}, {"detail", redact(verdict.error().message)}};
    co_return std::nullopt;
  }
  tasks::TaskFailure failure = tasks::failure(of_result ? "verification_failed" : "internal", verdict.error().message);
  if (on_fail == "fail" && of_result) failure.retryable = false;
  co_return failure;
}

void Engine::State::refused(const Running& running, const outcome::Refused& why) {
  ActiveJob& active = *find(running->job);
  TaskRow& task = active.tasks.at(running->task);
  leave(running);
  task.state = TaskState::queued;
  Waiting& waiting = waiting_[running->capability];
  waiting.blocked_until = std::max(waiting.blocked_until, clock_() + std::clamp(why.retry_after, kLeastPause, kLongestPause));
  waiting.queue.push_front(active.job.priority, active.job.key.empty() ? active.job.project : active.job.key,
                           ReadyTask{active.job.id, task.step, task.ordinal});
  if (active.job.phase != Phase::dispatching) return;
  active.job.phase = Phase::queued;
  active.job.status_reason = redact(why.reason);
  store(change_of(active, ""));
}

void Engine::State::failed(const Running& running, tasks::TaskFailure failure, std::string_view state, const std::string& node) {
  ActiveJob& active = *find(running->job);
  TaskRow& task = active.tasks.at(running->task);
  const RetryDecision next = decide_retry(failure, task.number, active.job.retry);
  tasks::Problem problem;
  problem.code = failure.code;
  problem.fault = failure.fault;
  problem.retryable = failure.retryable;
  problem.detail = redact(failure.detail);
  problem.job = active.job.id;
  base::log::info("jobs", "attempt failed",
                  {{"job", active.job.id},
                   {"attempt", running->row.id},
                   {"step", task.step},
                   {"code", failure.code},
                   {"node", node},
                   {"detail", problem.detail},
                   {"again", next.again}});
  const json::object error = tasks::to_json(problem);
  running->row.error = error;
  const Attempt closed = close(*running, state);
  if (!next.again) {
    task.state = TaskState::failed;
    if (is_replicated(active)) {
      Change change;
      change.tasks.push_back(task);
      change.attempts.push_back(closed);
      replica_ended(running, std::move(change));
      return;
    }
    active.job.error = error;  // a restart before the end is stored finds it here
    Change change = change_of(active, "");
    change.tasks.push_back(task);
    change.attempts.push_back(closed);
    store(std::move(change));
    leave(running);
    end_job(active, {Status::failed, "job.failed", error, failure.code});
    return;
  }
  leave(running);
  if (!node.empty() && std::find(task.avoid.begin(), task.avoid.end(), node) == task.avoid.end()) {
    task.avoid.push_back(node);
    if (task.avoid.size() > kMaxAvoided) task.avoid.erase(task.avoid.begin());
  }
  task.state = TaskState::queued;
  task.node.reset();
  task.attempt = new_id("att");
  ++task.number;
  task.due_at = clock_() + next.after;
  active.progress.restart(running->task);
  active.job.status_reason = failure.code;
  if (task.step == "run" && active.running == 0) {
    give_back_preparation(active);
    active.job.status = Status::queued;
    active.job.phase = Phase::retry_wait;
  }
  Change change = change_of(active, "job.retrying");
  change.tasks.push_back(task);
  change.attempts.push_back(closed);
  store(std::move(change));
  enqueue(active, task);
  wake();
}

}  // namespace kinora::jobs
