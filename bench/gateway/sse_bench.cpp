// How soon events reach those who listen: a whole gateway with its store on this disk, 2 000 event streams over as many connections (plain
// HTTP/1.1 on loopback), the listeners on a thread of their own. Latency is the wall clock at the listener minus the event's own time,
// which is taken before its commit.
//   sse_bench [listeners]   prints one line of JSON for each case
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fstream>
#include <thread>

#include "base/log.hpp"
#include "base/time.hpp"
#include "gateway/gateway.hpp"
#include "gateway/test_folder.hpp"
#include "gateway/test_run.hpp"
#include "net/client.hpp"
#include "net/server.hpp"

namespace kinora::gateway {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

// A network of 4 places, each busy for 20 ms with a job that does nothing, once it is open: at most 200 jobs a second.
struct Quiet final : jobs::Executor {
  explicit Quiet(const bool& open_) : open(open_) {}
  jobs::Task<jobs::AttemptOutcome> run(jobs::AttemptRequest, jobs::AttemptObserver observer) override {
    struct Place {
      explicit Place(unsigned& count_) : count(count_) { ++count; }
      ~Place() { --count; }
      unsigned& count;
    } const place(running);
    observer.on_event(tasks::Accepted{"worker", "cpu", 0});
    asio::steady_timer timer(co_await asio::this_coro::executor, 20ms);
    co_await timer.async_wait(asio::use_awaitable);
    tasks::TaskResult result;
    result.outputs["ping"] = base::json::object{{"worker", "bench"}};
    co_return jobs::outcome::Succeeded{std::move(result), "https://node"};
  }
  unsigned free_slots(std::string_view, std::string_view) const override { return open && running < kPlaces ? kPlaces - running : 0; }
  static constexpr unsigned kPlaces = 4;
  unsigned running = 0;
  const bool& open;
};

struct Node {
  Node() {
    Network network;
    network.make_executor = [this](const OrderLinks&) { return std::make_unique<Quiet>(open); };
    network.nodes = []() -> net::Task<std::vector<market::NodeStatus>> { co_return std::vector<market::NodeStatus>{}; };
    network.on_change = [this](std::function<void()> listener) { changed = std::move(listener); };
    GatewaySettings settings;
    settings.data_dir = folder / "data";
    gateway = std::move(*Gateway::open(loop.get_executor(), settings, proc::MediaTool(loop.get_executor(), {}), std::move(network)));
    net::ServerSettings listen;
    listen.plain_on_loopback = true;
    server = std::make_unique<net::Server>(loop.get_executor(), listen, gateway->handler());
    if (!server->listen()) std::abort();
    asio::co_spawn(loop, server->run(), asio::detached);
    key = **run_to_end(loop, gateway->ensure_first_key());
    if (!run_to_end(loop, gateway->start())) std::abort();
  }
  std::string submit() {
    net::ClientRequest request;
    request.method = "POST";
    request.url = "http://127.0.0.1:" + std::to_string(server->port()) + "/v1/jobs";
    request.headers = {{"authorization", "Bearer " + key}, {"content-type", "application/json"}};
    request.body = R"({"task":"ping"})";
    return run_to_end(loop, [](net::Client& to, net::ClientRequest what) -> net::Task<std::string> {
      auto answer = co_await to.send(std::move(what));
      const auto body = co_await answer->read_all(1 << 20);
      co_return std::string(base::json::parse(*body).at("id").as_string());
    }(client, std::move(request)));
  }
  void release() {
    open = true;
    changed();
  }
  asio::io_context loop;
  TestFolder folder;
  bool open = false;
  std::function<void()> changed;
  std::unique_ptr<Gateway> gateway;
  std::unique_ptr<net::Server> server;
  net::Client client{loop.get_executor()};
  std::string key;
};

struct Listeners {
  std::atomic<int> ready = 0, ended = 0;
  std::vector<double> latency_ms;  // of the listeners' thread
  net::Task<void> listen(std::uint16_t port, std::string key, std::string job) {
    asio::ip::tcp::socket socket(co_await asio::this_coro::executor);
    co_await socket.async_connect({asio::ip::make_address("127.0.0.1"), port}, asio::use_awaitable);
    const std::string head = "GET /v1/jobs/" + job + "/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer " + key + "\r\n\r\n";
    co_await asio::async_write(socket, asio::buffer(head), asio::use_awaitable);
    std::string in;
    for (;;) {
      const std::size_t size = co_await asio::async_read_until(socket, asio::dynamic_buffer(in), "\n\n", asio::use_awaitable);
      const std::string_view event = std::string_view(in).substr(0, size);
      if (event.find("event: snapshot") != std::string_view::npos) ++ready;
      if (event.find("event: end") != std::string_view::npos) {
        ++ended;
        co_return;
      }
      constexpr std::string_view kTime = R"("time":")";
      if (const auto at = event.find(kTime); at != std::string_view::npos && event.find("event: job.") != std::string_view::npos) {
        const auto time = base::from_rfc3339(event.substr(at + kTime.size(), 24));
        if (time) latency_ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::system_clock::now() - *time).count());
      }
      in.erase(0, size);
    }
  }
};

void measure(const char* name, int count, bool one_job) {
  Node node;
  std::vector<std::string> jobs;
  for (int i = 0; i < (one_job ? 1 : count); ++i) jobs.push_back(node.submit());
  Listeners listeners;
  asio::io_context loop;
  for (int i = 0; i < count; ++i)
    asio::co_spawn(loop, listeners.listen(node.server->port(), node.key, jobs[one_job ? 0 : static_cast<std::size_t>(i)]), asio::detached);
  std::thread thread([&] { loop.run(); });
  node.loop.restart();
  while (listeners.ready < count) node.loop.run_one_for(100ms);
  const auto began = std::chrono::steady_clock::now();
  node.release();
  while (listeners.ended < count) node.loop.run_one_for(100ms);
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  thread.join();
  auto& all = listeners.latency_ms;
  std::ranges::sort(all);
  const auto at = [&](double share) { return all[static_cast<std::size_t>(share * static_cast<double>(all.size() - 1))]; };
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print(
      "{{\"case\":\"{}\",\"listeners\":{},\"deliveries\":{},\"seconds\":{:.2f},\"p50_ms\":{:.1f},\"p99_ms\":{:.1f},\"max_ms\":{:.1f},"
      "\"peak_rss_mb\":{}}}\n",
      name, count, all.size(), took, at(0.5), at(0.99), all.back(), usage.ru_maxrss / 1024);
  // The server's loop has detached coroutines of its own: the process ends without waiting for them.
  node.server->stop(0ms);
  node.loop.restart();
  node.loop.run_for(500ms);
  run_to_end(node.loop, node.gateway->stop());
}

}  // namespace
}  // namespace kinora::gateway

int main(int argc, char** argv) {
  kinora::base::log::configure(kinora::base::log::Level::off, false);
  const int count = argc > 1 ? std::atoi(argv[1]) : 2000;
  kinora::gateway::measure("each listens to a job of its own", count, false);
  kinora::gateway::measure("all listen to one job", count, true);
}
