#pragma once
// For tests of this room: a whole worker on loopback; the test plays orchestrator and gateway.
#include <gtest/gtest.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fstream>

#include "base/ulid.hpp"
#include "net/sse.hpp"
#include "worker/loopback_test.hpp"
#include "worker/worker.hpp"

namespace kinora::worker {

class WorkerFixture : public ::testing::Test {
 protected:
  boost::asio::io_context loop_;
  TestFolder folder_;
  TestGateway gateway_{loop_};
  net::Client client_{loop_.get_executor()};
  WorkerSettings settings_;
  std::optional<Worker> worker_;
  net::Router router_;
  std::optional<net::testing::TestServer> server_;
  base::UlidSource ulids_;

  void SetUp() override {
    gateway_.inputs["clip"] = noise(300'000);
    settings_.name = "w1";
    settings_.work_dir = folder_.path() / "work";
    settings_.media_slots = 2;
    settings_.token = "worker-token";
    settings_.timings.transfer_retry = std::chrono::milliseconds(1);
    settings_.media_reach = net::Reach::anywhere;  // the test's gateway is on loopback
  }
  void start() {
    worker_.emplace(loop_.get_executor(), settings_, client_);
    const auto opened = worker_->open();
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    worker_->routes(router_);
    server_.emplace(loop_, [this](net::Request& request, net::Response& response) { return router_.route(request, response); });
  }
  void TearDown() override {
    if (worker_) net::testing::run(loop_, until([&] { return worker_->running() == 0; }));
  }
  std::string attempt_id() { return ulids_.next_id("att", base::UnixMillis(std::chrono::milliseconds(1))); }

  boost::json::object order(const std::string& task, std::string attempt) {
    boost::json::object input{{"url", gateway_.url("/in/clip")},
                              {"name", "clip.mp4"},
                              {"bytes", gateway_.inputs["clip"].size()},
                              {"sha256", sha256_of(gateway_.inputs["clip"])}};
    boost::json::array inputs;
    const auto add = [&](const char* slot) {
      input["slot"] = slot;
      inputs.push_back(input);
    };
    if (task == "join") {
      add("source");
      add("chunk");
    } else if (task != "ping") {
      add(task == "probe" ? "media" : "video");
    }
    return {{"version", 1},
            {"attempt", std::move(attempt)},
            {"task", task},
            {"model", nullptr},
            {"params", boost::json::object()},
            {"inputs", std::move(inputs)},
            {"upload", boost::json::object{{"url", gateway_.url("/out/")}, {"token", gateway_.token}}},
            {"deadline_s", 60}};
  }
  net::ClientRequest post(const boost::json::object& body, const std::string& task, const std::string& token = "worker-token") {
    net::ClientRequest request;
    request.method = "POST";
    request.url = server_->url("/process/" + task, false);
    request.headers = {{"authorization", "Bearer " + token}, {"content-type", "application/json"}};
    request.body = boost::json::serialize(body);
    return request;
  }
  // Sends the order and collects its events until the stream's end; `on_event` sees each as it comes.
  net::Task<std::vector<boost::json::object>> events(boost::json::object body,
                                                     std::function<void(const boost::json::object&)> on_event = {}) {
    const std::string task(body.at("task").as_string());
    auto answer = co_await client_.send(post(body, task));
    std::vector<boost::json::object> out;
    if (!answer) {
      ADD_FAILURE() << answer.error().message;
      co_return out;
    }
    EXPECT_EQ(answer->status(), 200);
    EXPECT_EQ(answer->headers().get("content-type"), "text/event-stream");
    net::SseParser parser;
    for (;;) {
      const auto piece = co_await answer->read();
      if (!piece || piece->empty()) break;
      const auto parsed = parser.feed(*piece);
      for (const auto& event : *parsed) {
        if (event.data == "[DONE]") {
          out.push_back({{"type", "DONE"}});
          continue;
        }
        out.push_back(boost::json::parse(event.data).as_object());
        if (on_event) on_event(out.back());
      }
    }
    co_return out;
  }
  std::vector<boost::json::object> all_events(const std::string& task) {
    return net::testing::run(loop_, events(order(task, attempt_id())));
  }
  int status_of(net::ClientRequest request) {
    return net::testing::run(loop_, [&]() -> net::Task<int> {
      auto answer = co_await client_.send(std::move(request));
      co_return answer ? answer->status() : -1;
    }());
  }
  static boost::json::object failure_in(const std::vector<boost::json::object>& all) {
    return all.size() >= 2 && all[all.size() - 2].contains("error") ? all[all.size() - 2].at("error").as_object()
                                                                    : boost::json::object{{"code", "none"}};
  }
  net::Task<void> until(std::function<bool()> condition) {
    boost::asio::steady_timer timer(loop_);
    while (!condition()) {
      timer.expires_after(std::chrono::milliseconds(2));
      co_await timer.async_wait(boost::asio::use_awaitable);
    }
  }
  bool no_attempt_left() const { return std::filesystem::is_empty(settings_.work_dir / "attempts"); }
};

}  // namespace kinora::worker
