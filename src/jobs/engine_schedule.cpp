// Who runs next, and what happens at a time: slots, back-off, deadlines, ends (engine_state.hpp).
#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include "base/log.hpp"
#include "jobs/engine_state.hpp"

namespace kinora::jobs {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::seconds kCancelPatience{10};

// `count_preparation: false`: the clock of the start timeout stands while a node prepares (loads weights, fetches inputs).
bool counts_preparation(const Job& job) {
  const json::value* wanted = job.requirements.if_contains("count_preparation");
  return wanted == nullptr || !wanted->is_bool() || wanted->get_bool();
}

}  // namespace

void Engine::State::wake() {
  if (tick_posted_ || stopping_ || !started_) return;
  tick_posted_ = true;
  asio::post(executor_, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      self->tick_posted_ = false;
      self->tick();
    }
  });
}

void Engine::State::tick() {
  if (stopping_) return;
  const UnixMillis now = clock_();
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const std::string id = std::move(deadlines_.begin()->second);
    deadlines_.erase(deadlines_.begin());
    check_deadline(id);
  }
  while (!delayed_.empty() && delayed_.begin()->first <= now) {
    const auto [id, key] = std::move(delayed_.begin()->second);
    delayed_.erase(delayed_.begin());
    ActiveJob* active = find(id);
    if (active == nullptr || active->ending) continue;
    const auto task = active->tasks.find(key);
    if (task == active->tasks.end() || task->second.state != TaskState::queued) continue;
    if (active->job.phase == Phase::retry_wait) {
      active->job.phase = Phase::queued;
      store(change_of(*active, "job.queued"));
    }
    enqueue(*active, task->second);
  }
  dispatch();
  if (now >= next_sweep_ && !sweeping_) {
    next_sweep_ = now + settings_.sweep_every;
    sweeping_ = true;
    asio::co_spawn(
        executor_, [self = shared_from_this()]() -> Task<void> { static_cast<void>(co_await self->sweep()); },
        [weak = weak_from_this()](std::exception_ptr) {
          const auto self = weak.lock();
          if (!self) return;
          self->sweeping_ = false;
          self->idle_.cancel();
        });
  }
  arm();
}

void Engine::State::enqueue(ActiveJob& active, TaskRow& task) {
  const TaskKey key{task.step, task.ordinal};
  if (task.state == TaskState::queued && task.due_at > clock_()) {
    delayed_.emplace(task.due_at, std::pair(active.job.id, key));
    return;
  }
  FairQueue& queue = waiting_[capability_of(active.job, task)].queue;
  const std::string& owner = active.job.key.empty() ? active.job.project : active.job.key;
  ReadyTask ready{active.job.id, key.first, key.second};
  // One that a node may still be working on goes first.
  if (task.state == TaskState::running)
    queue.push_front(active.job.priority, owner, std::move(ready));
  else
    queue.push(active.job.priority, owner, std::move(ready));
}

void Engine::State::dispatch() {
  if (draining_) return;
  const UnixMillis now = clock_();
  std::vector<std::pair<const std::string*, Waiting*>> order;
  for (auto& [capability, waiting] : waiting_)
    if (!waiting.queue.empty() && waiting.blocked_until <= now) order.emplace_back(&capability, &waiting);
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.second->queue.top() > b.second->queue.top(); });
  for (const auto& [capability, waiting] : order) {
    const std::size_t cut = capability->find('\n');
    const std::string_view task = std::string_view(*capability).substr(0, cut), model = std::string_view(*capability).substr(cut + 1);
    // An attempt may run, and be refused, before start() returns: so everything is asked again each time.
    while (!waiting->queue.empty() && waiting->blocked_until <= now && running_.size() < settings_.max_running_attempts &&
           worker_.free_slots(task, model) > waiting->starting) {
      const ReadyTask next = *waiting->queue.pop();
      ActiveJob* active = find(next.job);
      if (active == nullptr || active->ending || active->finishing) continue;
      TaskRow& ready = active->tasks.at({next.step, next.ordinal});
      if (ready.state == TaskState::queued || ready.state == TaskState::running) start(*active, ready);  // else a late result has done it
    }
  }
  std::erase_if(waiting_, [](const auto& entry) { return entry.second.queue.empty() && entry.second.starting == 0; });
}

