// What is to be decided (scheduler.hpp).
#include "runs/scheduler.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace kinora::runs {
namespace {

using std::chrono::seconds;

constexpr std::chrono::hours kMostPause{24 * 7};

json::value error_of(std::string_view code, std::string detail) {
  tasks::Problem problem;
  problem.code = std::string(code);
  problem.detail = std::move(detail);
  return tasks::to_json(problem);
}

// A step that failed and drags the run down: everything but what may fail by on_failure "continue".
bool fatal(const Step& step, const StepState& state) {
  if (state.status == StepStatus::canceled) return true;
  return (state.status == StepStatus::failed || state.status == StepStatus::expired) && step.on_failure != OnFailure::proceed;
}

StepStatus ended_by(const Run& run) { return run.ending == RunStatus::expired ? StepStatus::expired : StepStatus::canceled; }

struct Decider {
  const Definition& definition;
  const Run& run;
  UnixMillis now;
  std::vector<Decision> out = {};
  json::value args = nullptr, about_run = nullptr;  // set when first needed: decisions about items do not read them
  bool held = run.status == RunStatus::pausing || run.status == RunStatus::paused;
  bool doomed = false;        // fail_fast, and a step has failed
  std::size_t begun_now = 0;  // instances of the steps that begin by these decisions

  Scope scope(const StepState* state) {
    if (about_run.is_null()) {
      args = run.args;
      about_run = about(run);
    }
    return scope_of(definition, run, args, about_run, nullptr, state, 0);
  }

  void fail(std::size_t step, const tasks::Problem& problem) {
    out.push_back(decision::End{step, StepStatus::failed, tasks::to_json(problem), problem.code});
  }

  void ready(std::size_t i) {
    const Step& step = definition.steps[i];
    if (!step.when.empty()) {
      const auto expression = Expression::parse(step.when);
      auto value = expression ? expression->evaluate(scope(&run.steps[i]))
                              : jobs::Outcome<json::value>(jobs::refuse("expr_error", expression.error().message));
      if (value && !value->is_bool()) value = jobs::refuse("expr_error", "`when` gives no true or false");
      if (!value) return fail(i, value.error());
      if (!value->get_bool()) {
        out.push_back(decision::End{i, StepStatus::skipped, nullptr, "when"});
        return;
      }
    }
    if (step.gate) {
      out.push_back(decision::Open{i});
      return;
    }
    json::value list;
    if (step.for_each) {
      auto value = fill_in(step.for_each->in, scope(&run.steps[i]));
      if (value && !value->is_array()) value = jobs::refuse("expr_error", "for_each.in gives no list");
      if (!value) return fail(i, value.error());
      const std::size_t size = value->get_array().size();
      if (size > static_cast<std::size_t>(step.for_each->max_items))
        return fail(i, jobs::refuse("fanout_too_large", fmt::format("{} items; max_items is {}", size, step.for_each->max_items)).value());
      list = std::move(*value);
    }
    const std::size_t more = step.for_each ? list.get_array().size() : 1;
    if (run.elsewhere + instances(run) + begun_now + more > static_cast<std::size_t>(kMaxInstances))
      return fail(i, jobs::refuse("fanout_too_large",
                                  fmt::format("a run has at most {} instances of steps, those of its child runs included", kMaxInstances))
                         .value());
    begun_now += more;
    out.push_back(decision::Begin{i, std::move(list)});
  }

  void pending(std::size_t i) {
    const Step& step = definition.steps[i];
    if (run.ending) {
      out.push_back(decision::End{i, ended_by(run), nullptr, std::string(name(*run.ending))});
      return;
    }
    bool waiting = false, skip = false;
    for (const Dependency& need : step.needs) {
      const StepState& on = run.steps[need.step];
      if (fatal(definition.steps[need.step], on)) {
        out.push_back(decision::End{i, StepStatus::canceled,
                                    error_of("upstream_failed", fmt::format("step \"{}\" did not succeed", definition.steps[need.step].id)),
                                    "upstream_failed"});
        return;
      }
      waiting = waiting || !terminal(on.status);
      skip = skip || (terminal(on.status) && !good(on.status) && need.data);
    }
    if (doomed) {
      out.push_back(decision::End{i, StepStatus::canceled, error_of("upstream_failed", "another step failed and the run has fail_fast"),
                                  "upstream_failed"});
    } else if (waiting || held) {
    } else if (skip) {
      out.push_back(decision::End{i, StepStatus::skipped, nullptr, "upstream_skipped"});
    } else {
      ready(i);
    }
  }

