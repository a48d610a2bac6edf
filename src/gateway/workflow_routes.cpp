// Saved workflows: /v1/workflows (docs/workflows.md).
#include <charconv>

#include "base/time.hpp"
#include "gateway/list_query.hpp"
#include "gateway/services.hpp"

namespace kinora::gateway {
namespace {

using runs::Workflow;
using runs::WorkflowVersion;

std::string id_of(const Call& call) { return std::string(call.request.param("id")); }

net::Headers etag_of(const Workflow& workflow) { return {{"etag", "\"" + std::to_string(workflow.revision) + "\""}}; }

struct Wanted {
  json::object args_schema, definition;
};
Wanted read_version(base::ObjectReader& in) {
  Wanted out;
  if (const json::object* schema = in.object("args_schema")) out.args_schema = *schema;
  if (in.required("definition") != nullptr)
    if (const json::object* definition = in.object("definition")) out.definition = *definition;
  return out;
}

void read_labels(base::ObjectReader& in, Workflow& workflow) {
  if (auto name = in.string("name", 200)) workflow.name = *name;
  if (auto description = in.string("description", 4000)) workflow.description = *description;
  if (auto visibility = in.string("visibility", 16)) {
    if (*visibility != "private" && *visibility != "project" && *visibility != "public")
      in.error("visibility", "not_allowed", "must be one of \"private\", \"project\", \"public\"");
    workflow.visibility = *visibility;
  }
}

Task<Answer> save(Call& call, const Services& services) {
  auto body = co_await call.read_json();
  if (!body) co_return tl::unexpected(std::move(body).error());
  const Creation make = [&]() -> Task<tl::expected<Created, Problem>> {
    base::FieldErrors errors;
    base::ObjectReader in(*body, "", errors);
    Workflow workflow;
    workflow.project = call.caller.project;
    in.required("name");
    read_labels(in, workflow);
    Wanted wanted = read_version(in);
    in.finish();
    if (!errors.empty()) co_return refuse(std::move(errors));
    auto saved = co_await services.runs.save(std::move(workflow), std::move(wanted.args_schema), std::move(wanted.definition));
    if (!saved) co_return tl::unexpected(std::move(saved).error());
    net::Headers headers = etag_of(saved->first);
    headers.set("location", "/v1/workflows/" + saved->first.id);
    co_return Created{Reply::of(201, runs::to_json(saved->first, saved->second), std::move(headers)), std::nullopt};
  };
  co_return co_await services.once.run(call, *body, make);
}

Task<Answer> save_version(Call& call, const Services& services) {
  auto body = co_await call.read_json();
  if (!body) co_return tl::unexpected(std::move(body).error());
  const Creation make = [&]() -> Task<tl::expected<Created, Problem>> {
    base::FieldErrors errors;
    base::ObjectReader in(*body, "", errors);
    Wanted wanted = read_version(in);
    in.finish();
    if (!errors.empty()) co_return refuse(std::move(errors));
    auto saved =
        co_await services.runs.save_version(call.caller.project, id_of(call), std::move(wanted.args_schema), std::move(wanted.definition));
    if (!saved) co_return tl::unexpected(std::move(saved).error());
    co_return Created{Reply::of(201, runs::to_json(saved->first, saved->second), etag_of(saved->first)), std::nullopt};
  };
  co_return co_await services.once.run(call, *body, make);
}

// The workflow with one of its versions (0: the newest).
Task<tl::expected<std::pair<Workflow, WorkflowVersion>, Problem>> find(Call& call, const Services& services, int version) {
  const std::string project = call.caller.project, id = id_of(call);
  auto found = co_await services.database.read([&](store::Connection& db) -> base::Result<std::pair<Workflow, WorkflowVersion>> {
    KINORA_TRY(Workflow workflow, runs::find_workflow(db, project, id));
    KINORA_TRY(WorkflowVersion one, runs::find_version(db, id, version == 0 ? workflow.version : version));
    return std::pair(std::move(workflow), std::move(one));
  });
  if (!found) co_return jobs::refuse(found.error());
  co_return std::move(*found);
}

Task<Answer> get(Call& call, const Services& services) {
  int version = 0;
  if (const std::string_view text = call.request.param("n"); !text.empty()) {
    const auto end = std::from_chars(text.data(), text.data() + text.size(), version);
    if (end.ec != std::errc() || end.ptr != text.data() + text.size() || version < 1)
      co_return refuse("not_found", "the workflow has no such version");
  }
  auto found = co_await find(call, services, version);
  if (!found) co_return tl::unexpected(std::move(found).error());
  co_return Reply::of(200, runs::to_json(found->first, found->second), etag_of(found->first));
}

Task<Answer> versions(Call& call, const Services& services) {
  auto found = co_await find(call, services, 0);
  if (!found) co_return tl::unexpected(std::move(found).error());
  const std::string id = id_of(call);
  auto list = co_await services.database.read([&](store::Connection& db) { return runs::list_versions(db, id); });
  if (!list) co_return jobs::refuse(list.error());
  json::array data;
  for (const WorkflowVersion& one : *list)
    data.push_back({{"version", one.version}, {"digest", one.digest}, {"created_at", base::to_rfc3339(one.created_at)}});
  co_return Reply::of(200, json::object{{"object", "list"}, {"data", std::move(data)}, {"has_more", false}});
}

Task<Answer> list(Call& call, const Services& services) {
  base::FieldErrors errors;
  QueryReader query(call.request.query, errors);
  auto page = read_list_query(query, services.cursor_key, "wf", {});
  query.finish();
  if (!errors.empty()) co_return refuse(std::move(errors));
  if (!page) co_return tl::unexpected(std::move(page).error());
  const std::string project = call.caller.project;
  auto found = co_await services.database.read([&](store::Connection& db) -> base::Result<jobs::Listing<Workflow>> {
    for (auto [id, key] : {std::pair(&page->after_id, &page->page.after), std::pair(&page->before_id, &page->page.before)}) {
      if (!*id) continue;
      KINORA_TRY(const Workflow at, runs::find_workflow(db, project, **id));
      *key = jobs::PageKey{at.created_at.time_since_epoch().count(), at.id};
    }
    return runs::list_workflows(db, project, page->page);
  });
  if (!found) co_return jobs::refuse(found.error());
  json::array data;
  for (const Workflow& one : found->data)
    data.push_back({{"id", one.id},
                    {"object", "workflow"},
                    {"name", one.name},
                    {"visibility", one.visibility},
                    {"version", one.version},
                    {"created_at", base::to_rfc3339(one.created_at)},
                    {"updated_at", base::to_rfc3339(one.updated_at)}});
  std::optional<ListEdge> first, last;
  if (!found->data.empty()) {
    first = ListEdge{found->data.front().id, found->data.front().created_at};
    last = ListEdge{found->data.back().id, found->data.back().created_at};
  }
  co_return Reply::of(200, list_object(std::move(data), found->has_more, first, last, *page, services.cursor_key));
}

Task<Answer> change(Call& call, const Services& services) {
  auto body = co_await call.read_json();
  if (!body) co_return tl::unexpected(std::move(body).error());
  auto found = co_await find(call, services, 0);
  if (!found) co_return tl::unexpected(std::move(found).error());
  Workflow& workflow = found->first;
  if (workflow.project != call.caller.project) co_return refuse("not_found", "no workflow of that id");
  if (const auto match = call.request.headers.get("if-match");
      match && *match != "*" && *match != "\"" + std::to_string(workflow.revision) + "\"")
    co_return refuse("version_conflict", "the workflow has changed meanwhile; read it again");
  base::FieldErrors errors;
  base::ObjectReader in(*body, "", errors);
  read_labels(in, workflow);
  in.finish();
  if (!errors.empty()) co_return refuse(std::move(errors));
  ++workflow.revision;
  workflow.updated_at = services.clock();
  auto stored = co_await services.database.write([&](store::Connection& db) { return runs::update_workflow(db, workflow); });
  if (!stored) co_return jobs::refuse(stored.error());
  co_return Reply::of(200, runs::to_json(workflow, found->second), etag_of(workflow));
}

Task<Answer> remove(Call& call, const Services& services) {
  const std::string project = call.caller.project, id = id_of(call);
  auto gone = co_await services.database.write([&](store::Connection& db) { return runs::delete_workflow(db, project, id); });
  if (!gone) co_return jobs::refuse(gone.error());
  co_return Reply::empty(204);
}

Task<Answer> validate(Call& call, const Services& services) {
  auto body = co_await call.read_json();
  if (!body) co_return tl::unexpected(std::move(body).error());
  auto definition = co_await services.runs.validate(call.caller.project, std::move(*body));
  if (!definition) co_return tl::unexpected(std::move(definition).error());
  co_return Reply::of(200, json::object{{"valid", true}, {"graph", runs::graph_of(*definition)}});
}

}  // namespace

void add_workflow_routes(Surface& surface, SharedServices services) {
  const ServiceRoutes add{surface, std::move(services)};
  add("POST", "/v1/workflows", "runs:write", save);
  add("GET", "/v1/workflows", "runs:read", list);
  add("POST", "/v1/workflows/validate", "runs:read", validate);
  add("GET", "/v1/workflows/{id}", "runs:read", get);
  add("PATCH", "/v1/workflows/{id}", "runs:write", change);
  add("DELETE", "/v1/workflows/{id}", "runs:write", remove);
  add("POST", "/v1/workflows/{id}/versions", "runs:write", save_version);
  add("GET", "/v1/workflows/{id}/versions", "runs:read", versions);
  add("GET", "/v1/workflows/{id}/versions/{n}", "runs:read", get);
}

}  // namespace kinora::gateway
