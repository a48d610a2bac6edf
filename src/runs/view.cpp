// Runs, steps, items and saved workflows as public JSON (engine.hpp).
#include <algorithm>
#include <cmath>

#include "base/time.hpp"
#include "runs/engine.hpp"

namespace kinora::runs {
namespace {

json::value time_or_null(const std::optional<UnixMillis>& time) {
  return time ? json::value(base::to_rfc3339(*time)) : json::value(nullptr);
}
json::value text_or_null(const std::optional<std::string>& text) { return text ? json::value(*text) : json::value(nullptr); }

json::value with_urls(json::value value, const jobs::Links& links) {
  jobs::add_urls(value, links);
  return value;
}

json::object items_of(const StepState& state) {
  return {{"total", state.items.size()}, {"succeeded", state.ended - state.bad}, {"failed", state.bad}, {"running", state.active}};
}

json::object zero() { return {{"currency", "USD"}, {"amount", "0"}}; }

}  // namespace

json::object item_json(const Step& step, const Item& item, std::size_t index, const jobs::Links& links) {
  json::object out{{"index", index}, {"status", name(item.status)}, {"generation", item.generation}};
  out[step.child ? "run" : "job"] = item.work.empty() ? json::value(nullptr) : json::value(item.work);
  out["fallback"] = item.variant;
  out["cached"] = item.status == ItemStatus::reused;
  out["reused_from"] = text_or_null(item.reused_from);
  out["output"] = with_urls(item.output, links);
  out["error"] = item.error;
  out["queued_at"] = time_or_null(item.queued_at);
  out["started_at"] = time_or_null(item.started_at);
  out["completed_at"] = time_or_null(item.ended_at);
  return out;
}

// Header fields of media by URL may hold a key: not for those who only read.
json::value shown(json::value value) {
  if (json::array* list = value.if_array())
    for (json::value& item : *list) item = shown(std::move(item));
  if (json::object* object = value.if_object()) {
    if (object->contains("url")) object->erase("headers");
    for (auto& member : *object) member.value() = shown(std::move(member.value()));
  }
  return value;
}

json::object step_json(const Run& run, const Definition& definition, std::size_t i, const jobs::Links& links) {
  const Step& step = definition.steps[i];
  const StepState& state = run.steps[i];
  json::object out{{"name", step.id}, {"object", "step"}, {"status", name(state.status)}};
  out["kind"] = step.gate ? "gate" : step.child ? "workflow" : "task";
  if (!step.variants.empty()) out["task"] = step.variants.front().at("task");
  out["reason"] = state.reason.empty() ? json::value(nullptr) : json::value(state.reason);
  if (step.for_each) {
    out["items"] = items_of(state);
    out["output"] = terminal(state.status) ? with_urls(state.value.at("output"), links) : json::value(nullptr);
  } else if (!state.items.empty()) {
    const Item& item = state.items.front();
    out[step.child ? "run" : "job"] = item.work.empty() ? json::value(nullptr) : json::value(item.work);
    out["fallback"] = item.variant;
    out["output"] = with_urls(item.output, links);
    out["reused_from"] = text_or_null(item.reused_from);
  } else {
    out["output"] = state.output;
  }
  out["cached"] = state.status == StepStatus::reused;
  out["cost"] = zero();
  out["error"] = state.error;
  out["started_at"] = time_or_null(state.started_at ? state.started_at : state.ready_at);
  out["completed_at"] = time_or_null(state.completed_at);
  return out;
}

json::object summary_json(const Run& run) {
  json::object out{{"id", run.id},
                   {"object", "run"},
                   {"version", run.version},
                   {"name", run.name},
                   {"status", name(run.status)},
                   {"status_reason", text_or_null(run.reason)},
                   {"generation", run.generation},
                   {"degraded", run.degraded}};
  out["workflow"] = run.workflow ? json::value{{"id", *run.workflow}, {"version", run.workflow_version.value_or(1)}} : json::value(nullptr);
  out["error"] = run.error;
  out["timing"] = {{"created_at", base::to_rfc3339(run.created_at)},
                   {"started_at", time_or_null(run.started_at)},
                   {"paused_at", time_or_null(run.paused_at)},
                   {"completed_at", time_or_null(run.completed_at)},
                   {"deadline", base::to_rfc3339(run.deadline_at)}};
  out["parent"] =
      run.parent ? json::value{{"run", run.parent->run}, {"step", run.parent->step}, {"index", run.parent->index}} : json::value(nullptr);
  out["trace_id"] = text_or_null(run.trace_id);
  out["client_ref"] = text_or_null(run.client_ref);
  out["end_user"] = text_or_null(run.end_user);
  out["tags"] = json::value_from(run.tags);
  out["metadata"] = run.metadata;
  return out;
}

json::object to_json(const Run& run, const Definition& definition, const jobs::Links& links,
                     const std::function<double(std::size_t step, std::size_t index)>& fraction, std::optional<double> eta_s) {
  json::object out = summary_json(run);
  json::object steps;
  double work = 0, weights = 0;
  std::int64_t done = 0;
  for (std::size_t i = 0; i < run.steps.size(); ++i) {
    const StepState& state = run.steps[i];
    json::object step = step_json(run, definition, i, links);
    double sum = 0;
    for (std::size_t k = 0; k < state.items.size(); ++k) sum += terminal(state.items[k].status) ? 1 : fraction(i, k);
    const double part = terminal(state.status) ? 1 : state.items.empty() ? 0 : sum / static_cast<double>(state.items.size());
    step["progress"] = {{"fraction", part}};
    // A fan-out weighs as much as its items; a gate takes no work.
    const double weight = definition.steps[i].gate ? 0 : static_cast<double>(std::max<std::size_t>(state.items.size(), 1));
    work += weight * part;
    weights += weight;
    done += terminal(state.status);
    steps[definition.steps[i].id] = std::move(step);
  }
  out["progress"] = {{"fraction", terminal(run.status) || weights == 0 ? (terminal(run.status) ? 1.0 : 0.0) : work / weights},
                     {"steps_done", done},
                     {"steps_total", run.steps.size()},
                     {"eta_s", eta_s ? json::value(std::ceil(*eta_s)) : json::value(nullptr)}};
  out["steps"] = std::move(steps);
  out["outputs"] = with_urls(run.outputs, links);
  out["failures"] = run.failures;
  out["args"] = shown(run.args);
  out["cost"] = {{"charged", zero()}, {"final", terminal(run.status)}};
  const std::string self = "/v1/runs/" + run.id;
  out["urls"] = {{"self", links.absolute(self)},
                 {"events", links.absolute(self + "/events")},
                 {"graph", links.absolute(self + "/graph")},
                 {"cancel", links.absolute(self + "/cancel")}};
  return out;
}

json::object to_json(const Workflow& workflow, const WorkflowVersion& version) {
  return {{"id", workflow.id},
          {"object", "workflow"},
          {"name", workflow.name},
          {"description", text_or_null(workflow.description)},
          {"visibility", workflow.visibility},
          {"version", version.version},
          {"args_schema", version.args_schema},
          {"definition", version.definition},
          {"digest", version.digest},
          {"created_at", base::to_rfc3339(workflow.created_at)},
          {"updated_at", base::to_rfc3339(workflow.updated_at)}};
}

}  // namespace kinora::runs
