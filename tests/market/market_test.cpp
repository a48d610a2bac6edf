// The way of an order: market -> orchestrator -> worker, over TLS on loopback.
#include <gtest/gtest.h>

#include "market/loopback.hpp"

namespace kinora::loopback {
namespace {

using market::Outcome;

struct MarketLoop : testing::Test {
  Loop loop;
  net::Client client{loop.executor()};
  base::UnixMillis now = base::wall_clock();

  std::unique_ptr<market::Market> market_of(std::vector<std::string> orchestrators, market::MarketSettings settings = {}) {
    settings.orchestrators = std::move(orchestrators);
    return std::make_unique<market::Market>(loop.executor(), client, settings, [this] { return now; });
  }
  Outcome run(market::Market& market, market::RunLimits limits = {}, const market::OnEvent& on_event = {}) {
    return loop.run(market.run("ping", ping_order(), std::move(limits), on_event));
  }
  void TearDown() override { client.close(); }
};

TEST_F(MarketLoop, an_order_comes_back_as_a_result_with_its_events) {
  TestWorker worker(loop, "w1", answering_after(0ms));
  TestOrchestrator orchestrator(loop);
  ASSERT_EQ(orchestrator.enlist(worker.registration()), 200);
  const auto market = market_of({orchestrator.url()});
  std::vector<std::string> stages;
  const auto outcome = run(*market, {}, [&](const tasks::TaskEvent& event) {
    if (const auto* progress = std::get_if<tasks::Progress>(&event)) stages.push_back(progress->stage);
  });
  EXPECT_EQ(outcome.kind, Outcome::Kind::succeeded) << outcome.detail;
  EXPECT_EQ(outcome.worker, "w1");
  EXPECT_EQ(outcome.node, orchestrator.url());
  EXPECT_EQ(outcome.result.outputs.at("ping").at("worker").as_string(), "w1");
  EXPECT_EQ(stages, (std::vector<std::string>{"run"}));
  EXPECT_EQ(worker.last_path, "/process/ping");
  EXPECT_EQ(worker.authorization, std::string("Bearer ") + kToken);
  const auto status = orchestrator.role().status();
  EXPECT_EQ(status.at(0).jobs, 1u);
  EXPECT_EQ(status.at(0).metered_seconds, 1u);
  EXPECT_EQ(status.at(0).workers.at(0).in_use, 0u);
}

TEST_F(MarketLoop, without_any_worker_the_order_is_refused) {
  TestOrchestrator orchestrator(loop);
  const auto market = market_of({orchestrator.url()});
  const auto outcome = run(*market);
  EXPECT_EQ(outcome.kind, Outcome::Kind::refused);
  EXPECT_EQ(orchestrator.jobs, 0);
}

TEST_F(MarketLoop, the_configured_key_is_the_only_one_that_is_accepted) {
  TestWorker worker(loop, "w1", answering_after(0ms));
  TestOrchestrator orchestrator(loop);
  ASSERT_EQ(orchestrator.enlist(worker.registration()), 200);
  const auto right = market_of({orchestrator.url() + "#" + orchestrator.pin()});
  EXPECT_EQ(run(*right).kind, Outcome::Kind::succeeded);
  const auto wrong = market_of({orchestrator.url() + "#" + new_identity().pin});
  EXPECT_EQ(run(*wrong).kind, Outcome::Kind::refused);
  EXPECT_EQ(worker.calls, 1);
}

TEST_F(MarketLoop, a_key_that_changes_in_mid_session_is_refused_and_a_new_session_learns_it) {
  TestWorker worker(loop, "w1", answering_after(0ms));
  auto orchestrator = std::make_unique<TestOrchestrator>(loop);
  ASSERT_EQ(orchestrator->enlist(worker.registration()), 200);
  const auto market = market_of({orchestrator->url()});
  ASSERT_EQ(run(*market).kind, Outcome::Kind::succeeded);
  const auto port = orchestrator->port();
  orchestrator.reset();
  client.close();
  TestOrchestrator impostor(loop, new_identity(), port);
  ASSERT_EQ(impostor.enlist(worker.registration()), 200);
  EXPECT_EQ(run(*market).kind, Outcome::Kind::refused);
  EXPECT_EQ(impostor.jobs, 0);
  EXPECT_EQ(worker.calls, 1);
  EXPECT_GT(market->nodes().at(0).suspended_ms, 0);
  now += 5s;
  EXPECT_EQ(run(*market).kind, Outcome::Kind::succeeded);
  EXPECT_EQ(market->nodes().at(0).pin, impostor.pin());
}

TEST_F(MarketLoop, an_orchestrator_that_is_gone_is_left_for_another_and_comes_back) {
  TestWorker worker(loop, "w1", answering_after(0ms));
  auto first = std::make_unique<TestOrchestrator>(loop);
  TestOrchestrator second(loop);
  ASSERT_EQ(first->enlist(worker.registration(8)), 200);
  ASSERT_EQ(second.enlist(worker.registration(8)), 200);
  const auto market = market_of({first->url(), second.url()});
  market::RunLimits limits;
  limits.prefer = first->url();
  ASSERT_EQ(run(*market, limits).node, first->url());
  const auto port = first->port();
  const auto identity = first->identity();
  first.reset();
  EXPECT_EQ(run(*market, limits).node, second.url()) << "the same call goes on to the next node";
  EXPECT_FALSE(market->nodes().at(0).reachable);
  EXPECT_EQ(market->nodes().at(0).failures, 1);
  first = std::make_unique<TestOrchestrator>(loop, identity, port);
  ASSERT_EQ(first->enlist(worker.registration(8)), 200);
  EXPECT_EQ(run(*market, limits).node, second.url()) << "suspended";
  now += 5s;
  ASSERT_EQ(loop.run(market->discover("ping")), 16u);
  EXPECT_EQ(run(*market, limits).node, first->url());
}

TEST_F(MarketLoop, a_slow_node_is_left_for_a_faster_one) {
  TestWorker slow_worker(loop, "slow", answering_after(120ms));
  TestWorker fast_worker(loop, "fast", answering_after(5ms));
  TestOrchestrator slow(loop);
  TestOrchestrator fast(loop);
  ASSERT_EQ(slow.enlist(slow_worker.registration(2)), 200);
  ASSERT_EQ(fast.enlist(fast_worker.registration(2)), 200);
  const auto market = market_of({slow.url(), fast.url()});
  for (int i = 0; i < 10; ++i) ASSERT_EQ(run(*market).kind, Outcome::Kind::succeeded);
  EXPECT_EQ(slow.jobs, 1) << "once, to be measured";
  EXPECT_EQ(fast.jobs, 9);
}

TEST_F(MarketLoop, the_price_limit_keeps_a_dear_node_out) {
  TestWorker worker(loop, "w1", answering_after(0ms));
  TestOrchestrator dear(loop);
  TestOrchestrator cheap(loop);
  auto registration = worker.registration(4);
  registration.price = {1000, 1};
  ASSERT_EQ(dear.enlist(registration), 200);
  registration.price = {10, 1};
  ASSERT_EQ(cheap.enlist(registration), 200);
  const auto market = market_of({dear.url(), cheap.url()});
  market::RunLimits limits;
  limits.max_price = wire::Price{100, 1};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(run(*market, limits).node, cheap.url());
  limits.max_price = wire::Price{1, 1};
  EXPECT_EQ(run(*market, limits).kind, Outcome::Kind::refused);
}

TEST_F(MarketLoop, a_workers_failure_is_an_outcome_and_suspends_only_for_its_own_fault) {
  std::string code = "worker_error";
  TestWorker worker(loop, "w1", [&](TestWorker&, net::Request&, net::Response& response) -> Task<void> {
    co_await response.start(200, {{"content-type", "text/event-stream"}});
    co_await response.write(event_text(tasks::failure(code, "it broke")) + "data: [DONE]\n\n");
    co_await response.finish();
  });
  TestOrchestrator orchestrator(loop);
  ASSERT_EQ(orchestrator.enlist(worker.registration()), 200);
  const auto market = market_of({orchestrator.url()});
  auto outcome = run(*market);
  EXPECT_EQ(outcome.kind, Outcome::Kind::failed);
  EXPECT_EQ(outcome.failure.code, "worker_error");
  EXPECT_EQ(outcome.failure.detail, "it broke");
  EXPECT_GT(market->nodes().at(0).capabilities.at(0).suspended_ms, 0);
  now += 5s;
  code = "input_invalid";
  outcome = run(*market);
  EXPECT_EQ(outcome.failure.fault, tasks::Fault::client);
  EXPECT_EQ(market->nodes().at(0).capabilities.at(0).suspended_ms, 0);
}

TEST_F(MarketLoop, a_stream_that_ends_without_a_result_is_a_lost_worker) {
  TestWorker worker(loop, "w1", [](TestWorker&, net::Request&, net::Response& response) -> Task<void> {
    co_await response.start(200, {{"content-type", "text/event-stream"}});
    co_await response.write(": hb\n\n");
    co_await response.finish();
  });
  TestOrchestrator orchestrator(loop);
  ASSERT_EQ(orchestrator.enlist(worker.registration()), 200);
  const auto outcome = run(*market_of({orchestrator.url()}));
  EXPECT_EQ(outcome.kind, Outcome::Kind::lost);
  EXPECT_EQ(outcome.detail, "the stream ended without a result");
}

TEST_F(MarketLoop, a_worker_killed_in_the_middle_is_lost_and_its_slot_free) {
  TestWorker worker(loop, "w1", answering_after(10s));
  TestOrchestrator orchestrator(loop);
  ASSERT_EQ(orchestrator.enlist(worker.registration()), 200);
  const auto market = market_of({orchestrator.url()});
  std::optional<Outcome> outcome;
  boost::asio::co_spawn(loop.executor(), market->run("ping", ping_order(), {}, {}),
                        [&](std::exception_ptr, Outcome end) { outcome = std::move(end); });
  loop.until([&] { return worker.running == 1; });
  worker.kill();
  loop.until([&] { return outcome.has_value(); });
  EXPECT_EQ(outcome->kind, Outcome::Kind::lost);
  EXPECT_EQ(orchestrator.role().status().at(0).workers.at(0).in_use, 0u);
}

TEST_F(MarketLoop, silence_is_a_lost_worker) {
  TestWorker worker(loop, "w1", answering_after(10s));
  TestOrchestrator orchestrator(loop);
  ASSERT_EQ(orchestrator.enlist(worker.registration()), 200);
  market::MarketSettings settings;
  settings.silence_timeout = 100ms;
  const auto outcome = run(*market_of({orchestrator.url()}, settings));
  EXPECT_EQ(outcome.kind, Outcome::Kind::lost);
  loop.until([&] { return worker.left == 1; });
}

// A worker that stands still for a while, as one that was suspended, and then delivers.
TEST_F(MarketLoop, a_silent_node_is_told_once_and_its_late_result_still_comes) {
  TestWorker worker(loop, "w1", answering_after(300ms));
  TestOrchestrator orchestrator(loop);
  ASSERT_EQ(orchestrator.enlist(worker.registration()), 200);
  market::MarketSettings settings;
  settings.silence_timeout = 100ms;
  std::vector<std::string> lost;
  const auto outcome = run(*market_of({orchestrator.url()}, settings), {}, [&](const tasks::TaskEvent& event) {
    if (const auto* failure = std::get_if<tasks::TaskFailure>(&event)) lost.push_back(failure->code);
  });
  EXPECT_EQ(lost, std::vector<std::string>{"worker_lost"});
  EXPECT_EQ(outcome.kind, Outcome::Kind::succeeded) << outcome.detail;
}

TEST_F(MarketLoop, a_silent_node_is_not_listened_to_for_ever) {
  TestWorker worker(loop, "w1", answering_after(10s));
  TestOrchestrator orchestrator(loop);
  ASSERT_EQ(orchestrator.enlist(worker.registration()), 200);
  market::MarketSettings settings;
  settings.silence_timeout = 50ms;
  int lost = 0;
  const auto outcome = run(*market_of({orchestrator.url()}, settings), {},
                           [&](const tasks::TaskEvent& event) { lost += std::holds_alternative<tasks::TaskFailure>(event); });
  EXPECT_EQ(lost, 1);
  EXPECT_EQ(outcome.kind, Outcome::Kind::lost);
  loop.until([&] { return worker.left == 1; });
}

TEST_F(MarketLoop, the_time_limit_of_a_run_ends_it_and_the_work) {
  TestWorker worker(loop, "w1", answering_after(10s));
  TestOrchestrator orchestrator(loop);
  ASSERT_EQ(orchestrator.enlist(worker.registration()), 200);
  market::RunLimits limits;
  limits.timeout = 1s;
  const auto outcome = run(*market_of({orchestrator.url()}), limits);
  EXPECT_EQ(outcome.kind, Outcome::Kind::lost);
  loop.until([&] { return worker.left == 1; });
}

TEST_F(MarketLoop, cancelling_reaches_the_worker) {
  TestWorker worker(loop, "w1", answering_after(10s));
  TestOrchestrator orchestrator(loop);
  ASSERT_EQ(orchestrator.enlist(worker.registration()), 200);
  const auto market = market_of({orchestrator.url()});
  boost::asio::cancellation_signal stop;
  bool ended = false;
  boost::asio::co_spawn(loop.executor(), market->run("ping", ping_order(), {}, {}),
                        boost::asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr, Outcome) { ended = true; }));
  loop.until([&] { return worker.running == 1; });
  const auto begun = std::chrono::steady_clock::now();
  stop.emit(boost::asio::cancellation_type::terminal);
  loop.until([&] { return ended && worker.left == 1; });
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 1s);
  loop.until([&] { return orchestrator.role().status().at(0).workers.at(0).in_use == 0; });
  EXPECT_EQ(market->nodes().at(0).running, 0u);
}

