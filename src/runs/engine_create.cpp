// Making runs, and taking them up again after a restart (engine_state.hpp).
#include <algorithm>

#include "base/log.hpp"
#include "runs/engine_state.hpp"

namespace kinora::runs {

using store::Connection;

// The definition that the request means, and its arguments; checked against each other.
Task<Outcome<std::pair<Definition, json::object>>> Engine::State::read(std::string project, RunRequest& request) {
  json::object source = request.definition, args = request.args;
  if (request.workflow) {
    struct Found {
      Workflow workflow;
      WorkflowVersion version;
    };
    auto found = co_await database_.read([&](Connection& connection) -> base::Result<Found> {
      KINORA_TRY(Workflow workflow, find_workflow(connection, project, *request.workflow));
      KINORA_TRY(WorkflowVersion version, find_version(connection, workflow.id, request.version.value_or(workflow.version)));
      return Found{std::move(workflow), std::move(version)};
    });
    if (!found) co_return jobs::refuse(found.error());
    request.version = found->version.version;
    if (request.name.empty()) request.name = found->workflow.name;
    source = std::move(found->version.definition);
    auto checked = check_args(found->version.args_schema, args);
    if (!checked) co_return tl::unexpected(std::move(checked).error());
    args = std::move(*checked);
  }
  auto definition = parse_definition(source);
  if (!definition) co_return tl::unexpected(std::move(definition).error());
  const json::value given = args;
  if (auto fits = check_types(*definition, &given); !fits) co_return tl::unexpected(std::move(fits).error());
  co_return std::pair(std::move(*definition), std::move(args));
}

Task<std::optional<std::string>> Engine::State::missing_model(const json::object& body) {
  if (!settings_.missing_model) co_return std::nullopt;
  const json::value* model = body.if_contains("model");
  const std::string named = model != nullptr && model->is_string() ? std::string(model->get_string()) : std::string();
  co_return co_await settings_.missing_model(std::string(body.at("task").as_string()), named);
}

// Steps that name models which nobody has, their fallbacks too. A step without a model may wait for whoever comes.
Task<std::optional<tasks::Problem>> Engine::State::missing_models(Definition definition) {
  base::FieldErrors errors;
  for (const Step& step : definition.steps) {
    std::optional<std::string> why;
    for (const json::object& body : step.variants) {
      const json::value* model = body.if_contains("model");
      const bool named = model != nullptr && model->is_string() && !model->get_string().starts_with("auto");
      why = named ? co_await missing_model(body) : std::nullopt;
      if (!why) break;
    }
    if (why) errors.push_back({step.pointer + "/model", "model_not_found", *why});
  }
  if (errors.empty()) co_return std::nullopt;
  tasks::Problem problem;
  problem.code = "workflow_type_error";
  problem.detail = errors.front().pointer + " " + errors.front().detail;
  problem.errors = std::move(errors);
  co_return problem;
}

Task<Outcome<CreateAnswer>> Engine::State::create(CreateRequest request, std::optional<std::string> id,
                                                  std::optional<jobs::JobParent> parent, int depth) {
  auto wanted = parse_run_request(request.body);
  if (!wanted) co_return tl::unexpected(std::move(wanted).error());
  if (stopping_) co_return jobs::refuse("maintenance", "the gateway is shutting down");
  if (active_.size() >= settings_.max_active_runs) {
    auto full = jobs::refuse("queue_full", "too many runs are at work; try again later");
    full.value().retry_after_ms = 5000;
    co_return full;
  }
  auto read_one = co_await read(request.project, *wanted);
  if (!read_one) co_return tl::unexpected(std::move(read_one).error());
  std::optional<tasks::Problem> refused;  // told unless the request is a repeat of one that was taken
  if (!parent) refused = co_await missing_models(read_one->first);
  if (!parent && !refused)  // the steps of a run that was taken are jobs: they wait for room
    if (auto room = jobs_.check_disk(); !room) refused = std::move(room).error();
  ActiveRun fresh;
  fresh.definition = std::move(read_one->first);
  Run& run = fresh.run;
  const UnixMillis now = clock_();
  run.id = id ? *id : new_id("run");
  run.project = request.project;
  run.key = request.key;
  run.name = wanted->name;
  run.definition = fresh.definition.source;
  run.args = std::move(read_one->second);
  run.metadata = std::move(wanted->metadata);
  run.workflow = wanted->workflow;
  run.workflow_version = wanted->version;
  run.client_ref = wanted->client_ref;
  run.end_user = wanted->end_user;
  run.tags = wanted->tags;
  run.trace_id = request.trace_id;
  run.parent = std::move(parent);
  run.depth = depth;
  run.created_at = now;
  run.deadline_at = now + std::chrono::seconds(wanted->deadline_s);
  run.steps.resize(fresh.definition.steps.size());
  derive(fresh.definition, run);
  fresh.pending.events.push_back({"run.created", run_event_data(run)});
  fresh.root = root_of(run);
  settle_in_tree(fresh);
  for (std::size_t i = 0; i < run.steps.size(); ++i) fresh.pending.steps.insert(i);
  const Change change = take_change(fresh, [this](std::string_view prefix) { return new_id(prefix); }, now);

  struct Made {
    std::optional<Run> earlier;
    std::optional<jobs::IdempotencyState> state;
    std::vector<std::int64_t> offsets;
  };
  auto made = co_await database_.write([&](Connection& connection) -> base::Result<Made> {
    Made out;
    if (id) {
      auto there = find_run(connection, request.project, *id);
      if (there) out.earlier = std::move(*there);
      if (out.earlier) return out;
    }
    if (request.idempotency) {
      KINORA_TRY(auto state, jobs::begin_idempotent(connection, *request.idempotency, now));
      if (!std::holds_alternative<jobs::idempotent::Fresh>(state)) {
        if (const auto* replay = std::get_if<jobs::idempotent::Replay>(&state)) {
          KINORA_TRY(out.earlier, find_run(connection, request.project, replay->resource));
        }
        out.state = std::move(state);
        return out;
      }
      if (refused) return base::fail(base::ErrorCode::canceled, "not admitted");
      constexpr std::chrono::hours kKept{24};
      KINORA_OK(jobs::finish_idempotent(connection, *request.idempotency, {202, "", run.id}, std::max(run.deadline_at, now) + kKept));
    }
    if (refused) return base::fail(base::ErrorCode::canceled, "not admitted");
    KINORA_OK(insert_run(connection, change.run));
    KINORA_OK(
        keep_artifacts(connection, run.project, json::value(change.run.args), change.run.deadline_at));  // what its last step may read
    if (wanted->webhook) KINORA_OK(jobs::put_subject_hook(connection, run.id, *wanted->webhook));
    KINORA_OK(write_details(connection, change, out.offsets));
    return out;
  });
  if (!made || made->earlier || made->state) instances_[fresh.root] -= std::min(instances_[fresh.root], fresh.counted);
  if ((!made || made->earlier || made->state) && fresh.root == run.id && find(run.id) == nullptr) instances_.erase(run.id);
  if (!made && refused) co_return tl::unexpected(std::move(*refused));
  if (!made) co_return jobs::refuse(made.error());
  if (made->earlier) co_return CreateAnswer{std::move(*made->earlier), true};
  if (made->state && std::holds_alternative<jobs::idempotent::Mismatch>(*made->state))
    co_return jobs::refuse("idempotency_mismatch", "this idempotency key was used with another request");
  if (made->state) co_return jobs::refuse("idempotency_in_progress", "the first request with this idempotency key is still running");
  CreateAnswer answer{run, false};
  for (const std::int64_t offset : made->offsets) jobs_.feed().announce(run.id, offset);
  if (terminal(run.status)) {
    if (fresh.root == run.id) instances_.erase(run.id);
    if (run.parent) child_ended(run);
    co_return answer;
  }
  const std::string run_id = run.id;
  active_.insert_or_assign(run_id, std::move(fresh));
  advance(*find(run_id));
  for (const auto& [step, index] : change.start) start(run_id, step, index);
  co_return answer;
}

Task<base::Status> Engine::State::recover() {
  KINORA_CO_TRY(auto loaded, co_await database_.write([](Connection& connection) -> base::Result<std::vector<Run>> {
    std::vector<Run> out;
    KINORA_TRY(const auto ids, unfinished_runs(connection));
    for (const std::string& id : ids) {
      KINORA_TRY(Run run, find_run(connection, "", id));
      out.push_back(std::move(run));
    }
    return out;
  }));
  std::vector<std::string> ids;
  for (Run& run : loaded) {
    auto definition = parse_definition(run.definition);
    if (!definition || definition->steps.size() != run.steps.size()) {
      base::log::error("runs", "a stored run cannot be read", {{"run", run.id}});
      continue;
    }
    ids.push_back(run.id);
    adopt(std::move(run), std::move(*definition));
  }
  std::set<std::string> roots;
  for (const std::string& id : ids) roots.insert(find(id)->root);
  for (const std::string& root : roots) KINORA_CO_OK(co_await count_tree(root));
  started_ = true;
  if (!ids.empty()) base::log::info("runs", "runs reloaded", {{"count", ids.size()}});
  for (const std::string& id : ids) {
    ActiveRun* active = find(id);
    if (active == nullptr) continue;
    // Whether the work of these exists is not known: making it again finds it.
    std::vector<std::pair<std::size_t, std::size_t>> working;
    for (std::size_t i = 0; i < active->run.steps.size(); ++i)
      for (std::size_t k = 0; k < active->run.steps[i].items.size(); ++k) {
        const ItemStatus status = active->run.steps[i].items[k].status;
        if (status == ItemStatus::queued || status == ItemStatus::running) working.emplace_back(i, k);
      }
    advance(*active);
    for (const auto& [step, index] : working) start(id, step, index);
  }
  for (const jobs::Job& job : std::exchange(early_, {})) on_job(job);
  arm();
  co_return base::Status();
}

}  // namespace kinora::runs