  void gate(std::size_t i) {
    const Gate& gate = *definition.steps[i].gate;
    const StepState& state = run.steps[i];
    if (run.ending || doomed) {
      out.push_back(decision::CloseGate{i, run.ending ? ended_by(run) : StepStatus::canceled, nullptr, nullptr});
      return;
    }
    const auto close = [&](bool approved, const json::value& answer) {
      if (approved)
        out.push_back(decision::CloseGate{i, StepStatus::succeeded, answer, nullptr});
      else
        out.push_back(decision::CloseGate{i, StepStatus::failed, answer, error_of("gate_rejected", "the gate was rejected")});
    };
    if (state.signal.is_object()) {
      const json::value* approved = state.signal.get_object().if_contains("approved");
      return close(approved == nullptr || approved->as_bool(), state.signal);
    }
    if (held || now < *state.ready_at + seconds(gate.timeout_s)) return;
    if (gate.on_timeout == GateTimeout::expire)
      out.push_back(
          decision::CloseGate{i, StepStatus::expired, nullptr, error_of("deadline_exceeded", "nobody answered the gate in time")});
    else
      close(gate.on_timeout == GateTimeout::approve, {{"approved", gate.on_timeout == GateTimeout::approve}, {"by", "timeout"}});
  }

  void finish(std::size_t i) {
    const Step& step = definition.steps[i];
    const StepState& state = run.steps[i];
    const auto first_bad = std::find_if(state.items.begin(), state.items.end(), [](const Item& item) {
      return item.status == ItemStatus::failed || item.status == ItemStatus::expired;
    });
    const json::value error = first_bad != state.items.end() ? first_bad->error : json::value(nullptr);
    const bool all_reused = !state.items.empty() && std::all_of(state.items.begin(), state.items.end(),
                                                                [](const Item& item) { return item.status == ItemStatus::reused; });
    const std::size_t size = state.items.size();
    bool success = state.bad == 0;
    if (step.for_each && step.for_each->on_item_failure == ItemFailure::proceed && !run.ending)
      success = size - state.bad >= std::min(size, static_cast<std::size_t>(step.for_each->min_success));
    StepStatus status = all_reused ? StepStatus::reused : StepStatus::succeeded;
    if (!success) {
      status = StepStatus::failed;
      if (first_bad == state.items.end())
        status = run.ending ? ended_by(run) : StepStatus::canceled;
      else if (run.ending)
        status = ended_by(run);
      else if (!step.for_each && first_bad->status == ItemStatus::expired)
        status = StepStatus::expired;
    }
    out.push_back(decision::Finish{i, status, success ? json::value(nullptr) : error});
  }

  void items(std::size_t i) {
    const Step& step = definition.steps[i];
    const StepState& state = run.steps[i];
    if (state.ended == state.items.size()) return finish(i);
    const bool give_up = step.for_each && step.for_each->on_item_failure == ItemFailure::fail_fast && state.bad > 0;
    if (run.ending || doomed || give_up) {
      const Stop how = run.ending == RunStatus::expired ? Stop::expire : Stop::cancel;
      for (std::size_t k = 0; k < state.items.size(); ++k)
        if (!terminal(state.items[k].status) && state.items[k].stop == Stop::none) out.push_back(decision::StopItem{i, k, how});
      return;
    }
    if (step.timeouts.start_to_close_s && state.active > 0)
      for (std::size_t k = 0; k < state.next; ++k) {
        const Item& item = state.items[k];
        if (item.status == ItemStatus::running && item.stop == Stop::none &&
            now >= *item.started_at + seconds(*step.timeouts.start_to_close_s))
          out.push_back(decision::StopItem{i, k, Stop::expire});
      }
    if (held) return;
    int places = (step.for_each ? step.for_each->max_parallel : 1) - state.active;
    for (std::size_t k = state.next; k < state.items.size() && places > 0; ++k) {
      if (state.items[k].status != ItemStatus::pending) continue;
      out.push_back(decision::Start{i, k});
      --places;
    }
  }

  void outputs() {
    for (std::size_t k = 0; k < definition.outputs.size(); ++k) {
      const Output& output = definition.outputs[k];
      if (run.outputs.contains(output.name)) continue;
      if (!std::all_of(output.steps.begin(), output.steps.end(), [&](std::size_t step) { return terminal(run.steps[step].status); }))
        continue;
      if (auto value = fill_in(output.value, scope(nullptr))) out.push_back(decision::Yield{k, std::move(*value)});
    }
  }