TEST_F(MarketLoop, a_full_node_is_passed_over_for_a_free_one) {
  TestWorker full(loop, "full", busy());
  TestWorker worker(loop, "w1", answering_after(0ms));
  TestOrchestrator first(loop);
  TestOrchestrator second(loop);
  ASSERT_EQ(first.enlist(full.registration()), 200);
  ASSERT_EQ(second.enlist(worker.registration()), 200);
  const auto market = market_of({first.url(), second.url()});
  market::RunLimits limits;
  limits.prefer = first.url();
  EXPECT_EQ(run(*market, limits).node, second.url());
  EXPECT_EQ(full.calls, 1);
}

TEST_F(MarketLoop, a_node_that_does_not_answer_delays_nobody_beyond_the_first_check) {
  // Accepts connections and never answers GetOrchestrator.
  Listening silent(loop, [](net::Request&, net::Response&) -> Task<void> { co_await pause(10s); });
  TestWorker worker(loop, "w1", answering_after(0ms));
  TestOrchestrator orchestrator(loop);
  ASSERT_EQ(orchestrator.enlist(worker.registration()), 200);
  market::MarketSettings settings;
  settings.discovery_timeout = 50ms;
  const auto market = market_of({silent.url(), orchestrator.url()}, settings);
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(run(*market).kind, Outcome::Kind::succeeded);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 2s);
}

