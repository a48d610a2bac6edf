// Runs of workflows: /v1/runs (docs/workflows.md).
#include <algorithm>

#include "gateway/event_following.hpp"
#include "gateway/event_stream.hpp"
#include "gateway/event_subject.hpp"
#include "gateway/job_body.hpp"
#include "gateway/list_query.hpp"
#include "gateway/services.hpp"
#include "jobs/job_rows.hpp"
#include "runs/scheduler.hpp"

namespace kinora::gateway {
namespace {

std::string id_of(const Call& call) { return std::string(call.request.param("id")); }

net::Headers headers_of(const runs::Run& run) {
  net::Headers headers{{"etag", "\"" + std::to_string(run.version) + "\""}};
  if (!runs::terminal(run.status)) headers.set("retry-after", "1");
  return headers;
}

Answer show(const Services& services, tl::expected<runs::Run, Problem> run, int status = 200) {
  if (!run) return tl::unexpected(std::move(run).error());
  auto body = public_run(services, *run);
  if (!body) return tl::unexpected(std::move(body).error());
  return Reply::of(status, *body, headers_of(*run));
}

// The tasks and models that an API key is limited to hold for steps too.
tl::expected<void, Problem> check_limits(const json::value& body, const Caller& caller) {
  if (caller.tasks.empty() && caller.models.empty()) return {};
  const json::object* object = body.if_object();
  const json::value* steps = object != nullptr ? object->if_contains("steps") : nullptr;
  if (steps == nullptr || !steps->is_array())
    return refuse("forbidden", "this API key is limited to some tasks or models: give the steps inline");
  for (const json::value& step : steps->get_array()) {
    if (!step.is_object() || step.get_object().contains("gate")) continue;
    if (auto allowed = check_key_limits(step, caller); !allowed) return allowed;
    if (const json::value* fallbacks = step.get_object().if_contains("fallback"); fallbacks != nullptr && fallbacks->is_array())
      for (const json::value& over : fallbacks->get_array()) {
        json::value merged = step;
        if (over.is_object())
          for (const auto& member : over.get_object()) merged.get_object()[member.key()] = member.value();
        if (auto allowed = check_key_limits(merged, caller); !allowed) return allowed;
      }
  }
  return {};
}

Task<Answer> create(Call& call, const Services& services) {
  auto body = co_await call.read_json();
  if (!body) co_return tl::unexpected(std::move(body).error());
  if (auto allowed = check_limits(*body, call.caller); !allowed) co_return tl::unexpected(std::move(allowed).error());
  auto scope = idempotency_scope(call, *body);
  if (!scope) co_return tl::unexpected(std::move(scope).error());
  runs::CreateRequest request{call.caller.project, call.caller.key_id, std::move(*body), std::move(*scope), std::string(call.trace_id())};
  auto made = co_await services.runs.create(std::move(request));
  if (!made) co_return tl::unexpected(std::move(made).error());
  Answer answer = show(services, made->run, runs::terminal(made->run.status) ? 200 : 202);
  if (answer) {
    answer->headers.set("location", "/v1/runs/" + made->run.id);
    if (made->replayed) answer->headers.set("idempotency-replayed", "true");
  }
  co_return answer;
}

Task<Answer> get(Call& call, const Services& services) {
  base::FieldErrors errors;
  QueryReader query(call.request.query, errors);
  const std::chrono::seconds wait{query.integer("wait_s", 0, 60).value_or(0)};
  const auto since = query.integer("since_version", 0, std::numeric_limits<std::int64_t>::max());
  query.finish();
  if (!errors.empty()) co_return refuse(std::move(errors));
  const auto end = std::chrono::steady_clock::now() + wait;
  for (;;) {
    // The offset is read first: whatever happens after that wakes the wait.
    const auto offset = co_await services.engine.newest_event_offset();
    if (!offset) co_return tl::unexpected(offset.error());
    auto run = co_await services.runs.get(call.caller.project, id_of(call));
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (!run || left.count() <= 0 || runs::terminal(run->status) || (since && run->version > *since))
      co_return show(services, std::move(run));
    co_await services.engine.feed().wait(id_of(call), *offset, left);
  }
}

Task<Answer> list(Call& call, const Services& services) {
  base::FieldErrors errors;
  QueryReader query(call.request.query, errors);
  runs::RunFilter filter;
  json::object canonical;
  if (const auto status = query.text("status", 32)) {
    filter.status = runs::parse_run_status(*status);
    if (!filter.status) errors.push_back({"?status", "not_allowed", "is no status of a run"});
    canonical["status"] = *status;
  }
  const auto text = [&](std::string_view name, std::optional<std::string>& into) {
    into = query.text(name, 200);
    if (into) canonical[name] = *into;
  };
  text("workflow", filter.workflow);
  text("tag", filter.tag);
  text("end_user", filter.end_user);
  text("client_ref", filter.client_ref);
  auto page = read_list_query(query, services.cursor_key, "run", canonical);
  query.finish();
  if (!errors.empty()) co_return refuse(std::move(errors));
  if (!page) co_return tl::unexpected(std::move(page).error());
  for (auto [id, key] : {std::pair(&page->after_id, &page->page.after), std::pair(&page->before_id, &page->page.before)}) {
    if (!*id) continue;
    const auto at = co_await services.runs.get(call.caller.project, **id);
    if (!at) co_return tl::unexpected(at.error());
    *key = jobs::PageKey{at->created_at.time_since_epoch().count(), at->id};
  }
  auto found = co_await services.runs.list(call.caller.project, std::move(filter), page->page);
  if (!found) co_return tl::unexpected(std::move(found).error());
  json::array data;
  for (const runs::Run& run : found->data) data.push_back(runs::summary_json(run));
  std::optional<ListEdge> first, last;
  if (!found->data.empty()) {
    first = ListEdge{found->data.front().id, found->data.front().created_at};
    last = ListEdge{found->data.back().id, found->data.back().created_at};
  }
  co_return Reply::of(200, list_object(std::move(data), found->has_more, first, last, *page, services.cursor_key));
}

Task<Answer> cancel(Call& call, const Services& services) {
  auto body = co_await call.read_json();
  if (!body) co_return tl::unexpected(std::move(body).error());
  base::FieldErrors errors;
  base::ObjectReader in(*body, "", errors);
  auto reason = in.string("reason", 500);
  in.finish();
  if (!errors.empty()) co_return refuse(std::move(errors));
  auto run = co_await services.runs.cancel(call.caller.project, id_of(call), std::move(reason));
  const bool over = run && runs::terminal(run->status);
  co_return show(services, std::move(run), over ? 200 : 202);
}

Task<Answer> retry(Call& call, const Services& services) {
  auto body = co_await call.read_json();
  if (!body) co_return tl::unexpected(std::move(body).error());
  base::FieldErrors errors;
  base::ObjectReader in(*body, "", errors);
  runs::Engine::Retry what;
  if (const json::array* from = in.array("from", runs::kMaxSteps))
    for (const json::value& step : *from) {
      if (step.is_string())
        what.from.emplace_back(step.get_string());
      else
        in.error("from", "invalid_field", "must be ids of steps");
    }
  if (const json::object* overrides = in.object("overrides")) what.overrides = *overrides;
  what.deadline_s = in.integer("deadline_s", 1, runs::kMaxDeadlineS).value_or(what.deadline_s);
  in.finish();
  if (!errors.empty()) co_return refuse(std::move(errors));
  for (const auto& member : what.overrides)
    if (!call.caller.tasks.empty() || !call.caller.models.empty())
      if (const json::object* over = member.value().if_object();
          over != nullptr && (over->contains("task") || over->contains("model") || over->contains("fallback")))
        co_return refuse("forbidden", "this API key is limited to some tasks or models: it cannot change them");
  const Creation again = [&]() -> Task<tl::expected<Created, Problem>> {
    auto reply = show(services, co_await services.runs.retry(call.caller.project, id_of(call), what), 202);
    if (!reply) co_return tl::unexpected(std::move(reply).error());
    co_return Created{std::move(*reply), std::nullopt};
  };
  co_return co_await services.once.run(call, *body, again);
}

Task<Answer> answer_gate(Call& call, const Services& services, bool approved) {
  auto body = co_await call.read_json();
  if (!body) co_return tl::unexpected(std::move(body).error());
  base::FieldErrors errors;
  base::ObjectReader in(*body, "", errors);
  json::object answer{{"approved", approved}, {"by", call.caller.key_id}};
  if (const json::value* payload = in.member("payload")) answer["payload"] = *payload;
  if (const auto comment = in.string("comment", 1000)) answer["comment"] = *comment;
  in.finish();
  if (!errors.empty()) co_return refuse(std::move(errors));
  co_return show(services, co_await services.runs.answer(call.caller.project, id_of(call), std::string(call.request.param("step")),
                                                         std::move(answer)));
}

Task<Answer> pause(Call& call, const Services& services) {
  co_return show(services, co_await services.runs.pause(call.caller.project, id_of(call)));
}

Task<Answer> resume(Call& call, const Services& services) {
  co_return show(services, co_await services.runs.resume(call.caller.project, id_of(call)));
}

Task<Answer> signal(Call& call, const Services& services) {
  auto body = co_await call.read_json();
  if (!body) co_return tl::unexpected(std::move(body).error());
  co_return show(
      services, co_await services.runs.signal(call.caller.project, id_of(call), std::string(call.request.param("name")), std::move(*body)));
}

// The run with its definition, for the routes below it.
struct Opened {
  runs::Run run;
  runs::Definition definition;
};
Task<tl::expected<Opened, Problem>> open(Call& call, const Services& services) {
  auto run = co_await services.runs.get(call.caller.project, id_of(call));
  if (!run) co_return tl::unexpected(std::move(run).error());
  auto definition = runs::parse_definition(run->definition);
  if (!definition) co_return tl::unexpected(std::move(definition).error());
  runs::derive(*definition, *run);
  co_return Opened{std::move(*run), std::move(*definition)};
}

Task<Answer> steps(Call& call, const Services& services) {
  auto opened = co_await open(call, services);
  if (!opened) co_return tl::unexpected(std::move(opened).error());
  json::array data;
  for (std::size_t i = 0; i < opened->definition.steps.size(); ++i)
    data.push_back(runs::step_json(opened->run, opened->definition, i, services.links));
  co_return Reply::of(200, json::object{{"object", "list"}, {"data", std::move(data)}, {"has_more", false}});
}

// A step with its items; a step over a long video shows the parts that its job was cut into.
Task<Answer> step(Call& call, const Services& services) {
  auto opened = co_await open(call, services);
  if (!opened) co_return tl::unexpected(std::move(opened).error());
  const runs::Step* found = opened->definition.find(call.request.param("step"));
  if (found == nullptr) co_return refuse("not_found", "the run has no step of that name");
  const std::size_t at = opened->definition.index_of(found->id);
  const auto& items = opened->run.steps[at].items;
  if (const std::string_view index = call.request.param("index"); !index.empty()) {
    const auto number = parse_offset(index);
    if (!number || static_cast<std::size_t>(*number) >= items.size()) co_return refuse("not_found", "the step has no item of that number");
    const auto place = static_cast<std::size_t>(*number);
    co_return Reply::of(200, runs::item_json(*found, items[place], place, services.links));
  }
  json::object out = runs::step_json(opened->run, opened->definition, at, services.links);
  json::array list;
  for (std::size_t k = 0; k < items.size(); ++k) list.push_back(runs::item_json(*found, items[k], k, services.links));
  out["instances"] = std::move(list);
  if (!found->for_each && !found->child && !items.empty() && !items.front().work.empty()) {
    auto parts = co_await services.database.read([&](store::Connection& db) { return jobs::job_tasks(db, items.front().work); });
    if (!parts) co_return jobs::refuse(parts.error());
    std::size_t total = 0, succeeded = 0, failed = 0, running = 0;
    for (const jobs::TaskRow& part : *parts) {
      if (part.step != "chunk") continue;
      ++total;
      succeeded += part.state == jobs::TaskState::succeeded;
      failed += part.state == jobs::TaskState::failed;
      running += part.state == jobs::TaskState::running;
    }
    if (total > 0) out["items"] = {{"total", total}, {"succeeded", succeeded}, {"failed", failed}, {"running", running}};
  }
  co_return Reply::of(200, out);
}

Task<Answer> graph(Call& call, const Services& services) {
  auto opened = co_await open(call, services);
  if (!opened) co_return tl::unexpected(std::move(opened).error());
  json::object out = runs::graph_of(opened->definition);
  json::array& nodes = out.at("nodes").as_array();
  for (std::size_t i = 0; i < nodes.size(); ++i) nodes[i].as_object()["status"] = runs::name(opened->run.steps[i].status);
  co_return Reply::of(200, out);
}

}  // namespace

tl::expected<json::object, Problem> public_run(const Services& services, const runs::Run& run) {
  auto definition = runs::parse_definition(run.definition);
  if (!definition) return tl::unexpected(std::move(definition).error());
  runs::Run derived = run;
  runs::derive(*definition, derived);
  return runs::to_json(
      derived, *definition, services.links,
      [&](std::size_t step, std::size_t index) { return services.runs.fraction(run.id, step, index); },
      services.runs.eta_s(derived, *definition));
}

void add_run_routes(Surface& surface, SharedServices services) {
  const ServiceRoutes add{surface, std::move(services)};
  add("POST", "/v1/runs", "runs:write", create);
  add("GET", "/v1/runs", "runs:read", list);
  add("GET", "/v1/runs/{id}", "runs:read", get);
  add("POST", "/v1/runs/{id}/cancel", "runs:write", cancel);
  add("POST", "/v1/runs/{id}/retry", "runs:write", retry);
  add("GET", "/v1/runs/{id}/steps", "runs:read", steps);
  add("GET", "/v1/runs/{id}/steps/{step}", "runs:read", step);
  add("GET", "/v1/runs/{id}/steps/{step}/{index}", "runs:read", step);
  add("GET", "/v1/runs/{id}/graph", "runs:read", graph);
  add("GET", "/v1/runs/{id}/events", "runs:read", [](Call& call, const Services& all) { return subject_events(call, all, id_of(call)); });
  add("POST", "/v1/runs/{id}/signals/{name}", "runs:write", signal);
  add("POST", "/v1/runs/{id}/steps/{step}/approve", "runs:write",
      [](Call& call, const Services& all) { return answer_gate(call, all, true); });
  add("POST", "/v1/runs/{id}/steps/{step}/reject", "runs:write",
      [](Call& call, const Services& all) { return answer_gate(call, all, false); });
  add("POST", "/v1/runs/{id}/pause", "runs:write", pause);
  add("POST", "/v1/runs/{id}/resume", "runs:write", resume);
}

}  // namespace kinora::gateway
