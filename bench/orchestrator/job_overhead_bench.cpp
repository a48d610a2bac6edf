// What the network adds to a job that does nothing: market -> orchestrator -> worker over loopback TLS, 8 at a time, beside
// the same number of plain requests from the client straight to the worker, in the same process and run. All three parties
// share one thread, so the figures hold everything that a no-op job costs this machine.
//
//   job_overhead_bench [jobs]
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "base/log.hpp"
#include "market/loopback.hpp"

namespace {

using namespace kinora;
using namespace kinora::loopback;
using Steady = std::chrono::steady_clock;
constexpr int kConcurrent = 8;
constexpr double kLimitP50Ms = 5;
constexpr double kLimitP99Ms = 20;

struct Figures {
  double p50 = 0;
  double p99 = 0;
  double per_second = 0;
};

// Runs `jobs` calls, kConcurrent at a time, and measures each.
Figures measure(Loop& loop, int jobs, const std::function<Task<bool>()>& call) {
  std::vector<double> times;
  int next = 0;
  int ended = 0;
  const auto lane = [&]() -> Task<bool> {
    while (next < jobs) {
      ++next;
      const auto begun = Steady::now();
      if (!co_await call()) co_return false;
      times.push_back(std::chrono::duration<double, std::milli>(Steady::now() - begun).count());
    }
    co_return true;
  };
  const auto begun = Steady::now();
  for (int i = 0; i < kConcurrent; ++i) {
    boost::asio::co_spawn(loop.executor(), lane(), [&](std::exception_ptr error, bool good) {
      if (error || !good) {
        fmt::print(stderr, "a call failed\n");
        std::exit(1);
      }
      ++ended;
    });
  }
  // In steps, because the loop takes a long wait for a hang.
  for (std::size_t step = 500; ended < kConcurrent; step += 500) loop.until([&] { return ended == kConcurrent || times.size() >= step; });
  const double seconds = std::chrono::duration<double>(Steady::now() - begun).count();
  std::sort(times.begin(), times.end());
  const auto at = [&](double share) {
    return times[std::min(times.size() - 1, static_cast<std::size_t>(share * static_cast<double>(times.size())))];
  };
  return {at(0.5), at(0.99), static_cast<double>(times.size()) / seconds};
}

void print(const char* name, const Figures& figures) {
  fmt::print("{:<34} p50 {:7.3f} ms   p99 {:7.3f} ms   {:8.0f}/s\n", name, figures.p50, figures.p99, figures.per_second);
}

}  // namespace

int main(int count, char** arguments) {
  const int jobs = count > 1 ? std::max(100, std::atoi(arguments[1])) : 4000;
  base::log::configure(base::log::Level::off, false);
  Loop loop;
  net::Client client(loop.executor());
  TestWorker worker(loop, "w", answering_after(std::chrono::milliseconds(0)));
  TestOrchestrator orchestrator(loop);
  const auto registration = worker.registration(64);
  if (orchestrator.enlist(registration) != 200) return 1;
  market::MarketSettings settings;
  settings.orchestrators = {orchestrator.url()};
  market::Market market(loop.executor(), client, settings);

  const auto direct = [&]() -> Task<bool> {
    net::ClientRequest request{
        .method = "POST", .url = registration.url + "/ping", .headers = {{"content-type", "application/json"}}, .body = "{}"};
    request.trust = net::TlsTrust::pinned(registration.tls_pin);
    auto answer = co_await client.send(std::move(request));
    co_return answer && (co_await answer->read_all(1 << 20)).has_value();
  };
  const auto networked = [&]() -> Task<bool> {
    const auto outcome = co_await market.run("ping", ping_order(), {}, {});
    co_return outcome.kind == market::Outcome::Kind::succeeded;
  };
  measure(loop, 200, direct);
  measure(loop, 200, networked);
  const auto plain = measure(loop, jobs, direct);
  const auto job = measure(loop, jobs, networked);
  fmt::print("{} threads, {} jobs, {} at a time, one thread for all parties\n", std::thread::hardware_concurrency(), jobs, kConcurrent);
  print("client -> worker", plain);
  print("market -> orchestrator -> worker", job);
  fmt::print("ratio p50 {:.2f}, added p50 {:.3f} ms, added p99 {:.3f} ms\n", job.p50 / plain.p50, job.p50 - plain.p50, job.p99 - plain.p99);
  const bool good = job.p50 <= kLimitP50Ms && job.p99 <= kLimitP99Ms;
  fmt::print("{}: limits are p50 <= {} ms and p99 <= {} ms\n", good ? "within" : "PAST", kLimitP50Ms, kLimitP99Ms);
  client.close();
  return good ? 0 : 1;
}
