// What a no-op job costs from the outside: a client posts `ping` jobs to the public API over loopback TLS, 8 at a time, and waits for
// each to end. The whole network is the real `kinora up` in a process of its own (gateway, orchestrator, worker; every job durable, a
// commit before it is accepted and one when it ends). Beside it, in the same run and on the same connections: GET /healthz, which is
// what HTTP and TLS alone cost.
//
//   public_job_bench [jobs]
#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

#include "base/json.hpp"
#include "net/client.hpp"
#include "proc/process.hpp"
#include "proc/programs.hpp"

namespace {

using namespace kinora;
using Steady = std::chrono::steady_clock;
namespace fs = std::filesystem;
namespace asio = boost::asio;
constexpr int kConcurrent = 8;
constexpr double kLimitP50Ms = 5;
constexpr double kLimitP99Ms = 20;

template <class T>
T must(base::Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return *std::move(result);
}

std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + file.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

class Home {
 public:
  Home() {
    std::string name = (fs::temp_directory_path() / "kinora-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a folder for the network");
    path_ = name;
  }
  ~Home() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Home(const Home&) = delete;
  Home& operator=(const Home&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// Sends one kind of request again and again.
class Caller {
 public:
  Caller(net::Client& client, net::ClientRequest request, std::string expected)
      : client_(client), request_(std::move(request)), expected_(std::move(expected)) {}

  net::Task<void> once() {
    auto answer = must(co_await client_.send(request_));
    const std::string body = must(co_await answer.read_all(1 << 20));
    if (answer.status() != 200 || body.find(expected_) == std::string::npos)
      throw std::runtime_error(fmt::format("status {}: {}", answer.status(), body));
  }

  // Milliseconds of each of `count` calls, kConcurrent at a time, in ascending order.
  net::Task<std::vector<double>> measure(int count) {
    std::vector<double> times;
    int left = count, running = kConcurrent;
    std::exception_ptr failure;
    asio::steady_timer all_ended(co_await asio::this_coro::executor, Steady::time_point::max());
    const auto lane = [&]() -> net::Task<void> {
      while (left > 0) {
        --left;
        const auto begun = Steady::now();
        co_await once();
        times.push_back(std::chrono::duration<double, std::milli>(Steady::now() - begun).count());
      }
    };
    for (int i = 0; i < kConcurrent; ++i)
      asio::co_spawn(co_await asio::this_coro::executor, lane(), [&](std::exception_ptr thrown) {
        if (thrown) failure = thrown;
        if (--running == 0) all_ended.cancel();
      });
    boost::system::error_code ignored;
    co_await all_ended.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    if (failure) std::rethrow_exception(failure);
    std::sort(times.begin(), times.end());
    co_return times;
  }

 private:
  net::Client& client_;
  net::ClientRequest request_;
  std::string expected_;
};

double at(const std::vector<double>& sorted, double share) {
  return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(share * static_cast<double>(sorted.size())))];
}

void print(const char* name, const std::vector<double>& times, double seconds) {
  fmt::print("{:<28} p50 {:7.3f} ms   p99 {:7.3f} ms   {:7.0f}/s\n", name, at(times, 0.5), at(times, 0.99),
             static_cast<double>(times.size()) / seconds);
}

net::Task<bool> run(int jobs) {
  const Home home;
  const auto executor = co_await asio::this_coro::executor;
  auto environment = proc::inherited_environment();
  environment.push_back("KINORA_HOME=" + home.path().string());
  auto network = must(proc::Process::start(executor, {.program = must(proc::find_program("kinora")),
                                                      .arguments = {"up", "--listen", "127.0.0.1:0", "--device", "none", "--json"},
                                                      .environment = environment}));
  const auto hello = must(co_await network.read_line());
  if (!hello) throw std::runtime_error("the network did not start: " + network.stderr_tail());
  std::string url(must(base::parse_json(*hello)).at("api").as_string());
  url.replace(0, url.find(':'), "https");  // the same port answers both
  const auto trust = net::TlsTrust::pinned(must(net::pin_of_certificate(text_of(home.path() / "tls/gateway/cert.pem"))));
  std::string key = text_of(home.path() / "secrets/api-key");
  key.erase(key.find_last_not_of('\n') + 1);

  net::Client client(executor);
  Caller health(client, {.method = "GET", .url = url + "/healthz", .trust = trust}, "");
  Caller job(client,
             {.method = "POST",
              .url = url + "/v1/jobs",
              .headers = {{"authorization", "Bearer " + key}, {"content-type", "application/json"}},
              .body = R"({"task":"ping","wait_s":30})",
              .trust = trust,
              .deadline = std::chrono::seconds(40)},
             R"("status":"succeeded")");
  (void)co_await health.measure(200);
  (void)co_await job.measure(200);
  auto begun = Steady::now();
  const auto plain = co_await health.measure(jobs);
  print("GET /healthz", plain, std::chrono::duration<double>(Steady::now() - begun).count());
  begun = Steady::now();
  const auto whole = co_await job.measure(jobs);
  print("no-op job, POST to its end", whole, std::chrono::duration<double>(Steady::now() - begun).count());
  client.close();
  (void)co_await network.terminate(std::chrono::seconds(10));
  const bool good = at(whole, 0.5) <= kLimitP50Ms && at(whole, 0.99) <= kLimitP99Ms;
  fmt::print("{}: limits are p50 <= {} ms and p99 <= {} ms\n", good ? "within" : "PAST", kLimitP50Ms, kLimitP99Ms);
  co_return good;
}

}  // namespace

int main(int count, char** arguments) {
  const int jobs = count > 1 ? std::max(100, std::atoi(arguments[1])) : 4000;
  fmt::print("{} threads, {} jobs, {} at a time; client and network share the machine\n", std::thread::hardware_concurrency(), jobs,
             kConcurrent);
  asio::io_context loop;
  int status = 1;
  asio::co_spawn(loop, run(jobs), [&](std::exception_ptr thrown, bool good) {
    status = good ? 0 : 1;
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const std::exception& error) {
      fmt::print(stderr, "public_job_bench: {}\n", error.what());
      status = 1;
    }
    loop.stop();
  });
  loop.run();
  return status;
}
