// How the state changes by a decision, by news of an item, and by what people do (scheduler.hpp).
#include <fmt/format.h>

#include <algorithm>

#include "runs/scheduler.hpp"

namespace kinora::runs {
namespace {

void tell_step(const Definition& definition, const Run& run, std::size_t step, std::string_view what, Touched& touched) {
  touched.events.push_back({"step." + std::string(what), step_event_data(definition, run, step)});
}
void tell_run(const Run& run, std::string_view what, Touched& touched) {
  touched.events.push_back({"run." + std::string(what), run_event_data(run)});
}

void step_ended(const Definition& definition, Run& run, std::size_t i, StepStatus status, json::value error, UnixMillis now,
                Touched& touched) {
  StepState& state = run.steps[i];
  state.status = status;
  state.error = std::move(error);
  state.completed_at = now;
  state.value = step_value(definition.steps[i], state);
  touched.steps.insert(i);
  tell_step(definition, run, i, name(status), touched);
  // Intermediate artifacts whose last consumer has ended.
  const auto unneeded = [&](std::size_t k) {
    const Step& step = definition.steps[k];
    return !step.keep && !step.in_outputs && terminal(run.steps[k].status) &&
           std::all_of(step.dependants.begin(), step.dependants.end(), [&](std::size_t user) { return terminal(run.steps[user].status); });
  };
  if (unneeded(i)) touched.release.insert(i);
  for (const Dependency& need : definition.steps[i].needs)
    if (unneeded(need.step)) touched.release.insert(need.step);
}

void queue_item(const Definition& definition, Run& run, std::size_t step, std::size_t index, UnixMillis now, Touched& touched) {
  Item& item = run.steps[step].items[index];
  item.status = ItemStatus::queued;
  item.generation = run.generation;
  item.work = work_id(definition.steps[step].child ? "run" : "job", run, definition.steps[step].id, index, item.variant);
  item.error = nullptr;
  item.started_at.reset();
  if (!item.queued_at) item.queued_at = now;
  item.fraction = 0;
  touched.items.emplace(step, index);
  touched.start.emplace_back(step, index);
}

struct Applier {
  const Definition& definition;
  Run& run;
  UnixMillis now;
  Touched& touched;