TEST_F(MarketLoop, a_known_free_slot_is_used_without_asking_first) {
  bool answering = true;
  TestWorker worker(loop, "w1", answering_after(0ms));
  TestOrchestrator orchestrator(loop);
  ASSERT_EQ(orchestrator.enlist(worker.registration()), 200);
  // Answers once, then never again.
  Listening other(loop, [&](net::Request& request, net::Response& response) -> Task<void> {
    if (!answering) co_return co_await pause(10s);
    co_await response.send(404, {}, request.path);
  });
  const auto market = market_of({other.url(), orchestrator.url()});
  ASSERT_EQ(run(*market).kind, Outcome::Kind::succeeded);
  answering = false;
  now += 5s;
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(run(*market).kind, Outcome::Kind::succeeded);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 400ms) << "less than the first check of a round";
}

TEST_F(MarketLoop, many_orders_at_once_ask_once) {
  TestWorker worker(loop, "w1", answering_after(0ms));
  TestOrchestrator orchestrator(loop);
  ASSERT_EQ(orchestrator.enlist(worker.registration(2)), 200);
  const auto market = market_of({orchestrator.url()});
  int ended = 0;
  int succeeded = 0;
  for (int i = 0; i < 1000; ++i) {
    boost::asio::co_spawn(loop.executor(), market->run("ping", ping_order("att_" + std::to_string(i)), {}, {}),
                          [&](std::exception_ptr, const Outcome& outcome) {
                            ++ended;
                            if (outcome.kind == Outcome::Kind::succeeded) ++succeeded;
                          });
  }
  loop.until([&] { return ended == 1000; });
  EXPECT_EQ(orchestrator.discoveries, 1);
  EXPECT_GE(succeeded, 2);
  EXPECT_LE(orchestrator.jobs, succeeded);
}

