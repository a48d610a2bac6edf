// A job whose task is done by several nodes: when each begins, and which result is the job's (engine_state.hpp, redundancy.hpp).
#include <algorithm>

#include "jobs/engine_state.hpp"

namespace kinora::jobs {
namespace {

std::optional<tasks::TaskResult> result_of(const TaskRow& task) {
  const auto stored = tasks::parse_event(task.result);
  const auto* made = stored && *stored ? std::get_if<tasks::TaskResult>(&**stored) : nullptr;
  if (made == nullptr) return std::nullopt;
  return *made;
}

}  // namespace

bool is_replicated(const ActiveJob& active) { return active.tasks.contains({"run", 1}); }

// A replica begins once the one before it has a node, so that the next can go to another one.
void Engine::State::release_replicas(ActiveJob& active) {
  for (;;) {
    const auto task = active.tasks.find({"run", active.released});
    if (task == active.tasks.end()) return;
    if (active.released > 0) {
      const TaskRow& before = active.tasks.at({"run", active.released - 1});
      const bool on_its_way = before.state == TaskState::succeeded || before.state == TaskState::failed || before.number > 1 ||
                              (before.state == TaskState::running && before.node);
      if (!on_its_way) return;
    }
    ++active.released;
    if (task->second.state == TaskState::queued || task->second.state == TaskState::running) enqueue(active, task->second);
  }
}

// Nodes of the other replicas: to be avoided where there are others.
std::vector<std::string> Engine::State::nodes_of_others(const ActiveJob& active, const TaskRow& task) const {
  std::vector<std::string> out = task.avoid;
  if (!is_replicated(active)) return out;
  for (const auto& [key, other] : active.tasks)
    if (key.first == "run" && key.second != task.ordinal && other.node && std::find(out.begin(), out.end(), *other.node) == out.end())
      out.push_back(*other.node);
  return out;
}

std::vector<Replica> Engine::State::replicas_of(const ActiveJob& active) const {
  std::vector<Replica> out;
  for (const auto& [key, task] : active.tasks) {
    if (key.first != "run") continue;
    Replica one;
    if (task.state == TaskState::succeeded) {
      one.state = Replica::State::valid;
      if (const auto known = active.weighed.find(key.second); known != active.weighed.end()) {
        one.group = known->second.group;
        one.score = known->second.score;
      }
    } else if (task.state == TaskState::failed || task.state == TaskState::canceled) {
      one.state = Replica::State::failed;
    }
    out.push_back(one);
  }
  return out;
}

// Compares or measures the results that have not been yet. After a restart that is all of them.
Task<void> Engine::State::weigh(std::string job) {
  for (;;) {
    ActiveJob* active = find(job);
    if (active == nullptr || active->ending || active->finishing) co_return;
    const Redundancy wanted = redundancy_of(active->job.requirements);
    if (wanted.mode == RedundancyMode::first_valid) co_return;
    const auto next = std::find_if(active->tasks.begin(), active->tasks.end(), [&](const auto& entry) {
      return entry.first.first == "run" && entry.second.state == TaskState::succeeded && !active->weighed.contains(entry.first.second);
    });
    if (next == active->tasks.end()) co_return;
    const int ordinal = next->first.second;
    const tasks::TaskOrder order = order_of(*active, next->second);
    const auto result = result_of(next->second);
    Replica weight;
    weight.group = ordinal;
    if (result && wanted.mode == RedundancyMode::best_score) {
      const auto score = co_await verifier_.score(order, *result);
      if (score) weight.score = *score;
    } else if (result) {
      std::vector<std::pair<int, tasks::TaskResult>> first_of_groups;
      for (const auto& [other, known] : active->weighed)
        if (known.group == other)
          if (auto made = result_of(active->tasks.at({"run", other}))) first_of_groups.emplace_back(other, std::move(*made));
      for (const auto& [group, made] : first_of_groups) {
        const auto same = co_await verifier_.same(order, made, *result);
        if (!same || !*same) continue;
        weight.group = group;
        break;
      }
    }
    active = find(job);
    if (active == nullptr || active->ending || active->finishing) co_return;
    active->weighed[ordinal] = weight;
  }
}

// A replica has ended, its row says how; `change` holds what is to be stored of it. Ends the job when that decides it.
void Engine::State::replica_ended(const Running& running, Change change) {
  ActiveJob& active = *find(running->job);
  const Redundancy wanted = redundancy_of(active.job.requirements);
  const Choice choice = choose(wanted, replicas_of(active));
  if (choice.kind == Choice::Kind::won) {
    TaskRow& winner = active.tasks.at({"run", static_cast<int>(choice.winner)});
    if (const auto result = result_of(winner)) {
      complete_job(active, std::move(change), *result);
      leave(running);
      for (auto& [capability, waiting] : waiting_) waiting.queue.erase_job(active.job.id);
      for (const auto& [id, attempt] : running_)
        if (attempt->job == running->job) attempt->cancel->emit(boost::asio::cancellation_type::terminal);
      return;
    }
  }
  json::value error = running->row.error;
  if (choice.kind == Choice::Kind::hopeless && wanted.mode == RedundancyMode::quorum) {
    tasks::Problem problem;
    problem.code = "verification_failed";
    problem.detail = "no " + std::to_string(wanted.majority()) + " of " + std::to_string(wanted.replicas) + " results are equal";
    problem.job = active.job.id;
    error = tasks::to_json(problem);
  }
  if (choice.kind == Choice::Kind::hopeless) active.job.error = error;  // a restart before the end is stored finds it here
  Change base = change_of(active, "");
  change.job = std::move(base.job);
  store(std::move(change));
  leave(running);
  if (choice.kind == Choice::Kind::hopeless)
    end_job(active, {Status::failed, "job.failed", error, std::string(error.at("code").as_string())});
  else
    release_replicas(active);
}

}  // namespace kinora::jobs
