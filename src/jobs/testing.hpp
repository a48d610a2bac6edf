#pragma once
// For tests of the engine: a network that does what a script says, over a real database and real blobs.
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "jobs/engine.hpp"
#include "store/testing.hpp"

namespace kinora::jobs::testing {

namespace asio = boost::asio;

// Stands for market, orchestrators and workers.
class ScriptedNetwork final : public Executor {
 public:
  using Script = std::function<Task<AttemptOutcome>(AttemptRequest, AttemptObserver)>;

  Task<AttemptOutcome> run(AttemptRequest request, AttemptObserver observer) override {
    struct Busy {
      explicit Busy(ScriptedNetwork& network_) : network(network_) {
        ++network.busy;
        network.most_busy = std::max(network.most_busy, network.busy);
      }
      ~Busy() { --network.busy; }
      ScriptedNetwork& network;
    } const now(*this);
    if (keep_calls) calls.push_back(request);
    ++runs;
    co_return co_await script(std::move(request), std::move(observer));
  }
  unsigned free_slots(std::string_view, std::string_view) const override { return slots > busy ? slots - busy : 0; }

  Script script;
  std::vector<AttemptRequest> calls;
  bool keep_calls = true;
  unsigned runs = 0, busy = 0, most_busy = 0;
  unsigned slots = 4;
};

class ScriptedVerifier final : public Verifier {
 public:
  Task<base::Status> verify(const tasks::TaskOrder& order, const tasks::TaskResult&, const std::vector<DeliveredFile>&,
                            Strictness strictness) override {
    ++asked;
    strictest = std::max(strictest, strictness);
    co_return verdict ? verdict(order) : base::Status();
  }
  // Results are equal when their outputs are; the score is what a result says of itself.
  Task<base::Result<bool>> same(const tasks::TaskOrder&, const tasks::TaskResult& a, const tasks::TaskResult& b) override {
    co_return a.outputs.at("ping").at("value") == b.outputs.at("ping").at("value");
  }
  Task<base::Result<double>> score(const tasks::TaskOrder&, const tasks::TaskResult& result) override {
    co_return result.outputs.at("ping").at("value").to_number<double>();
  }
  std::function<base::Status(const tasks::TaskOrder&)> verdict;
  int asked = 0;
  Strictness strictest = Strictness::structural;
};

// One gateway's worth of parts; restart() is a kill and a new start over the same files.
class World {
 public:
  explicit World(EngineSettings settings = {}) : settings_(settings) { start(); }
  ~World() { kill(); }

  void start() {
    dead = false;
    pool = std::make_unique<asio::thread_pool>(2);
    context = std::make_unique<asio::io_context>();
    const auto allow = [this] { return !dead && commits_left.fetch_sub(1) > 0; };
    database = *store::Database::open(context->get_executor(), {.path = folder.path() / "db", .max_group = 256, .allow_commit = allow});
    blobs = *store::Blobs::open(context->get_executor(), *pool, folder.path() / "blobs");
    engine = std::make_unique<Engine>(context->get_executor(), *database, *blobs, network, verifier, settings_, [this] { return now; });
  }
  // As kill -9: nothing is asked, nothing is awaited.
  void kill() {
    if (!context) return;
    dead = true;  // what is still queued for the database never reaches the disk
    engine.reset();
    database.reset();
    pool->join();
    context.reset();
    blobs.reset();
    pool.reset();
  }
  base::Status recover() { return store::testing::run(*context, engine->recover()); }
  template <class T>
  T run(Task<T> task) {
    return store::testing::run(*context, std::move(task));
  }
  void advance(std::chrono::milliseconds time) {
    now += time;
    engine->wake();
  }
  // Lets everything run that is not waiting for a time to come, until the condition holds (or ten seconds have passed: false).
  bool until(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    context->restart();
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      context->run_one_for(std::chrono::milliseconds(2));
      if (context->stopped()) context->restart();
    }
    return true;
  }
  bool until_idle() {
    return until([this] { return engine->counts().active_jobs == 0; });
  }

