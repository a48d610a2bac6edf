#include "orchestrator/job.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/log.hpp"
#include "orchestrator/relay.hpp"
#include "tasks/event.hpp"
#include "wire/byoc.hpp"

namespace kinora::orchestrator {
namespace {

namespace log = base::log;
using base::ErrorCode;
using Steady = std::chrono::steady_clock;
constexpr std::string_view kNoCapacity = "No capacity available for capability";

class Running {
 public:
  explicit Running(std::size_t& count) : count_(count) { ++count_; }
  ~Running() { --count_; }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  std::size_t& count_;
};

struct Job {
  wire::JobHeader header;
  std::string path;  // after /process/request/
  std::string body;
  std::string content_type;
  std::string accept;
  Steady::time_point begun;
  Steady::time_point deadline;
};

net::TlsTrust trust_of(const wire::Registration& worker) {
  return worker.tls_pin.empty() ? net::TlsTrust{} : net::TlsTrust::pinned(worker.tls_pin);
}

std::chrono::milliseconds left(const Job& job) {
  const auto rest = std::chrono::ceil<std::chrono::milliseconds>(job.deadline - Steady::now());
  return std::max(rest, std::chrono::milliseconds(1));
}

bool promises_heartbeats(const wire::Registration& worker) { return worker.ttl_s > 0; }

net::ClientRequest request_to(const wire::Registration& worker, const Job& job, const OrchestratorSettings& settings) {
  net::ClientRequest request;
  request.method = "POST";
  request.url = worker.url + "/" + job.path;
  request.headers.add("content-type", job.content_type);
  request.headers.add("accept", job.accept);
  if (!worker.token.empty()) request.headers.add("authorization", "Bearer " + worker.token);
  request.body = job.body;
  request.trust = trust_of(worker);
  request.deadline = left(job);
  // Longer than a gateway's patience: it gives a silent worker up sooner, but takes its result when that comes late.
  constexpr int kSilences = 5;
  request.idle = promises_heartbeats(worker) ? std::min(kSilences * settings.silence_timeout, left(job)) : left(job);
  return request;
}

// Learns from a finished stream: how fast the worker is, or that it failed by its own fault.
void learn(Orchestrator::State& state, const std::string& capability, const std::string& worker_url, const Relayed& relayed,
           double elapsed_s) {
  bool failed = relayed.worker_broke;
  if (!relayed.outcome_line.empty()) {
    const auto event = tasks::parse_event(relayed.outcome_line);
    if (!event || !*event) return;
    if (const auto* result = std::get_if<tasks::TaskResult>(&**event)) {
      return state.registry.measured(capability, worker_url, elapsed_s / std::max(1.0, result->units));
    }
    const auto* failure = std::get_if<tasks::TaskFailure>(&**event);
    failed = failure != nullptr && failure->fault == tasks::Fault::worker;
  }
  if (failed) state.registry.failed(capability, worker_url, state.clock());
}

void meter(Orchestrator::State& state, const Job& job, const wire::Registration& worker, std::string_view end, std::string_view reason) {
  const double elapsed = std::chrono::duration<double>(Steady::now() - job.begun).count();
  auto& usage = state.usage[job.header.capability];
  ++usage.jobs;
  usage.seconds += static_cast<std::uint64_t>(std::max(1.0, std::ceil(elapsed)));
  log::info("orchestrator", "job ended",
            {{"id", job.header.id},
             {"capability", job.header.capability},
             {"worker", worker.url},
             {"end", end},
             {"reason", reason},
             {"seconds", elapsed}});
}

// Counts the job once, however its coroutine ends: also when it is cancelled because the gateway went away.
class Metered {
 public:
  Metered(Orchestrator::State& state, const Job& job, const wire::Registration& worker) : state_(state), job_(job), worker_(worker) {}
  ~Metered() { meter(state_, job_, worker_, end_, reason_); }
  Metered(const Metered&) = delete;
  Metered& operator=(const Metered&) = delete;
  void ended(std::string_view end, std::string reason = {}) {
    end_ = end;
    reason_ = std::move(reason);
  }

