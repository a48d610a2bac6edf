#include "kinora/follow.hpp"

#include <fmt/format.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstdio>

namespace kinora::cli {

namespace json = base::json;

namespace {

bool ended(std::string_view status) {
  return status == "succeeded" || status == "partially_succeeded" || status == "failed" || status == "canceled" || status == "expired";
}

}  // namespace

int exit_status(const json::object& ended) {
  const std::string status(ended.at("status").as_string());
  if (status == "succeeded") return kExitOk;
  if (status == "canceled") return kExitInterrupted;
  const json::value* error = ended.if_contains("error");
  if (error != nullptr && error->is_object()) {
    const std::string code(error->at("code").as_string());
    if (code == "no_capacity" || code == "no_worker_offers" || code == "start_timeout") return kExitCapacity;
  }
  return kExitFailed;
}

net::Task<base::Result<json::object>> follow_run(ApiClient& api, const Context& context, std::string id, RunDisplay& display) {
  KINORA_CO_TRY(json::value first, co_await api.get("/v1/runs/" + id));
  RunTree tree(first.as_object());
  if (!context.json) display.show(tree, nullptr);
  if (!ended(tree.status()) || context.json) {
    KINORA_CO_OK(co_await api.follow("/v1/runs/" + id + "/events?after=0", [&](const net::SseEvent& event) {
      const auto envelope = base::parse_json(event.data);
      if (!envelope || !envelope->is_object()) return;
      if (context.json) {
        std::printf("%s\n", event.data.c_str());
        std::fflush(stdout);
        return;
      }
      const json::value* data = envelope->get_object().if_contains("data");
      if (data != nullptr && data->is_object()) display.show(tree, tree.apply(event.type, data->get_object()));
    }));
  }
  KINORA_CO_TRY(json::value last, co_await api.get("/v1/runs/" + id));
  display.finish(RunTree(last.as_object()), ending_text(last.as_object()), exit_status(last.as_object()) != kExitOk);
  co_return std::move(last.as_object());
}

std::string ending_text(const json::object& run) {
  const auto text = [](const json::object& from, std::string_view key) {
    const json::value* found = from.if_contains(key);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
  };
  std::string out = text(run, "id") + " " + text(run, "status");
  if (const json::value* degraded = run.if_contains("degraded"); degraded != nullptr && degraded->is_bool() && degraded->get_bool())
    out += ", but not all of it";
  if (const json::value* error = run.if_contains("error"); error != nullptr && error->is_object())
    out += ": " + text(error->get_object(), "detail") + " (" + text(error->get_object(), "code") + ")";
  constexpr std::size_t kShown = 10;
  if (const json::value* failures = run.if_contains("failures"); failures != nullptr && failures->is_array())
    for (std::size_t i = 0; i < failures->get_array().size(); ++i) {
      const json::value& failure = failures->get_array()[i];
      if (i == kShown) {
        out += fmt::format("\n  ... {} more", failures->get_array().size() - kShown);
        break;
      }
      if (!failure.is_object()) continue;
      const json::object& of = failure.get_object();
      const json::value* index = of.if_contains("index");
      out +=
          "\n  " + text(of, "step") + (index != nullptr && index->is_number() ? fmt::format("[{}]", index->to_number<int>()) : "") + ": ";
      if (const json::value* why = of.if_contains("error"); why != nullptr && why->is_object())
        out += text(why->get_object(), "detail") + " (" + text(why->get_object(), "code") + ")";
    }
  return out;
}

net::Task<base::Status> wait_for_offers(ApiClient& api, std::vector<std::string> tasks) {
  constexpr auto kPatience = std::chrono::seconds(20);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  boost::asio::steady_timer pause(co_await boost::asio::this_coro::executor);
  for (;;) {
    KINORA_CO_TRY(const json::value offered, co_await api.get("/v1/capabilities"));
    for (const json::value& offer : offered.at("tasks").as_array())
      if (offer.at("nodes").to_number<int>() > 0) std::erase(tasks, std::string_view(offer.at("task").as_string()));
    if (tasks.empty()) co_return base::Status{};
    if (std::chrono::steady_clock::now() > deadline)
      co_return base::fail(base::ErrorCode::exhausted,
                           "no node offers " + tasks.front() + " now; `kinora doctor` on the worker's machine tells what it lacks");
    pause.expires_after(std::chrono::milliseconds(250));
    co_await pause.async_wait(boost::asio::use_awaitable);
  }
}

}  // namespace kinora::cli