  Outcome<SubmitAnswer> submit(json::value body, std::optional<IdempotencyScope> idempotency = std::nullopt) {
    return run(engine->submit(
        {.project = "proj_1", .key = "key_1", .body = std::move(body), .idempotency = std::move(idempotency), .trace_id = std::nullopt}));
  }
  std::string submit_ok(json::value body) {
    auto answer = submit(std::move(body));
    return answer ? answer->job.id : "refused: " + answer.error().code + " " + answer.error().detail;
  }
  Job job(const std::string& id) { return *run(engine->get("proj_1", id)); }
  std::vector<Event> events(const std::string& subject) {
    return *run(engine->events({.project = "proj_1", .subject = subject, .after = 0, .limit = 1000}));
  }
  // "job.created job.queued ...", progress left out; "GAP" when seq is not 1, 2, 3 ...
  std::string history(const std::string& subject) {
    std::string out;
    std::int64_t seq = 0;
    for (const Event& event : events(subject)) {
      if (event.seq != ++seq) return "GAP";
      if (event.type != "job.progress") out += (out.empty() ? "" : " ") + event.type;
    }
    return out;
  }
  store::Blob put(std::string bytes) {
    return *run([](store::Blobs& to, std::string content) -> Task<base::Result<store::Blob>> {
      auto writer = co_await to.create(1 << 20);
      static_cast<void>(co_await writer->append(std::move(content)));
      co_return co_await writer->commit();
    }(*blobs, std::move(bytes)));
  }
  // An artifact as after POST /v1/artifacts.
  std::string artifact(std::string mime, json::value media = nullptr, std::string bytes = "media") {
    return run(engine->create_artifact({.project = "proj_1",
                                        .filename = "clip.mp4",
                                        .mime = std::move(mime),
                                        .media = std::move(media),
                                        .source = {},
                                        .retention_s = std::nullopt},
                                       put(std::move(bytes))))
        ->id;
  }

  // A worker's way: Accepted, one Progress, files by PUT, the result.
  Task<AttemptOutcome> work(AttemptRequest request, AttemptObserver observer, std::vector<std::pair<std::string, std::string>> files,
                            json::object outputs = {}, std::string mime = "video/mp4") {
    observer.on_node("node-a");
    observer.on_event(tasks::Accepted{"worker-1", "cpu", 0});
    observer.on_event(tasks::Progress{0.5, "run", 5, 10, "frame", 25.0, std::nullopt});
    tasks::TaskResult result;
    result.outputs = std::move(outputs);
    for (auto& [slot, name] : files) {
      auto writer = co_await blobs->create(1 << 20);
      static_cast<void>(co_await writer->append(request.order.attempt + name));
      auto blob = co_await writer->commit();
      const auto added = co_await engine->add_attempt_file(request.order.attempt, name, *blob);
      if (!added) co_return outcome::Failed{tasks::failure("transfer_failed", added.error().detail), "node-a"};
      result.files.push_back({slot, name, blob->bytes(), blob->sha256(), mime, nullptr});
    }
    co_return outcome::Succeeded{std::move(result), "node-a"};
  }
  // Stops only when it is cancelled.
  Task<AttemptOutcome> hang(AttemptObserver observer, bool accepted = true) {
    observer.on_node("node-a");
    if (accepted) observer.on_event(tasks::Accepted{"worker-1", "cpu", 0});
    asio::steady_timer never(*context, asio::steady_timer::time_point::max());
    co_await never.async_wait(asio::use_awaitable);
    co_return outcome::Lost{};
  }
  // ping is answered without files.
  ScriptedNetwork::Script answer_pings() {
    return [this](AttemptRequest request, AttemptObserver observer) {
      return work(std::move(request), std::move(observer), {}, {{"ping", {{"worker", "worker-1"}}}});
    };
  }

  store::testing::TempFolder folder;
  std::atomic<bool> dead = false;
  std::atomic<std::int64_t> commits_left = std::numeric_limits<std::int64_t>::max();  // then every commit fails
  std::unique_ptr<asio::thread_pool> pool;
  ScriptedNetwork network;
  ScriptedVerifier verifier;
  UnixMillis now{std::chrono::milliseconds(1'767'225'600'000)};  // 2026-01-01T00:00:00Z
  std::unique_ptr<asio::io_context> context;
  std::unique_ptr<store::Database> database;
  std::unique_ptr<store::Blobs> blobs;
  std::unique_ptr<Engine> engine;

 private:
  EngineSettings settings_;
};

}  // namespace kinora::jobs::testing