  void end() {
    decision::Turn turn;
    bool failed = false, stopped = false, kept = false;
    for (std::size_t i = 0; i < run.steps.size(); ++i) {
      const Step& step = definition.steps[i];
      const StepState& state = run.steps[i];
      failed = failed || fatal(step, state);
      stopped = stopped || state.status == StepStatus::canceled || state.status == StepStatus::expired;
      kept = kept || (good(state.status) && step.keep && !step.gate);
      const bool itself = state.status == StepStatus::failed || state.status == StepStatus::expired;
      if (itself && !step.for_each) turn.failures.push_back({{"step", step.id}, {"index", nullptr}, {"error", state.error}});
      if (itself && state.items.empty() && step.for_each)
        turn.failures.push_back({{"step", step.id}, {"index", nullptr}, {"error", state.error}});
      for (std::size_t k = 0; step.for_each && k < state.items.size(); ++k)
        if (state.items[k].status == ItemStatus::failed || state.items[k].status == ItemStatus::expired)
          turn.failures.push_back({{"step", step.id}, {"index", k}, {"error", state.items[k].error}});
      if (itself && fatal(step, state) && turn.error.is_null()) turn.error = state.error;
      turn.degraded = turn.degraded || itself || state.bad > 0;
    }
    const bool whole = run.outputs.size() == definition.outputs.size();
    if (run.ending && (stopped || failed)) {
      turn.status = *run.ending;
      turn.error = run.ending == RunStatus::expired ? error_of("deadline_exceeded", "the run's deadline has passed")
                                                    : error_of("canceled", run.reason.value_or("canceled"));
    } else if (!failed && whole) {
      turn.status = RunStatus::succeeded;
      turn.error = nullptr;
    } else {
      if (!whole && turn.error.is_null()) turn.error = error_of("ref_unresolved", "an output of the run has no value");
      turn.status = !run.outputs.empty() || kept ? RunStatus::partially_succeeded : RunStatus::failed;
    }
    if (turn.status != RunStatus::succeeded) turn.degraded = false;
    out.push_back(std::move(turn));
  }

  void decide_all() {
    if (terminal(run.status)) return;
    const UnixMillis last = run.paused_at ? *run.paused_at + kMostPause : run.deadline_at;
    if (!run.ending && now >= last) {
      out.push_back(decision::Turn{.status = RunStatus::canceling, .ending = RunStatus::expired});
      return;
    }
    for (std::size_t i = 0; i < run.steps.size(); ++i)
      doomed = doomed || (definition.fail_fast && fatal(definition.steps[i], run.steps[i]));
    bool all = true, begun = false;
    for (std::size_t i = 0; i < run.steps.size(); ++i) {
      const StepStatus status = run.steps[i].status;
      if (status == StepStatus::pending)
        pending(i);
      else if (status == StepStatus::waiting)
        gate(i);
      else if (!terminal(status))
        items(i);
      all = all && terminal(status);
      begun = begun || status != StepStatus::pending;
    }
    if (!out.empty()) return;
    outputs();
    if (!out.empty()) return;
    const bool working = std::any_of(run.steps.begin(), run.steps.end(), [](const StepState& state) { return state.active > 0; });
    if (all)
      end();
    else if (run.status == RunStatus::queued && begun)
      out.push_back(decision::Turn{.status = RunStatus::running});
    else if (run.status == RunStatus::pausing && !working)
      out.push_back(decision::Turn{.status = RunStatus::paused});
  }
};

}  // namespace

std::vector<Decision> decide(const Definition& definition, const Run& run, UnixMillis now) {
  Decider decider{definition, run, now};
  decider.decide_all();
  return std::move(decider.out);
}

std::optional<UnixMillis> next_due(const Definition& definition, const Run& run) {
  if (terminal(run.status) || run.ending) return std::nullopt;
  UnixMillis next = run.paused_at ? *run.paused_at + kMostPause : run.deadline_at;
  for (std::size_t i = 0; i < run.steps.size(); ++i) {
    const Step& step = definition.steps[i];
    const StepState& state = run.steps[i];
    if (state.status == StepStatus::waiting && !run.paused_at) next = std::min(next, *state.ready_at + seconds(step.gate->timeout_s));
    if (state.active == 0 || !step.timeouts.start_to_close_s) continue;
    for (const Item& item : state.items)
      if (item.status == ItemStatus::running && item.stop == Stop::none)
        next = std::min(next, *item.started_at + seconds(*step.timeouts.start_to_close_s));
  }
  return next;
}

}  // namespace kinora::runs
