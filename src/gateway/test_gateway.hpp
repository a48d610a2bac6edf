#pragma once
// A gateway behind a real server on a loopback port, a worker that reaches it as real ones do (signed GETs, PUTs with its token),
// and a client: what a black-box test of the API needs.
//
// kinora-media's place is taken by a shell script that knows a file by its first bytes: the real
// program and the real network are used by the functional tests.
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "gateway/gateway.hpp"
#include "gateway/test_folder.hpp"
#include "gateway/test_run.hpp"
#include "net/client.hpp"
#include "net/server.hpp"

namespace kinora::gateway {

namespace json = base::json;

struct HttpAnswer {
  int status = 0;
  net::Headers headers;
  std::string body;
  json::value value;         // of a JSON body, else null
  std::string code() const;  // of a problem
  const json::value& operator[](std::string_view key) const { return value.at(key); }
};

// Plays the network: each attempt goes to `work`.
class TestWorker final : public jobs::Executor {
 public:
  using Work = std::function<net::Task<jobs::AttemptOutcome>(jobs::AttemptRequest, jobs::AttemptObserver)>;
  explicit TestWorker(const OrderLinks& links_, std::shared_ptr<Work> work_) : links(links_), work(std::move(work_)) {}
  jobs::Task<jobs::AttemptOutcome> run(jobs::AttemptRequest request, jobs::AttemptObserver observer) override;
  unsigned free_slots(std::string_view, std::string_view) const override { return 4; }

 private:
  const OrderLinks& links;
  std::shared_ptr<Work> work;
};

class GatewayTest : public testing::Test {
 protected:
  GatewayTest() : GatewayTest(GatewaySettings{}) {}
  explicit GatewayTest(GatewaySettings settings);
  ~GatewayTest() override;

  // Opens a gateway over the folder as it is, and a server for it.
  void open();
  void close();

  // One request. A path is completed to a URL; the first key is used unless the headers hold an Authorization of their own ("" for none).
  HttpAnswer send(std::string method, std::string target, std::string body = {}, net::Headers headers = {});
  HttpAnswer get(std::string target, net::Headers headers = {}) { return send("GET", std::move(target), {}, std::move(headers)); }
  HttpAnswer post(std::string target, const json::value& body, net::Headers headers = {});
  net::Task<HttpAnswer> request(std::string method, std::string target, std::string body, net::Headers headers);

  // Uploads and completes; the artifact's id.
  std::string upload(std::string bytes, std::string filename = "a.png", std::string mime = "image/png");
  std::string key_with(std::vector<std::string> scopes);
  template <class T>
  T run(net::Task<T> task) {
    return run_to_end(context, std::move(task));
  }
  // Runs the context until `done` holds, at most 10 s.
  void run_until(std::function<bool()> done);

  boost::asio::io_context context;
  TestFolder folder;
  GatewaySettings settings_;
  std::chrono::milliseconds skew{};  // how far the gateway's clock is ahead of the wall clock
  std::shared_ptr<TestWorker::Work> work = std::make_shared<TestWorker::Work>();
  net::Client client{context.get_executor()};
  std::unique_ptr<Gateway> gateway;
  std::unique_ptr<net::Server> server;
  bool server_ended = false;
  std::string url;
  std::string key;  // of every scope
};

// What a worker answers to a ping.
jobs::AttemptOutcome pinged();

// The smallest PNG's first bytes: what the script takes for a picture of 4x2 pixels.
std::string tiny_png();

}  // namespace kinora::gateway
