// What people ask of runs and saved workflows (engine.hpp).
#include <algorithm>

#include "base/bytes.hpp"
#include "runs/engine_state.hpp"

namespace kinora::runs {

using store::Connection;

namespace {

template <class T>
Outcome<T> answer_of(base::Result<T> result) {
  if (!result) return jobs::refuse(result.error());
  return std::move(*result);
}

// A definition and its schema, as a version to be stored.
Outcome<WorkflowVersion> version_of(json::object args_schema, json::object definition, UnixMillis now) {
  base::FieldErrors errors;
  check_args_schema(args_schema, "/args_schema", errors);
  if (!errors.empty()) return tl::unexpected(problem_of(std::move(errors)));
  auto parsed = parse_definition(definition);
  if (parsed) {
    if (auto fits = check_types(*parsed, nullptr); !fits) parsed = tl::unexpected(std::move(fits).error());
  }
  if (!parsed) {
    for (base::FieldError& error : parsed.error().errors) error.pointer = "/definition" + error.pointer;
    return tl::unexpected(std::move(parsed).error());
  }
  WorkflowVersion out;
  const json::object both{{"args_schema", args_schema}, {"definition", definition}};
  out.digest = "sha256:" + base::to_hex(base::sha256(base::as_bytes(base::canonical_json(both))));
  out.args_schema = std::move(args_schema);
  out.definition = std::move(definition);
  out.created_at = now;
  return out;
}

}  // namespace

Task<Outcome<CreateAnswer>> Engine::create(CreateRequest request) {
  const auto state = state_;
  co_return co_await state->create(std::move(request), std::nullopt, std::nullopt, 1);
}

Task<Outcome<Definition>> Engine::validate(std::string project, json::value body) {
  const auto state = state_;
  auto wanted = parse_run_request(body);
  if (!wanted) co_return tl::unexpected(std::move(wanted).error());
  auto found = co_await state->read(std::move(project), *wanted);
  if (!found) co_return tl::unexpected(std::move(found).error());
  co_return std::move(found->first);
}

Task<Outcome<Run>> Engine::get(std::string project, std::string id) {
  co_return answer_of(co_await state_->database_.read([&](Connection& connection) { return find_run(connection, project, id); }));
}

Task<Outcome<jobs::Listing<Run>>> Engine::list(std::string project, RunFilter filter, jobs::Page page) {
  co_return answer_of(
      co_await state_->database_.read([&](Connection& connection) { return list_runs(connection, project, filter, page); }));
}

Task<Outcome<Run>> Engine::cancel(std::string project, std::string id, std::optional<std::string> reason) {
  const auto state = state_;
  co_return co_await state->change(project, id, [&](ActiveRun& active) -> Outcome<void> {
    if (terminal(active.run.status)) return {};  // too late: the answer shows it
    return runs::cancel(active.run, reason, active.pending);
  });
}

Task<Outcome<Run>> Engine::pause(std::string project, std::string id) {
  const auto state = state_;
  co_return co_await state->change(project, id, [](ActiveRun& active) { return runs::pause(active.run, active.pending); });
}

Task<Outcome<Run>> Engine::resume(std::string project, std::string id) {
  const auto state = state_;
  co_return co_await state->change(project, id,
                                   [&](ActiveRun& active) { return runs::resume(active.run, state->clock_(), active.pending); });
}

Task<Outcome<Run>> Engine::answer(std::string project, std::string id, std::string step, json::value answer) {
  const auto state = state_;
  co_return co_await state->change(project, id, [&](ActiveRun& active) -> Outcome<void> {
    const Step* found = active.definition.find(step);
    if (found == nullptr || !found->gate || found->gate->event) return jobs::refuse("not_found", "the run has no manual gate of that name");
    return answer_gate(active.definition, active.run, active.definition.index_of(step), std::move(answer), active.pending);
  });
}

Task<Outcome<Run>> Engine::signal(std::string project, std::string id, std::string name, json::value payload) {
  const auto state = state_;
  co_return co_await state->change(project, id, [&](ActiveRun& active) -> Outcome<void> {
    Outcome<void> last = jobs::refuse("not_found", "no gate of the run waits for that signal");
    bool taken = false;
    for (std::size_t i = 0; i < active.definition.steps.size(); ++i) {
      const auto& gate = active.definition.steps[i].gate;
      if (!gate || !gate->event || gate->signal != name) continue;
      last = answer_gate(active.definition, active.run, i, json::object{{"payload", payload}}, active.pending);
      taken = taken || last.has_value();
    }
    return taken ? Outcome<void>() : last;
  });
}

Task<Outcome<ErasedRuns>> Engine::erase_end_user(std::string project, std::string end_user) {
  const auto state = state_;
  std::vector<std::string> at_work;
  for (const auto& [id, active] : state->active_)
    if (active.run.project == project && active.run.end_user == end_user && !terminal(active.run.status)) at_work.push_back(id);
  for (const std::string& id : at_work) {
    const auto canceled = co_await cancel(project, id, "end_user_erased");
    if (!canceled) co_return tl::unexpected(canceled.error());
  }
  co_return answer_of(
      co_await state->database_.write([&](Connection& connection) { return erase_runs_of(connection, project, end_user); }));
}

Task<Outcome<Run>> Engine::retry(std::string project, std::string id, Retry what) {
  const auto state = state_;
  auto before = co_await get(project, id);
  if (!before) co_return before;
  // Kept results whose files have gone are made again.
  std::vector<std::size_t> gone;
  for (std::size_t i = 0; i < before->steps.size(); ++i) {
    if (!good(before->steps[i].status)) continue;
    json::array outputs;
    for (const Item& item : before->steps[i].items) outputs.push_back(item.output);
    const json::value all = std::move(outputs);
    auto there = co_await state->database_.read([&](Connection& connection) { return artifacts_there(connection, all); });
    if (there && !*there) gone.push_back(i);
  }
  co_return co_await state->change(project, id, [&](ActiveRun& active) -> Outcome<void> {
    if (!terminal(active.run.status)) return jobs::refuse("not_terminal", "the run is still at work; cancel it first");
    Definition definition = active.definition;
    std::vector<std::size_t> from;
    if (!what.overrides.empty()) {
      json::object source = definition.source;
      for (const auto& over : what.overrides) {
        const Step* step = definition.find(over.key());
        if (step == nullptr || !over.value().is_object())
          return jobs::refuse("invalid_field", "/overrides/" + std::string(over.key()) + " must be an object, named by a step");
        json::object& target = source["steps"].as_array()[definition.index_of(step->id)].as_object();
        for (const auto& member : over.value().get_object()) {
          json::value* there = target.if_contains(member.key());
          if (there != nullptr && there->is_object() && member.value().is_object())
            for (const auto& inner : member.value().get_object()) there->get_object()[inner.key()] = inner.value();
          else
            target[member.key()] = member.value();
        }
        from.push_back(definition.index_of(step->id));
      }
      auto parsed = parse_definition(source);
      if (!parsed) return tl::unexpected(std::move(parsed).error());
      const json::value args = active.run.args;
      if (auto fits = check_types(*parsed, &args); !fits) return fits;
      for (std::size_t i = 0; i < definition.steps.size(); ++i)
        if (parsed->steps[i].id != definition.steps[i].id) return jobs::refuse("invalid_field", "/overrides cannot change ids");
      definition = std::move(*parsed);
    }
    for (const std::string& step : what.from) {
      if (definition.find(step) == nullptr)
        return jobs::refuse("invalid_field", "/from names \"" + step + "\", which is no step of the run");
      from.push_back(definition.index_of(step));
    }
    auto done = runs::retry(definition, active.run, from, state->clock_(), what.deadline_s, active.pending);
    if (!done) return done;
    for (const std::size_t step : gone)
      if (active.run.steps[step].status == StepStatus::reused &&
          std::any_of(definition.steps[step].dependants.begin(), definition.steps[step].dependants.end(),
                      [&](std::size_t user) { return !terminal(active.run.steps[user].status); }))
        active.run.steps[step] = StepState{};
    active.definition = std::move(definition);
    active.run.definition = active.definition.source;
    active.rewritten = true;
    return {};
  });
}

Task<Outcome<std::pair<Workflow, WorkflowVersion>>> Engine::save(Workflow workflow, json::object args_schema, json::object definition) {
  const auto state = state_;
  const UnixMillis now = state->clock_();
  auto version = version_of(std::move(args_schema), std::move(definition), now);
  if (!version) co_return tl::unexpected(std::move(version).error());
  workflow.id = state->new_id("wf");
  workflow.created_at = workflow.updated_at = now;
  auto stored = co_await state->database_.write([&](Connection& connection) { return insert_workflow(connection, workflow, *version); });
  if (!stored) co_return jobs::refuse(stored.error());
  co_return std::pair(std::move(workflow), std::move(*version));
}

Task<Outcome<std::pair<Workflow, WorkflowVersion>>> Engine::save_version(std::string project, std::string id, json::object args_schema,
                                                                         json::object definition) {
  const auto state = state_;
  auto version = version_of(std::move(args_schema), std::move(definition), state->clock_());
  if (!version) co_return tl::unexpected(std::move(version).error());
  auto stored = co_await state->database_.write([&](Connection& connection) -> base::Result<Workflow> {
    KINORA_TRY(Workflow workflow, find_workflow(connection, project, id));
    if (workflow.project != project) return base::fail(base::ErrorCode::not_found, "no workflow of that id");
    ++workflow.revision;
    version->version = ++workflow.version;
    workflow.updated_at = version->created_at;
    KINORA_OK(add_version(connection, workflow, *version));
    return workflow;
  });
  if (!stored) co_return jobs::refuse(stored.error());
  co_return std::pair(std::move(*stored), std::move(*version));
}

}  // namespace kinora::runs