void Engine::State::start(ActiveJob& active, TaskRow& task) {
  auto running = std::make_shared<RunningAttempt>();
  running->job = active.job.id;
  running->task = {task.step, task.ordinal};
  running->recovered = task.state == TaskState::running;
  running->row.id = task.attempt;
  running->row.job = active.job.id;
  running->row.state = "offered";
  running->row.step = task.step;
  running->row.step_index = task.ordinal;
  running->row.number = task.number;
  running->row.node = task.node;
  running_.emplace(task.attempt, running);
  ++active.running;
  running->capability = capability_of(active.job, task);
  ++waiting_[running->capability].starting;
  task.state = TaskState::running;
  if (active.job.status == Status::queued) active.job.phase = Phase::dispatching;
  Change change = change_of(active, "");
  change.tasks.push_back(task);
  change.attempts.push_back(running->row);
  store(std::move(change));
  asio::co_spawn(
      executor_, [self = shared_from_this(), running]() { return self->run_attempt(running); },
      asio::bind_cancellation_slot(running->cancel->slot(), [weak = weak_from_this(), running](std::exception_ptr error) {
        const auto self = weak.lock();
        if (!self) return;
        if (error) base::log::error("jobs", "an attempt ended by an exception", {{"attempt", running->row.id}});
        if (self->late_.erase(running->row.id) > 0) self->idle_.cancel();
        self->leave(running);
      }));
}

void Engine::State::arm() {
  if (stopping_) return;
  const UnixMillis now = clock_();
  UnixMillis next = next_sweep_;
  if (!delayed_.empty()) next = std::min(next, delayed_.begin()->first);
  if (!deadlines_.empty()) next = std::min(next, deadlines_.begin()->first);
  for (const auto& [capability, waiting] : waiting_)
    if (!waiting.queue.empty()) next = std::min(next, std::max(waiting.blocked_until, now + settings_.poll_slots));
  timer_.expires_after(std::max(next - now, UnixMillis::duration(1)));
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    if (error) return;
    if (const auto self = weak.lock()) self->wake();
  });
}

void Engine::State::watch_deadlines(const Job& job) {
  deadlines_.emplace(job.deadline_at, job.id);
  if (!job.running_at && job.start_deadline_at && *job.start_deadline_at < job.deadline_at)
    deadlines_.emplace(*job.start_deadline_at, job.id);
}

void Engine::State::forget_deadlines(const Job& job) {
  for (const UnixMillis time : {job.deadline_at, job.start_deadline_at.value_or(job.deadline_at)}) {
    const auto [first, last] = deadlines_.equal_range(time);
    for (auto at = first; at != last;) at = at->second == job.id ? deadlines_.erase(at) : std::next(at);
  }
}

void Engine::State::give_back_preparation(ActiveJob& active) {
  Job& job = active.job;
  if (job.phase != Phase::preparing || counts_preparation(job) || !job.preparing_at || !job.start_deadline_at) return;
  *job.start_deadline_at += clock_() - *job.preparing_at;
  deadlines_.emplace(*job.start_deadline_at, job.id);
}

void Engine::State::check_deadline(const std::string& id) {
  ActiveJob* active = find(id);
  if (active == nullptr) return;
  const UnixMillis now = clock_();
  if (active->ending) {
    // The worker had its time to stop; the job ends without its confirmation.
    if (!active->finishing) {
      active->running = 0;
      end_job(*active, *active->ending);
    }
    return;
  }
  const bool late = active->job.deadline_at <= now;
  const bool clock_stands = active->job.phase == Phase::preparing && !counts_preparation(active->job);
  const bool never_started =
      !active->job.running_at && !clock_stands && active->job.start_deadline_at && *active->job.start_deadline_at <= now;
  if (!late && !never_started) return;
  tasks::Problem problem;
  problem.code = late ? "deadline_exceeded" : "start_timeout";
  problem.detail = late ? "the job's deadline has passed" : "the job did not start in time";
  problem.job = id;
  end_job(*active, {Status::expired, "job.expired", tasks::to_json(problem), problem.code});
}

