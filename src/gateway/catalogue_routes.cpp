// GET /v1/tasks, /v1/models, /v1/models/{id}, /v1/models/{id}/schema, /v1/capabilities (developer-api 5.2): the catalogue, and what
// the network offers of it now.
#include <map>
#include <set>

#include "gateway/offers.hpp"
#include "gateway/services.hpp"
#include "tasks/validation.hpp"

namespace kinora::gateway {
namespace {

json::object list_of(json::array data) {
  json::value first, last;
  if (!data.empty() && data.front().as_object().contains("id")) {
    first = data.front().at("id");
    last = data.back().at("id");
  }
  return {{"object", "list"},           {"data", std::move(data)}, {"has_more", false}, {"first_id", std::move(first)},
          {"last_id", std::move(last)}, {"next_cursor", nullptr}};
}

Answer list_tasks(Call& call) {
  base::FieldErrors errors;
  QueryReader(call.request.query, errors).finish();
  if (!errors.empty()) return refuse(std::move(errors));
  json::array data;
  for (const auto& task : tasks::catalogue()) {
    if (task.internal) continue;
    json::object item = tasks::describe(task);
    item["name"] = task.name;
    data.push_back(std::move(item));
  }
  return Reply::of(200, list_of(std::move(data)));
}

json::object to_json(const std::string& id, const OfferedModel& model) {
  return {{"id", id},
          {"object", "model"},
          {"created", 0},
          {"owned_by", "network"},
          {"tasks", json::value_from(std::vector<std::string>(model.tasks.begin(), model.tasks.end()))},
          {"digest", model.weights.empty() ? json::value(nullptr) : json::value(model.weights)},
          {"warm", model.warm},
          {"capacity", model.capacity},
          {"free", model.free}};
}

Task<Answer> list_models(const Services& services) {
  const auto models = offered_models(co_await services.nodes());
  json::array data;
  for (const auto& [id, model] : models) data.push_back(to_json(id, model));
  co_return Reply::of(200, list_of(std::move(data)));
}

Answer refuse_model(std::span<const market::NodeStatus> nodes, std::string_view id) {
  return refuse("model_not_found", unusable_reason(nodes, id).value_or("no node offers this model now"));
}

Task<Answer> get_model(Call& call, const Services& services) {
  const auto nodes = co_await services.nodes();
  const auto models = offered_models(nodes);
  const auto found = models.find(std::string(call.request.param("id")));
  if (found == models.end()) co_return refuse_model(nodes, call.request.param("id"));
  co_return Reply::of(200, to_json(found->first, found->second));
}

Task<Answer> get_schema(Call& call, const Services& services) {
  base::FieldErrors errors;
  QueryReader query(call.request.query, errors);
  const auto wanted = query.text("task", 100);
  query.finish();
  if (!errors.empty()) co_return refuse(std::move(errors));
  const auto nodes = co_await services.nodes();
  const auto models = offered_models(nodes);
  const auto found = models.find(std::string(call.request.param("id")));
  if (found == models.end()) co_return refuse_model(nodes, call.request.param("id"));
  const auto& names = found->second.tasks;
  if (wanted && !names.contains(*wanted)) co_return refuse("task_not_found", "the model does not do this task");
  const tasks::TaskSpec* task = tasks::find_task(wanted.value_or(*names.begin()));
  co_return Reply::of(200, json::object{{"object", "model.schema"},
                                        {"model", found->first},
                                        {"task", task->name},
                                        {"tasks", json::value_from(std::vector<std::string>(names.begin(), names.end()))},
                                        {"input", tasks::input_schema(*task)},
                                        {"output", tasks::output_schema(*task)}});
}

Task<Answer> capabilities(const Services& services) {
  const auto nodes = co_await services.nodes();
  json::array offered;
  for (const auto& task : tasks::catalogue()) {
    if (task.internal) continue;
    const Offer offer = offered_task(nodes, task.name);
    offered.push_back(json::object{{"task", task.name}, {"capacity", offer.capacity}, {"free", offer.free}, {"nodes", offer.nodes}});
  }
  const auto reachable = std::ranges::count_if(nodes, [](const market::NodeStatus& node) { return node.reachable; });
  const auto counts = services.engine.counts();
  co_return Reply::of(
      200,
      json::object{
          {"object", "capabilities"},
          {"api_version", kApiVersion},
          {"tasks", std::move(offered)},
          {"nodes", json::object{{"known", nodes.size()}, {"reachable", reachable}}},
          {"jobs", json::object{{"active", counts.active_jobs}, {"queued", counts.queued}, {"running_attempts", counts.running_attempts}}},
          {"eta", json::object{{"jobs", services.engine.eta_accuracy().jobs},
                               {"mean_error_s", services.engine.eta_accuracy().mean_error_s},
                               {"mean_error_ratio", services.engine.eta_accuracy().mean_error_ratio}}},
          {"features", json::object{{"events", json::array{"sse", "websocket", "list"}},
                                    {"uploads", json::array{"single", "multipart", "tus"}},
                                    {"inputs", json::array{"artifact", "upload", "url", "data", "job"}},
                                    {"idempotency", true},
                                    {"webhooks", true},
                                    {"workflows", true},
                                    {"quotes", false}}},
          {"limits",
           json::object{{"json_bytes", kMaxJsonBytes}, {"upload_bytes", services.max_upload_bytes}, {"part_bytes", jobs::kPartBytes}}}});
}

}  // namespace

void add_catalogue_routes(Surface& surface, SharedServices services) {
  surface.add("GET", "/v1/tasks", "models:read", [](Call& call) -> Task<Answer> { co_return list_tasks(call); });
  surface.add("GET", "/v1/models", "models:read", [services](Call&) { return list_models(*services); });
  surface.add("GET", "/v1/models/{id...}/schema", "models:read", [services](Call& call) { return get_schema(call, *services); });
  surface.add("GET", "/v1/models/{id...}", "models:read", [services](Call& call) { return get_model(call, *services); });  // OWNER/NAME
  surface.add("GET", "/v1/capabilities", "models:read", [services](Call&) { return capabilities(*services); });
}

}  // namespace kinora::gateway