TEST_F(MarketLoop, free_slots_are_learnt_in_the_background_and_idle_is_silent) {
  TestWorker worker(loop, "w1", answering_after(0ms));
  TestOrchestrator orchestrator(loop);
  ASSERT_EQ(orchestrator.enlist(worker.registration(3)), 200);
  const auto market = market_of({orchestrator.url()});
  int changes = 0;
  market->on_change([&] { ++changes; });
  EXPECT_EQ(market->free_slots("ping"), 0u);
  loop.until([&] { return changes == 1; });
  EXPECT_EQ(market->free_slots("ping"), 3u);
  EXPECT_EQ(orchestrator.discoveries, 1);
  now += 3s;
  EXPECT_EQ(market->free_slots("ping"), 3u) << "at once, from what is known";
  loop.until([&] { return changes == 2; });
  EXPECT_EQ(orchestrator.discoveries, 2);
}

TEST_F(MarketLoop, a_shared_slot_that_gets_free_is_free_for_the_other_name_at_once) {
  TestWorker worker(loop, "w1", answering_after(50ms));
  TestOrchestrator orchestrator(loop);
  auto registration = worker.registration();
  registration.group = "cpu";
  ASSERT_EQ(orchestrator.enlist(registration), 200);
  registration.name = "other";
  ASSERT_EQ(orchestrator.enlist(registration), 200);
  const auto market = market_of({orchestrator.url()});
  bool ended = false;
  boost::asio::co_spawn(loop.executor(), market->run("ping", ping_order(), {}, {}),
                        [&](std::exception_ptr, const Outcome&) { ended = true; });
  loop.until([&] { return worker.running == 1; });
  EXPECT_EQ(loop.run(market->discover("other")), 0u);
  loop.until([&] { return ended; });
  EXPECT_EQ(loop.run(market->discover("other")), 1u) << "without waiting for the knowledge to grow old";
}

TEST_F(MarketLoop, a_session_is_renewed_in_the_last_tenth_of_its_token) {
  TestWorker worker(loop, "w1", answering_after(0ms));
  TestOrchestrator orchestrator(loop, new_identity(), 0, {}, [this] { return now; });
  auto registration = worker.registration();
  registration.ttl_s = 0;
  ASSERT_EQ(orchestrator.enlist(registration), 200);
  market::MarketSettings settings;
  settings.poll_interval = 24h;
  const auto market = market_of({orchestrator.url()}, settings);
  ASSERT_EQ(loop.run(market->discover("ping")), 1u);
  now += 1610s;
  ASSERT_EQ(loop.run(market->discover("ping")), 1u);
  EXPECT_EQ(orchestrator.discoveries, 1);
  now += 15s;
  ASSERT_EQ(loop.run(market->discover("ping")), 1u);
  EXPECT_EQ(orchestrator.discoveries, 2);
}

}  // namespace
}  // namespace kinora::loopback