void Engine::State::end_job(ActiveJob& active, ActiveJob::Ending ending) {
  if (active.finishing) return;
  const bool first = !active.ending;
  active.ending = std::move(ending);
  if (first)
    for (auto& [capability, waiting] : waiting_) waiting.queue.erase_job(active.job.id);
  if (active.running > 0) {
    if (!first) return;
    active.job.cancel_requested = active.ending->status == Status::canceled;
    active.job.phase = Phase::canceling;
    active.job.status_reason = active.ending->reason;
    store(change_of(active, ""));
    deadlines_.emplace(clock_() + kCancelPatience, active.job.id);
    for (const auto& [id, attempt] : running_)
      if (attempt->job == active.job.id) attempt->cancel->emit(asio::cancellation_type::terminal);
    wake();
    return;
  }
  eta_.forget(active.job.id);
  active.job.status = active.ending->status;
  active.job.status_reason = active.ending->reason;
  active.job.error = active.ending->error;
  active.job.phase = Phase::done;
  active.job.completed_at = clock_();
  Change change;
  for (auto& [key, task] : active.tasks) {
    if (task.state != TaskState::queued && task.state != TaskState::running) continue;
    task.state = TaskState::canceled;
    change.tasks.push_back(task);
  }
  const std::string event = active.ending->event;
  Change base = change_of(active, event);
  change.job = std::move(base.job);
  change.events = std::move(base.events);
  change.close_attempts = active.ending->status == Status::failed ? "lost" : "canceled";
  finish(active, std::move(change));
}

void Engine::State::finish(ActiveJob& active, Change change) {
  active.finishing = true;
  cancel_late(active.job.id);
  auto kept = std::make_shared<Change>(std::move(change));
  database_.post_write([kept](store::Connection& connection) { return apply(connection, *kept); },
                       [weak = weak_from_this(), kept](const base::Result<Applied>& applied) {
                         const auto self = weak.lock();
                         if (!self) return;
                         ActiveJob* job = self->find(kept->job.id);
                         if (!applied && applied.error().code != base::ErrorCode::conflict) {
                           // The end must not be lost, and not be told before it is on the disk: again until the disk takes it.
                           auto timer = std::make_shared<asio::steady_timer>(self->executor_, self->settings_.store_again);
                           timer->async_wait([weak, kept, timer](const boost::system::error_code&) {
                             const auto again = weak.lock();
                             if (!again || again->stopping_) return;
                             if (ActiveJob* same = again->find(kept->job.id)) again->finish(*same, *kept);
                           });
                           return;
                         }
                         if (job != nullptr) {
                           self->forget_deadlines(job->job);
                           self->drop_inputs(*job);
                           self->active_.erase(kept->job.id);
                         }
                         if (!applied) {
                           base::log::error("jobs", "a job had ended already", {{"job", kept->job.id}, {"error", applied.error().message}});
                           return;
                         }
                         for (std::size_t i = 0; i < kept->events.size(); ++i)
                           self->feed_.announce(kept->events[i].subject, applied->offsets[i]);
                         self->collect(applied->released);
                         if (kept->job.parent && self->on_child_) self->on_child_(kept->job);
                         self->result_ended(kept->job);
                         self->wake();
                       });
}

std::int64_t Engine::State::queue_position(std::string_view job) const {
  const std::string id(job);
  if (!active_.contains(id)) return 0;
  std::int64_t best = 0;
  for (const auto& [capability, waiting] : waiting_) {
    const std::int64_t position = waiting.queue.position(id);
    if (position > 0 && (best == 0 || position < best)) best = position;
  }
  return best;
}

std::size_t Engine::State::places(std::string_view capability) const {
  const std::size_t cut = capability.find('\n');
  const auto at_work =
      std::count_if(running_.begin(), running_.end(), [&](const auto& entry) { return entry.second->capability == capability; });
  return static_cast<std::size_t>(at_work) + worker_.free_slots(capability.substr(0, cut), capability.substr(cut + 1));
}

std::optional<double> Engine::State::queue_eta_s(std::string_view job) const {
  const std::string id(job);
  if (!active_.contains(id)) return std::nullopt;
  std::optional<double> best;
  for (const auto& [capability, waiting] : waiting_) {
    if (!eta_.seconds(capability)) continue;
    const auto eta = eta_.until_done(capability, waiting.queue.position(id), places(capability));
    if (eta && (!best || *eta < *best)) best = eta;
  }
  return best;
}

Outcome<void> Engine::State::check_disk() const {
  if (settings_.disk_reserve_bytes <= 0 || blobs_.free_bytes() >= settings_.disk_reserve_bytes) return {};
  auto full = refuse("no_capacity", "the disk of this gateway is nearly full: nothing new is taken until there is room again");
  full.value().retry_after_ms = 30'000;
  return full;
}

}  // namespace kinora::jobs