 private:
  Orchestrator::State& state_;
  const Job& job_;
  const wire::Registration& worker_;
  std::string_view end_ = "canceled";
  std::string reason_;
};

// The worker took the job: its answer, whatever it is, is the job's.
Task<void> pass_on(Orchestrator::State& state, const Job& job, const wire::Registration& worker, net::ClientResponse& answer,
                   net::Response& response) {
  Metered metered(state, job, worker);
  if (answer.status() > 399) {
    // As the reference writes errors: text, whatever the worker's type was.
    auto text = co_await answer.read_all(kMaxErrorBytes);
    metered.ended("worker error", std::to_string(answer.status()));
    if (answer.status() >= 500) state.registry.failed(job.header.capability, worker.url, state.clock());
    net::Headers headers{{"content-type", "text/plain; charset=utf-8"},
                         {"livepeer-balance", "0"},
                         {"x-content-type-options", "nosniff"},
                         {"x-metadata", std::string(answer.headers().get("x-metadata").value_or(""))}};
    co_await response.send(answer.status(), std::move(headers), text.value_or("worker failed") + "\n");
    co_return;
  }
  RelayRules rules{.deadline = job.deadline, .heartbeat = std::nullopt, .events = false};
  rules.events = answer.headers().get("content-type").value_or("").starts_with("text/event-stream");
  if (rules.events && !promises_heartbeats(worker)) rules.heartbeat = state.settings.heartbeat;
  const auto relayed = co_await relay(answer, response, rules);
  metered.ended(relayed.complete ? "complete" : "broken", relayed.complete ? "" : relayed.reason);
  const double elapsed = std::chrono::duration<double>(Steady::now() - job.begun).count();
  learn(state, job.header.capability, worker.url, relayed, elapsed);
}

enum class Next { done, other_worker };

struct Tried {
  std::vector<std::string> workers;  // not to ask again for this job
  int status = 503;                  // what to say when no worker is left
  std::string text{kNoCapacity};
};

// Asks one worker. other_worker: it did not begin the job.
Task<Next> try_worker(Orchestrator::State& state, const Job& job, Assignment assignment, Tried& tried, net::Response& response) {
  const auto& worker = assignment.worker;
  state.sticky.remember(job.header.id, worker.url, state.clock());
  tried.workers.push_back(worker.url);
  auto answer = co_await state.client.send(request_to(worker, job, state.settings));
  if (!answer) {
    if (answer.error().code == ErrorCode::timeout && Steady::now() >= job.deadline) {
      Metered(state, job, worker).ended("timeout");
      co_await refuse(response, 500, "worker did not answer within timeout_seconds");
      co_return Next::done;
    }
    log::warn("orchestrator", "worker cannot be reached, its capabilities are removed",
              {{"worker", worker.url}, {"error", answer.error().message}});
    state.registry.remove_worker(worker.url);
    tried.status = 500;
    tried.text = "Error sending request to worker";
    co_return Next::other_worker;
  }
  if (answer->status() == 401) {
    log::warn("orchestrator", "worker refuses its own token, the capability is removed",
              {{"worker", worker.url}, {"capability", worker.name}});
    state.registry.remove(worker.name, worker.url);
    tried.status = 500;
    tried.text = "Worker refused the request";
    co_return Next::other_worker;
  }
  if (answer->status() == 503) {
    tried.status = 503;
    tried.text = kNoCapacity;
    co_return Next::other_worker;
  }
  co_await pass_on(state, job, worker, *answer, response);
  co_return Next::done;
}

}  // namespace

Task<void> process_job(Orchestrator::State& state, net::Request& request, net::Response& response) {
  const auto header = request.headers.get("livepeer");
  auto parsed = header ? wire::parse_job_header(*header) : base::fail(ErrorCode::invalid, "no Livepeer header");
  if (!parsed) co_return co_await refuse(response, 400, "Could not verify job creds: " + parsed.error().message);
  if (!state.workers().known(parsed->capability) || state.running >= state.settings.max_jobs) {
    co_return co_await refuse(response, 503, std::string(kNoCapacity));
  }
  Running running(state.running);
  Job job{.header = std::move(*parsed),
          .path = std::string(request.param("path")),
          .body = {},
          .content_type = std::string(request.headers.get("content-type").value_or("application/json")),
          .accept = std::string(request.headers.get("accept").value_or("*/*")),
          .begun = Steady::now(),
          .deadline = {}};
  auto body = co_await request.body->read_all(kMaxOrderBytes);
  if (!body) co_return co_await refuse(response, body.error().code == ErrorCode::too_large ? 413 : 400, body.error().message);
  job.body = std::move(*body);
  job.begun = Steady::now();
  job.deadline = job.begun + std::chrono::seconds(job.header.timeout_s);
  Tried tried;
  for (;;) {
    const auto prefer = state.sticky.worker_of(job.header.id, state.clock());
    auto assignment = state.workers().assign(job.header.capability, prefer, tried.workers, state.clock());
    if (!assignment) break;
    if (co_await try_worker(state, job, std::move(*assignment), tried, response) == Next::done) co_return;
  }
  co_await refuse(response, tried.status, tried.text);
}

}  // namespace kinora::orchestrator
