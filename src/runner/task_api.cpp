#include "runner/task_api.hpp"

#include <boost/asio/this_coro.hpp>

#include "nn/device.hpp"
#include "runner/event_box.hpp"
#include "tasks/event.hpp"

namespace kinora::runner {
namespace {

namespace asio = boost::asio;
namespace json = base::json;

net::Headers json_headers() { return {{"content-type", "application/json"}}; }

net::Task<void> send_error(net::Response& response, int status, std::string_view code, std::string detail,
                           net::Headers headers = json_headers()) {
  const auto body = tasks::to_json(tasks::TaskEvent(tasks::failure(code, std::move(detail))));
  co_await response.send(status, std::move(headers), json::serialize(body));
}

std::string line(const tasks::TaskEvent& event) { return "data: " + json::serialize(tasks::to_json(event)) + "\n\n"; }

// Sends events until the outcome; false when the client is gone.
net::Task<bool> stream_events(net::Response& response, EventBox& box) {
  std::optional<tasks::TaskEvent> last;
  auto said = net::Clock::now();
  for (;;) {
    auto event = co_await box.next(net::Clock::now() + kRepeat);
    std::string text;
    if (event) {
      text = line(*event);
      if (!std::holds_alternative<tasks::Progress>(*event)) {
        co_return (co_await response.write(std::move(text))).has_value();
      }
      last = std::move(event);
    } else if (last) {
      text = line(*last);
    } else if (net::Clock::now() - said >= kHeartbeat) {
      text = ": hb\n\n";
    } else {
      continue;
    }
    said = net::Clock::now();
    if (!co_await response.write(std::move(text))) co_return false;
  }
}

net::Task<void> post_task(net::Request& request, net::Response& response, const RunnerSettings& settings, InferenceQueue& queue) {
  if (!request.peer.loopback) co_return co_await send_error(response, 403, "forbidden", "tasks are taken from this machine only");
  const auto body = co_await request.body->read_all(kMaxTaskBodyBytes);
  if (!body) {
    const bool large = body.error().code == base::ErrorCode::too_large;
    co_return co_await send_error(response, large ? 413 : 400, large ? "body_too_large" : "invalid_json", body.error().message);
  }
  auto parsed = parse_task_request(request.param("task"), *body, settings.work_dir);
  if (!parsed) {
    const bool unknown = parsed.error().code == base::ErrorCode::not_found;
    co_return co_await send_error(response, unknown ? 404 : 400, unknown ? "task_not_found" : "schema_invalid", parsed.error().message);
  }
  const auto box = std::make_shared<EventBox>(co_await asio::this_coro::executor);
  const auto ticket = queue.submit(*std::move(parsed), [box](tasks::TaskEvent event) { box->put(std::move(event)); });
  if (!ticket) {
    auto headers = json_headers();
    headers.add("retry-after", "1");
    co_return co_await send_error(response, 503, "no_capacity", "the runner's queue is full", std::move(headers));
  }
  const StopAtEnd stop(ticket);
  // Not inside the co_await: GCC 12 cannot keep an initializer list over a suspension.
  net::Headers headers{{"content-type", "text/event-stream"}, {"cache-control", "no-store"}};
  if (!co_await response.start(200, std::move(headers))) co_return;
  if (!co_await stream_events(response, *box)) co_return;
  if (!co_await response.write("data: [DONE]\n\n")) co_return;
  co_await response.finish();
}

}  // namespace

void add_task_routes(net::Router& router, const RunnerSettings& settings, const ModelStore& models, InferenceQueue& queue) {
  router.add("POST", "/tasks/{task}", [&settings, &queue](net::Request& request, net::Response& response) -> net::Task<void> {
    co_await post_task(request, response, settings, queue);
  });
  router.add("GET", "/models", [&models](net::Request&, net::Response& response) -> net::Task<void> {
    co_await response.send(200, json_headers(), json::serialize(models.list()));
  });
  router.add("GET", "/native/info", [&settings, &models, &queue](net::Request&, net::Response& response) -> net::Task<void> {
    const json::object info{{"device", settings.device},         {"guidance_device", settings.guidance_device},
                            {"devices", nn::describe_devices()}, {"load", queue.load()},
                            {"queue_depth", kQueueDepth},        {"models", models.list()}};
    co_await response.send(200, json_headers(), json::serialize(info));
  });
}

}  // namespace kinora::runner
