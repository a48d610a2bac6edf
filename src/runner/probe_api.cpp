#include "runner/probe_api.hpp"

#include "base/json.hpp"
#include "runner/nvml.hpp"

namespace kinora::runner {
namespace {

namespace json = base::json;

net::Task<void> send(net::Response& response, const json::object& body) {
  net::Headers headers{{"content-type", "application/json"}};  // GCC 12 cannot keep an initializer list over a suspension
  co_await response.send(200, std::move(headers), json::serialize(body));
}

json::object describe(const Identity& identity) { return {{"pipeline", identity.pipeline}, {"model_id", identity.model_id}}; }

json::object gpu_info() {
  json::object all;
  int index = 0;
  for (const Gpu& gpu : query_gpus())
    all[std::to_string(index++)] = {
        {"id", gpu.id},       {"name", gpu.name},  {"memory_total", gpu.memory_total}, {"memory_free", gpu.memory_free},
        {"major", gpu.major}, {"minor", gpu.minor}};
  return all;
}

json::object gpu_stats() {
  json::object all;
  int index = 0;
  for (const Gpu& gpu : query_gpus())
    all[std::to_string(index++)] = {{"id", gpu.id},
                                    {"name", gpu.name},
                                    {"memory_total", gpu.memory_total},
                                    {"memory_free", gpu.memory_free},
                                    {"utilization_compute", gpu.utilization_compute},
                                    {"utilization_memory", gpu.utilization_memory}};
  return all;
}

json::object resident_models(const Residency& residency) {
  json::array models;
  for (const auto& row : residency.rows())
    models.push_back(json::object{{"id", row.id},
                                  {"bytes", row.bytes},
                                  {"device_bytes", row.device_bytes},
                                  {"on_device", row.on_device},
                                  {"pinned", row.pinned},
                                  {"one_by_one", row.one_by_one},
                                  {"runtime", row.description}});
  return {
      {"device_budget_bytes", residency.budget().device_bytes}, {"host_budget_bytes", residency.budget().host_bytes}, {"resident", models}};
}

}  // namespace

void add_probe_routes(net::Router& router, Identity identity, const InferenceQueue& queue, const Residency& residency) {
  // A batch runner is OK from its first moment, busy or not; ERROR makes a Livepeer node restart it.
  router.add("GET", "/health", [&queue](net::Request&, net::Response& response) -> net::Task<void> {
    const json::object body{{"status", queue.device_lost() ? "ERROR" : "OK"}};
    co_await send(response, body);
  });
  router.add("GET", "/hardware/info", [identity](net::Request&, net::Response& response) -> net::Task<void> {
    auto body = describe(identity);
    body["gpu_info"] = gpu_info();
    co_await send(response, body);
  });
  router.add("GET", "/hardware/stats", [identity, &residency](net::Request&, net::Response& response) -> net::Task<void> {
    auto body = describe(identity);
    body["gpu_stats"] = gpu_stats();
    body["models"] = resident_models(residency);
    co_await send(response, body);
  });
  router.add("GET", "/version", [identity](net::Request&, net::Response& response) -> net::Task<void> {
    auto body = describe(identity);
    body["version"] = identity.version;
    co_await send(response, body);
  });
}

}  // namespace kinora::runner