  void operator()(const decision::End& end) {
    run.steps[end.step].reason = end.reason;
    step_ended(definition, run, end.step, end.status, end.error, now, touched);
  }
  void operator()(const decision::Begin& begin) {
    StepState& state = run.steps[begin.step];
    state.status = StepStatus::queued;
    state.list = begin.list;
    state.items.resize(begin.list.is_array() ? begin.list.get_array().size() : 1);
    state.ready_at = now;
    touched.steps.insert(begin.step);
    tell_step(definition, run, begin.step, "ready", touched);
  }
  void operator()(const decision::Open& open) {
    StepState& state = run.steps[open.step];
    state.status = StepStatus::waiting;
    state.ready_at = now;
    touched.steps.insert(open.step);
    tell_step(definition, run, open.step, "waiting", touched);
  }
  void operator()(const decision::CloseGate& close) {
    run.steps[close.step].output = close.output;
    step_ended(definition, run, close.step, close.status, close.error, now, touched);
  }
  void operator()(const decision::Start& start) {
    StepState& state = run.steps[start.step];
    queue_item(definition, run, start.step, start.index, now, touched);
    ++state.active;
    while (state.next < state.items.size() && state.items[state.next].status != ItemStatus::pending) ++state.next;
  }
  void operator()(const decision::StopItem& stop) {
    StepState& state = run.steps[stop.step];
    Item& item = state.items[stop.index];
    item.stop = stop.how;
    touched.items.emplace(stop.step, stop.index);
    if (item.status == ItemStatus::pending) {
      item.status = stop.how == Stop::expire ? ItemStatus::expired : ItemStatus::canceled;
      item.ended_at = now;
      ++state.ended;
      ++state.bad;
    } else {
      touched.stop.emplace_back(stop.step, stop.index);
    }
  }
  void operator()(const decision::Finish& finish) { step_ended(definition, run, finish.step, finish.status, finish.error, now, touched); }
  void operator()(const decision::Yield& yield) {
    const std::string& output = definition.outputs[yield.output].name;
    run.outputs[output] = yield.value;
    json::object data = run_event_data(run);
    data["output"] = output;
    data["value"] = yield.value;
    touched.events.push_back({"run.output_available", std::move(data)});
  }
  void operator()(const decision::Turn& turn) {
    run.status = turn.status;
    if (turn.ending) run.ending = turn.ending;
    if (turn.status == RunStatus::paused) run.paused_at = now;
    if (turn.status == RunStatus::running && !run.started_at) {
      run.started_at = now;
      tell_run(run, "started", touched);
    } else if (turn.status == RunStatus::paused) {
      tell_run(run, "paused", touched);
    }
    if (!terminal(turn.status)) {
      if (turn.status == RunStatus::canceling) tell_run(run, "canceling", touched);
      return;
    }
    run.completed_at = now;
    run.error = turn.error;
    run.failures = turn.failures;
    run.degraded = turn.degraded;
    tell_run(run, name(turn.status), touched);
  }
};

}  // namespace

json::object run_event_data(const Run& run) {
  const auto done = std::count_if(run.steps.begin(), run.steps.end(), [](const StepState& state) { return terminal(state.status); });
  json::object out{{"id", run.id},
                   {"object", "run"},
                   {"status", name(run.status)},
                   {"generation", run.generation},
                   {"progress", {{"steps_done", done}, {"steps_total", run.steps.size()}}}};
  if (!terminal(run.status)) return out;
  out["degraded"] = run.degraded;
  out["outputs"] = run.outputs;
  if (!run.error.is_null()) out["error"] = run.error;
  return out;
}

json::object step_event_data(const Definition& definition, const Run& run, std::size_t i) {
  const Step& step = definition.steps[i];
  const StepState& state = run.steps[i];
  json::object out{{"id", run.id}, {"object", "step"}, {"step", step.id}, {"status", name(state.status)}, {"generation", run.generation}};
  if (!state.reason.empty()) out["reason"] = state.reason;
  if (!state.error.is_null()) out["error"] = state.error;
  if (step.for_each) {
    out["items"] = {
        {"total", state.items.size()}, {"succeeded", state.ended - state.bad}, {"failed", state.bad}, {"running", state.active}};
  } else if (!state.items.empty()) {
    const Item& item = state.items.front();
    out[step.child ? "run" : "job"] = item.work;
    if (item.variant > 0) out["fallback"] = item.variant;
    if (item.reused_from) out["reused_from"] = *item.reused_from;
  }
  return out;
}

void apply(const Definition& definition, Run& run, const Decision& decision, UnixMillis now, Touched& touched) {
  std::visit(Applier{definition, run, now, touched}, decision);
}

void settle(const Definition& definition, Run& run, UnixMillis now, Touched& touched) {
  for (auto decisions = decide(definition, run, now); !decisions.empty(); decisions = decide(definition, run, now))
    for (const Decision& decision : decisions) apply(definition, run, decision, now, touched);
}

void item_news(const Definition& definition, Run& run, std::size_t i, std::size_t index, ItemNews news, UnixMillis now, Touched& touched) {
  const Step& step = definition.steps[i];
  StepState& state = run.steps[i];
  Item& item = state.items[index];
  if (item.status != ItemStatus::queued && item.status != ItemStatus::running) return;
  touched.items.emplace(i, index);
  if (!terminal(news.status)) {
    if (item.status == ItemStatus::running) return;
    item.status = ItemStatus::running;
    item.started_at = now;
    if (state.status == StepStatus::queued) {
      state.status = StepStatus::running;
      if (!state.started_at) state.started_at = now;
      touched.steps.insert(i);
      tell_step(definition, run, i, "started", touched);
    }
    return;
  }
  // A job that ended canceled because its time was up has expired.
  if (news.status == ItemStatus::canceled && item.stop == Stop::expire) {
    news.status = ItemStatus::expired;
    if (news.error.is_null()) news.error = tasks::to_json(jobs::refuse("deadline_exceeded", "the step took longer than it may").value());
  }
  const bool may_fall_back =
      item.stop != Stop::cancel && !run.ending && (news.status == ItemStatus::failed || news.status == ItemStatus::expired);
  if (may_fall_back && step.on_failure == OnFailure::fallback && static_cast<std::size_t>(item.variant) + 1 < step.variants.size()) {
    ++item.variant;
    item.stop = Stop::none;
    queue_item(definition, run, i, index, now, touched);
    json::object data = step_event_data(definition, run, i);
    data["index"] = index;
    data["fallback"] = item.variant;
    data["error"] = news.error;
    touched.events.push_back({"step.retrying", std::move(data)});
    return;
  }
  item.status = news.status;
  item.output = good(news.status) ? std::move(news.output) : json::value(nullptr);
  item.error = std::move(news.error);
  item.reused_from = std::move(news.reused_from);
  item.ended_at = now;
  item.fraction = 1;
  --state.active;
  ++state.ended;
  if (!good(news.status)) ++state.bad;
  if (!step.for_each) return;
  json::object data = step_event_data(definition, run, i);
  data["index"] = index;
  data[step.child ? "run" : "job"] = item.work;
  if (!item.error.is_null()) data["error"] = item.error;
  touched.events.push_back({good(news.status) ? "step.item_succeeded" : "step.item_failed", std::move(data)});
}

jobs::Outcome<void> cancel(Run& run, std::optional<std::string> reason, Touched& touched) {
  if (terminal(run.status)) return jobs::refuse("not_cancelable", "the run has ended");
  if (run.ending) return {};
  run.ending = RunStatus::canceled;
  run.status = RunStatus::canceling;
  run.reason = std::move(reason);
  tell_run(run, "canceling", touched);
  return {};
}

jobs::Outcome<void> pause(Run& run, Touched& touched) {
  if (run.status == RunStatus::pausing || run.status == RunStatus::paused) return {};
  if (run.status != RunStatus::queued && run.status != RunStatus::running)
    return jobs::refuse("not_cancelable", "a run that is " + std::string(name(run.status)) + " cannot be paused");
  run.status = RunStatus::pausing;
  tell_run(run, "pausing", touched);
  return {};
}

jobs::Outcome<void> resume(Run& run, UnixMillis now, Touched& touched) {
  if (run.status == RunStatus::running || run.status == RunStatus::queued) return {};
  if (run.status != RunStatus::pausing && run.status != RunStatus::paused)
    return jobs::refuse("not_cancelable", "a run that is " + std::string(name(run.status)) + " cannot be resumed");
  // The clocks stood still.
  if (run.paused_at) {
    const auto pause = now - *run.paused_at;
    run.deadline_at += pause;
    for (std::size_t i = 0; i < run.steps.size(); ++i)
      if (run.steps[i].status == StepStatus::waiting) {
        run.steps[i].ready_at = *run.steps[i].ready_at + pause;
        touched.steps.insert(i);
      }
  }
  run.paused_at.reset();
  run.status = run.started_at ? RunStatus::running : RunStatus::queued;
  tell_run(run, "resumed", touched);
  return {};
}

jobs::Outcome<void> answer_gate(const Definition& definition, Run& run, std::size_t step, json::value answer, Touched& touched) {
  StepState& state = run.steps[step];
  if (!definition.steps[step].gate) return jobs::refuse("invalid_field", "step \"" + definition.steps[step].id + "\" is no gate");
  if (terminal(run.status) || terminal(state.status) || run.ending) return jobs::refuse("not_cancelable", "the gate is closed already");
  if (state.signal.is_object()) return jobs::refuse("not_cancelable", "the gate has its answer already");
  state.signal = std::move(answer);
  touched.steps.insert(step);
  return {};
}

jobs::Outcome<void> retry(const Definition& definition, Run& run, const std::vector<std::size_t>& from, UnixMillis now,
                          std::int64_t deadline_s, Touched& touched) {
  if (!terminal(run.status)) return jobs::refuse("not_terminal", "the run is still at work; cancel it first");
  std::vector<bool> whole(run.steps.size(), false), partly(run.steps.size(), false);
  for (const std::size_t step : from) whole[step] = true;
  for (std::size_t i = 0; i < run.steps.size(); ++i) {
    const StepState& state = run.steps[i];
    const bool some = definition.steps[i].for_each && !state.items.empty() && state.bad < state.items.size() && state.bad > 0;
    if (some)
      partly[i] = true;
    else if (!good(state.status) && state.status != StepStatus::skipped)
      whole[i] = true;
  }
  // What comes after anything that runs again runs again. The graph has no cycle: one pass per step is enough.
  for (std::size_t pass = 0; pass < run.steps.size(); ++pass)
    for (std::size_t i = 0; i < run.steps.size(); ++i)
      if (whole[i] || partly[i])
        for (const std::size_t user : definition.steps[i].dependants) whole[user] = true;
  if (std::none_of(whole.begin(), whole.end(), [](bool one) { return one; }) &&
      std::none_of(partly.begin(), partly.end(), [](bool one) { return one; }))
    return jobs::refuse("invalid_field", "nothing failed: name the steps to run again in `from`");
  ++run.generation;
  run.status = RunStatus::running;
  run.ending.reset();
  run.reason.reset();
  run.error = nullptr;
  run.failures.clear();
  run.degraded = false;
  run.completed_at.reset();
  run.paused_at.reset();
  run.deadline_at = now + std::chrono::seconds(deadline_s);
  for (const Output& output : definition.outputs)
    if (std::any_of(output.steps.begin(), output.steps.end(), [&](std::size_t step) { return whole[step] || partly[step]; }))
      run.outputs.erase(output.name);
  tell_run(run, "retried", touched);
  for (std::size_t i = 0; i < run.steps.size(); ++i) {
    StepState& state = run.steps[i];
    touched.steps.insert(i);
    if (whole[i]) {
      state = StepState{};
    } else if (partly[i]) {
      for (std::size_t k = 0; k < state.items.size(); ++k)
        if (!good(state.items[k].status)) {
          state.items[k] = Item{};
          touched.items.emplace(i, k);
        }
      state.status = StepStatus::queued;
      state.error = nullptr;
      state.completed_at.reset();
    } else if (state.status == StepStatus::succeeded && !definition.steps[i].gate) {
      state.status = StepStatus::reused;
      tell_step(definition, run, i, "reused", touched);
    }
  }
  derive(definition, run);
  return {};
}

}  // namespace kinora::runs
