// What a good result leads to: the next tasks of the job, or its end (engine_state.hpp).
#include <algorithm>

#include "jobs/engine_state.hpp"
#include "jobs/result_output.hpp"

namespace kinora::jobs {

Attempt Engine::State::close(RunningAttempt& running, std::string_view state) {
  running.row.state = state;
  running.row.ended_at = clock_();
  return running.row;
}

void Engine::State::succeeded(const Running& running, const tasks::TaskResult& result) {
  ActiveJob& active = *find(running->job);
  TaskRow& task = active.tasks.at(running->task);
  running->row.units = result.units;
  if (running->row.accepted_at)
    eta_.learn(running->capability, std::chrono::duration<double>(clock_() - *running->row.accepted_at).count());
  task.state = TaskState::succeeded;
  task.result = json::serialize(tasks::to_json(result));
  active.progress.finish(running->task);
  if (task.step == "cut") {
    complete_cut(active, running, task, result);
    return;
  }
  if (task.step == "chunk") {
    complete_chunk(active, *running, task, result);
  } else {
    Change change;
    change.tasks.push_back(task);
    change.attempts.push_back(close(*running, "delivered"));
    if (is_replicated(active)) {
      replica_ended(running, std::move(change));
      return;
    }
    complete_job(active, std::move(change), result, running->verification);
  }
  leave(running);
}

void Engine::State::complete_job(ActiveJob& active, Change change, const tasks::TaskResult& result,
                                 const std::optional<json::object>& verification) {
  const UnixMillis now = clock_();
  eta_.succeeded(active.job.id, now);
  if (!active.job.running_at) begin_running(active, &change);
  ResultOutput made = make_output(active.job, result, now, [this] { return new_id("art"); });
  if (tasks::find_task(active.job.task)->has_models) {
    // What the task's own model made: the chunks, or the whole.
    std::vector<tasks::TaskResult> parts;
    for (const auto& [key, row] : active.tasks) {
      if (key.first != "chunk") continue;
      const auto stored = tasks::parse_event(row.result);
      if (const auto* part = stored && *stored ? std::get_if<tasks::TaskResult>(&**stored) : nullptr) parts.push_back(*part);
    }
    if (parts.empty()) parts.push_back(result);
    active.job.weights = weights_of(parts);
    if (may_be_cut(active.job.task)) {
      if (auto told = acceleration_of(parts)) made.output["acceleration"] = *std::move(told);
      if (auto told = enhancement_of(parts)) made.output["enhancement"] = *std::move(told);
    }
  }
  Job& job = active.job;
  job.status = Status::succeeded;
  job.phase = Phase::done;
  job.status_reason.reset();
  if (!job.verifying_at) job.verifying_at = now;
  job.finalizing_at = now;
  job.completed_at = now;
  if (!made.artifacts.empty()) job.expires_at = now + std::chrono::seconds(job.retention_s);
  if (verification) made.output["verification"] = *verification;
  job.output = std::move(made.output);
  job.progress = active.progress.to_json(now);
  for (const auto& [artifact, files] : made.artifacts)
    change.events.push_back(
        event(artifact.id, job.project, "artifact.created", {{"id", artifact.id}, {"object", "artifact"}, {"job", job.id}}));
  Change last = change_of(active, "job.succeeded");
  change.job = std::move(last.job);
  std::move(last.events.begin(), last.events.end(), std::back_inserter(change.events));
  change.artifacts = std::move(made.artifacts);
  change.close_attempts = "canceled";
  finish(active, std::move(change));
}

void Engine::State::complete_cut(ActiveJob& active, const Running& running, TaskRow& task, const tasks::TaskResult& result) {
  auto chunks = chunk_tasks(active.job.task, active.job.params, result);
  if (!chunks) {
    task.state = TaskState::running;
    failed(running, tasks::failure("worker_error", chunks.error().message), "invalid", running->row.node.value_or(""));
    return;
  }
  Change change = change_of(active, "");
  change.tasks.push_back(task);
  change.attempts.push_back(close(*running, "delivered"));
  int ordinal = 0;
  for (ChunkTask& chunk : *chunks) {
    const AttemptFile& file = running->files.at(chunk.file);
    TaskRow row;
    row.job = active.job.id;
    row.step = "chunk";
    row.ordinal = ordinal++;
    row.task = active.job.task;
    row.params = std::move(chunk.params);
    row.inputs.push_back({"video", chunk.file.substr(chunk.file.rfind('/') + 1), file.sha256, file.bytes});
    row.attempt = new_id("att");
    row.due_at = clock_();
    row.weight = chunk.frames;
    const TaskKey key{row.step, row.ordinal};
    active.progress.add(key, row.weight);
    change.tasks.push_back(row);
    active.tasks.emplace(key, std::move(row));
  }
  store(std::move(change));
  leave(running);
  for (auto& [key, row] : active.tasks)
    if (key.first == "chunk") enqueue(active, row);
  wake();
}

void Engine::State::complete_chunk(ActiveJob& active, RunningAttempt& running, TaskRow& task, const tasks::TaskResult& result) {
  static_cast<void>(result);
  Change change = change_of(active, "");
  change.tasks.push_back(task);
  change.attempts.push_back(close(running, "delivered"));
  const bool all = std::all_of(active.tasks.begin(), active.tasks.end(), [](const auto& entry) {
    return entry.first.first != "chunk" || entry.second.state == TaskState::succeeded;
  });
  if (all) {
    constexpr double kJoinShare = 0.02;
    TaskRow join;
    join.job = active.job.id;
    join.step = "join";
    join.task = "join";
    join.attempt = new_id("att");
    join.due_at = clock_();
    double frames = 0;
    for (const JobInput& input : active.inputs)
      if (input.slot == "video") join.inputs.push_back({"source", input.name, input.sha256, input.bytes});
    for (const auto& [key, row] : active.tasks) {
      const auto stored = tasks::parse_event(row.result);
      const auto* made = stored && *stored ? std::get_if<tasks::TaskResult>(&**stored) : nullptr;
      if (made == nullptr) continue;
      if (key.first == "cut") join.params = join_params(*made);
      if (key.first != "chunk") continue;
      frames += row.weight;
      for (const tasks::ResultFile& file : made->files)
        if (file.slot == "video") join.inputs.push_back({"chunk", file.name.substr(file.name.rfind('/') + 1), file.sha256, file.bytes});
    }
    join.weight = std::max(frames, 1.0) * kJoinShare;
    const TaskKey key{join.step, 0};
    active.progress.add(key, join.weight);
    change.tasks.push_back(join);
    enqueue(active, active.tasks.emplace(key, std::move(join)).first->second);
  }
  store(std::move(change));
}

}  // namespace kinora::jobs
