#include "jobs/engine.hpp"

#include <gtest/gtest.h>

#include <boost/asio/redirect_error.hpp>

#include "jobs/testing.hpp"

namespace kinora::jobs {
namespace {

using namespace std::chrono_literals;
using testing::World;
namespace asio = boost::asio;

const json::value kPing = {{"task", "ping"}};

class EngineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    world_.network.script = world_.answer_pings();
    ASSERT_TRUE(world_.recover());
  }
  World world_;
};

TEST_F(EngineTest, runs_a_job_to_its_end_with_every_event_once) {
  const std::string id = world_.submit_ok(kPing);
  ASSERT_TRUE(base::is_id("job", id)) << id;
  ASSERT_TRUE(world_.until_idle());
  const Job job = world_.job(id);
  EXPECT_EQ(job.status, Status::succeeded);
  EXPECT_EQ(job.phase, Phase::done);
  EXPECT_EQ(job.output.at("ping").at("worker"), "worker-1");
  EXPECT_EQ(job.attempt.at("number"), 1);
  EXPECT_EQ(job.attempt.at("of"), 3);
  EXPECT_EQ(world_.history(id), "job.created job.queued job.preparing job.started job.succeeded");
  const auto attempts = *world_.run(world_.engine->attempts("proj_1", id));
  ASSERT_EQ(attempts.size(), 1u);
  EXPECT_EQ(attempts[0].state, "delivered");
  EXPECT_EQ(attempts[0].node, "node-a");
}

TEST_F(EngineTest, turns_delivered_files_into_artifacts) {
  const std::string source = world_.artifact("video/mp4");
  world_.network.script = [&](AttemptRequest request, AttemptObserver observer) {
    return world_.work(std::move(request), std::move(observer),
                       {{"hls", "master.m3u8"}, {"hls", "720p/index.m3u8"}, {"renditions", "720p.mp4"}, {"renditions", "360p.mp4"}});
  };
  const std::string id = world_.submit_ok({{"task", "transcode"}, {"input", {{"video", {{"artifact", source}}}}}});
  ASSERT_TRUE(world_.until_idle());
  const Job job = world_.job(id);
  ASSERT_EQ(job.status, Status::succeeded) << json::serialize(job.error);
  EXPECT_EQ(world_.history(id), "job.created job.queued job.preparing job.started job.verifying job.succeeded");
  const auto& hls = job.output.at("hls");
  EXPECT_EQ(hls.at("file"), "master.m3u8");
  EXPECT_EQ(job.output.at("renditions").as_array().size(), 2u);
  EXPECT_EQ(job.output.at("params").at("segment_s"), 2.0);
  const auto artifact = world_.run(world_.engine->artifact("proj_1", std::string(hls.at("artifact").as_string())));
  ASSERT_TRUE(artifact);
  EXPECT_EQ(artifact->kind, "hls");
  const auto files = *world_.run(world_.engine->artifact_files(artifact->id));
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[1].name, "720p/index.m3u8");
  EXPECT_TRUE(world_.blobs->exists(files[1].sha256));
  EXPECT_EQ(world_.verifier.asked, 1);
}

TEST_F(EngineTest, tells_the_weights_the_seed_and_what_the_model_changed_of_what_was_made) {
  const std::string digest = "sha256:" + std::string(64, 'a');
  json::object facts{{"weights", digest}, {"seeds", {7, 8}}, {"notes", {"frames 80 became 81 (1 + 4 k)", "read /srv/models/x"}}};
  world_.network.script = [&](AttemptRequest request, AttemptObserver observer) {
    return world_.work(std::move(request), std::move(observer), {{"video", "video.mp4"}}, {{"video", facts}});
  };
  const auto make = [&] {
    const std::string id = world_.submit_ok({{"task", "text-to-video"}, {"model", "wan"}, {"input", {{"prompt", "a fox"}}}});
    EXPECT_TRUE(world_.until_idle());
    return world_.job(id);
  };
  const Job job = make();
  EXPECT_EQ(job.weights, digest);
  EXPECT_EQ(job.output.at("seed"), 7);
  EXPECT_EQ(job.output.at("notes").at(0), "frames 80 became 81 (1 + 4 k)");
  EXPECT_EQ(job.output.at("notes").at(1).as_string().find("/srv"), json::string::npos);  // nothing of its machine
  facts["weights"] = "sha256:nonsense";
  EXPECT_EQ(make().weights, std::nullopt);
}

TEST_F(EngineTest, gives_the_worker_the_input_by_its_hash) {
  const std::string source = world_.artifact("video/mp4", nullptr, "abc");
  const std::string id = world_.submit_ok({{"task", "probe"}, {"input", {{"media", {{"artifact", source}}}}}});
  ASSERT_TRUE(world_.until([&] { return !world_.network.calls.empty(); }));
  const tasks::TaskOrder& order = world_.network.calls[0].order;
  ASSERT_EQ(order.inputs.size(), 1u);
  EXPECT_EQ(order.inputs[0].sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");  // FIPS 180-2 B.1
  EXPECT_EQ(order.inputs[0].bytes, 3);
  EXPECT_EQ(order.inputs[0].name, "clip.mp4");
  EXPECT_EQ(world_.network.calls[0].job, id);
}

TEST_F(EngineTest, fails_at_once_when_the_client_is_at_fault) {
  world_.network.script = [](AttemptRequest, AttemptObserver) -> Task<AttemptOutcome> {
    co_return outcome::Failed{tasks::failure("input_invalid", "no frames in /var/lib/worker/cache/ab12"), "node-a"};
  };
  const std::string id = world_.submit_ok(kPing);
  ASSERT_TRUE(world_.until_idle());
  const Job job = world_.job(id);
  EXPECT_EQ(job.status, Status::failed);
  EXPECT_EQ(job.error.at("code"), "input_invalid");
  EXPECT_EQ(job.error.at("fault"), "client");
  EXPECT_EQ(job.error.at("retryable"), false);
  EXPECT_EQ(job.error.at("detail"), "no frames in [path]");
  EXPECT_EQ(job.error.at("job").as_string(), id);
  EXPECT_EQ(world_.network.runs, 1u);
  EXPECT_EQ(world_.history(id), "job.created job.queued job.failed");
}

TEST_F(EngineTest, tries_again_elsewhere_after_a_back_off) {
  world_.network.script = [&](AttemptRequest request, AttemptObserver observer) -> Task<AttemptOutcome> {
    if (world_.network.runs == 1) co_return outcome::Lost{"node-bad", "silent"};
    co_return co_await world_.work(std::move(request), std::move(observer), {}, {{"ping", json::object()}});
  };
  const std::string id = world_.submit_ok(kPing);
  ASSERT_TRUE(
      world_.until([&] { return world_.network.runs == 1 && world_.network.busy == 0 && world_.job(id).phase == Phase::retry_wait; }));
  EXPECT_EQ(world_.job(id).status, Status::queued);
  world_.advance(999ms);
  EXPECT_EQ(world_.job(id).phase, Phase::retry_wait);
  EXPECT_EQ(world_.network.runs, 1u);
  world_.advance(1ms);
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(id).status, Status::succeeded);
  ASSERT_EQ(world_.network.calls.size(), 2u);
  EXPECT_NE(world_.network.calls[0].order.attempt, world_.network.calls[1].order.attempt);
  EXPECT_EQ(world_.network.calls[1].avoid_nodes, std::vector<std::string>{"node-bad"});
  EXPECT_EQ(world_.history(id), "job.created job.queued job.retrying job.queued job.preparing job.started job.succeeded");
  const auto attempts = *world_.run(world_.engine->attempts("proj_1", id));
  ASSERT_EQ(attempts.size(), 2u);
  EXPECT_EQ(attempts[0].state, "lost");
  EXPECT_EQ(attempts[0].error.at("code"), "worker_lost");
}

TEST_F(EngineTest, gives_up_after_the_last_attempt) {
  world_.network.script = [](AttemptRequest, AttemptObserver) -> Task<AttemptOutcome> {
    co_return outcome::Failed{tasks::failure("worker_error", "killed by signal 11"), "node-a"};
  };
  const std::string id = world_.submit_ok({{"task", "ping"}, {"retry", {{"max_attempts", 2}, {"initial_ms", 0}}}});
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(id).status, Status::failed);
  EXPECT_EQ(world_.job(id).error.at("code"), "worker_error");
  EXPECT_EQ(world_.network.runs, 2u);
}

TEST_F(EngineTest, offers_a_refused_attempt_again_without_counting_it) {
  world_.network.script = [&](AttemptRequest request, AttemptObserver observer) -> Task<AttemptOutcome> {
    if (world_.network.runs <= 5) co_return outcome::Refused{500ms, "no capacity"};
    co_return co_await world_.work(std::move(request), std::move(observer), {}, {{"ping", json::object()}});
  };
  const std::string id = world_.submit_ok(kPing);
  for (unsigned refusals = 1; refusals <= 5; ++refusals) {
    ASSERT_TRUE(world_.until([&] { return world_.network.runs == refusals && world_.network.busy == 0; })) << world_.network.runs;
    // Nothing is offered before the time that the refusal named.
    for (int i = 0; i < 5; ++i) EXPECT_EQ(world_.job(id).status, Status::queued);
    EXPECT_EQ(world_.network.runs, refusals);
    world_.advance(500ms);
  }
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(id).status, Status::succeeded);
  EXPECT_EQ(world_.job(id).attempt.at("number"), 1);
  for (const AttemptRequest& call : world_.network.calls) EXPECT_EQ(call.order.attempt, world_.network.calls[0].order.attempt);
}

TEST_F(EngineTest, runs_no_more_at_once_than_there_are_slots) {
  world_.network.slots = 0;
  world_.network.script = [&](AttemptRequest request, AttemptObserver observer) -> Task<AttemptOutcome> {
    for (int i = 0; i < 10; ++i) co_await asio::post(asio::use_awaitable);  // long enough for others to start meanwhile
    co_return co_await world_.work(std::move(request), std::move(observer), {}, {{"ping", json::object()}});
  };
  std::vector<std::string> ids;
  for (int i = 0; i < 20; ++i) ids.push_back(world_.submit_ok(kPing));
  world_.network.slots = 2;
  world_.engine->wake();
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.network.most_busy, 2u);
  for (const std::string& id : ids) EXPECT_EQ(world_.job(id).status, Status::succeeded);
}

TEST_F(EngineTest, cancels_a_waiting_job_at_once) {
  world_.network.slots = 0;
  const std::string first = world_.submit_ok(kPing), second = world_.submit_ok(kPing);
  EXPECT_EQ(world_.engine->queue_position(second), 2);
  const auto canceled = world_.run(world_.engine->cancel("proj_1", first, "changed my mind"));
  ASSERT_TRUE(canceled);
  EXPECT_EQ(canceled->result, CancelResult::canceled);
  EXPECT_EQ(canceled->job.status_reason, "changed my mind");
  EXPECT_EQ(world_.history(first), "job.created job.queued job.canceled");
  EXPECT_EQ(world_.engine->queue_position(second), 1);
  EXPECT_EQ(world_.run(world_.engine->cancel("proj_1", first, std::nullopt))->result, CancelResult::canceled);
  EXPECT_EQ(world_.run(world_.engine->cancel("proj_2", second, std::nullopt)).error().code, "not_found");
}

TEST_F(EngineTest, cancels_a_running_job_when_the_worker_has_stopped) {
  world_.network.script = [&](AttemptRequest, AttemptObserver observer) { return world_.hang(std::move(observer)); };
  const std::string id = world_.submit_ok(kPing);
  ASSERT_TRUE(world_.until([&] { return world_.job(id).status == Status::running; }));
  const auto canceled = world_.run(world_.engine->cancel("proj_1", id, std::nullopt));
  EXPECT_EQ(canceled->result, CancelResult::canceling);
  EXPECT_EQ(canceled->job.phase, Phase::canceling);
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(id).status, Status::canceled);
  EXPECT_EQ(world_.network.busy, 0u);
  EXPECT_EQ(world_.history(id), "job.created job.queued job.preparing job.canceled");
}

TEST_F(EngineTest, cancels_a_job_whose_worker_does_not_stop_after_ten_seconds) {
  auto stuck = std::make_shared<asio::steady_timer>(*world_.context, asio::steady_timer::time_point::max());
  world_.network.script = [stuck](AttemptRequest, AttemptObserver observer) -> Task<AttemptOutcome> {
    observer.on_event(tasks::Accepted{"worker-1", "cpu", 0});
    // Deaf to cancellation.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await stuck->async_wait(asio::use_awaitable);
    co_return outcome::Lost{};
  };
  const std::string id = world_.submit_ok(kPing);
  ASSERT_TRUE(world_.until([&] { return world_.job(id).status == Status::running; }));
  EXPECT_EQ(world_.run(world_.engine->cancel("proj_1", id, std::nullopt))->result, CancelResult::canceling);
  world_.advance(9'999ms);
  EXPECT_EQ(world_.job(id).status, Status::running);
  world_.advance(1ms);
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(id).status, Status::canceled);
}

TEST_F(EngineTest, answers_a_late_cancel_with_too_late) {
  const std::string id = world_.submit_ok(kPing);
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.run(world_.engine->cancel("proj_1", id, std::nullopt))->result, CancelResult::too_late);
  EXPECT_EQ(world_.job(id).status, Status::succeeded);
}

TEST_F(EngineTest, expires_a_job_at_its_deadline_in_every_phase) {
  world_.network.slots = 1;
  world_.network.script = [&](AttemptRequest, AttemptObserver observer) { return world_.hang(std::move(observer)); };
  const json::value body{{"task", "ping"}, {"requirements", {{"deadline_s", 60}}}};
  const std::string running = world_.submit_ok(body), waiting = world_.submit_ok(body);
  ASSERT_TRUE(world_.until([&] { return world_.job(running).status == Status::running; }));
  EXPECT_LE(world_.network.calls[0].order.deadline_s, 60);
  world_.advance(60s);
  ASSERT_TRUE(world_.until_idle());
  for (const std::string& id : {running, waiting}) {
    EXPECT_EQ(world_.job(id).status, Status::expired);
    EXPECT_EQ(world_.job(id).error.at("code"), "deadline_exceeded");
  }
}

TEST_F(EngineTest, expires_a_job_that_does_not_start_in_time) {
  world_.network.slots = 0;
  const std::string id = world_.submit_ok({{"task", "ping"}, {"requirements", {{"start_timeout_s", 5}}}});
  world_.advance(4'999ms);
  EXPECT_EQ(world_.job(id).status, Status::queued);
  world_.advance(1ms);
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(id).status, Status::expired);
  EXPECT_EQ(world_.job(id).error.at("code"), "start_timeout");
}

// A node that takes long to load weights: 2 s are counted before it, its 100 s are not, of the 5 s 3 are left after it.
TEST_F(EngineTest, stops_the_start_clock_while_a_node_prepares_when_told_not_to_count_it) {
  asio::steady_timer connection(*world_.context, asio::steady_timer::time_point::max());
  world_.network.script = [&](AttemptRequest, AttemptObserver observer) -> Task<AttemptOutcome> {
    observer.on_node("node-a");
    observer.on_event(tasks::Accepted{"worker-1", "cpu", 0});
    boost::system::error_code broken;
    co_await connection.async_wait(asio::redirect_error(asio::use_awaitable, broken));
    co_return outcome::Lost{"node-a", "gone"};
  };
  const auto submit = [&](bool counted) {
    return world_.submit_ok({{"task", "ping"}, {"requirements", {{"start_timeout_s", 5}, {"count_preparation", counted}}}});
  };
  world_.network.slots = 0;
  const std::string counted = submit(true), not_counted = submit(false);
  world_.advance(2s);
  world_.network.slots = 2;
  world_.advance(0s);
  ASSERT_TRUE(
      world_.until([&] { return world_.job(not_counted).phase == Phase::preparing && world_.job(counted).phase == Phase::preparing; }));
  world_.advance(100s);
  ASSERT_TRUE(world_.until([&] { return terminal(world_.job(counted).status); }));
  EXPECT_EQ(world_.job(counted).error.at("code"), "start_timeout");
  EXPECT_EQ(world_.job(not_counted).phase, Phase::preparing);
  // The node is lost: the clock goes on where it stood.
  world_.network.slots = 0;
  connection.cancel();
  ASSERT_TRUE(world_.until([&] { return world_.job(not_counted).status == Status::queued; }));
  world_.advance(2'999ms);
  EXPECT_EQ(world_.job(not_counted).status, Status::queued);
  world_.advance(1ms);
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(not_counted).error.at("code"), "start_timeout");
}

TEST_F(EngineTest, looks_at_as_many_results_as_the_sample_rate_says) {
  world_.network.script = [&](AttemptRequest request, AttemptObserver observer) {
    return world_.work(std::move(request), std::move(observer), {{"image", "image.jpg"}}, {}, "image/jpeg");
  };
  const std::string clip = world_.artifact("video/mp4");
  const auto run = [&](double rate, int count) {
    world_.verifier.asked = 0;
    std::vector<std::string> ids;
    for (int i = 0; i < count; ++i)
      ids.push_back(world_.submit_ok({{"task", "thumbnail"},
                                      {"input", {{"video", {{"artifact", clip}}}}},
                                      {"requirements", {{"verification", {{"sample_rate", rate}}}}}}));
    EXPECT_TRUE(world_.until_idle());
    int told = 0;
    for (const std::string& id : ids) {
      const Job job = world_.job(id);
      EXPECT_EQ(job.status, Status::succeeded);
      told += job.output.as_object().contains("verification");
    }
    EXPECT_EQ(told, count - world_.verifier.asked);  // each that nobody looked at says so
    return world_.verifier.asked;
  };
  EXPECT_EQ(run(1, 20), 20);
  EXPECT_EQ(run(0, 20), 0);
  // Binomial, n = 200, p = 0.25: 50 +- 6.1; six deviations are once in 10^8.
  const int quarter = run(0.25, 200);
  EXPECT_GT(quarter, 13);
  EXPECT_LT(quarter, 87);
}

TEST_F(EngineTest, stores_progress_at_most_twice_a_second) {
  world_.network.script = [&](AttemptRequest, AttemptObserver observer) -> Task<AttemptOutcome> {
    observer.on_event(tasks::Accepted{"worker-1", "cpu", 0});
    for (int i = 0; i < 1000; ++i) {
      world_.now += 10ms;
      observer.on_event(tasks::Progress{i / 1000.0, "run", i, 1000, "frame", 100.0, std::nullopt});
    }
    co_return outcome::Succeeded{tasks::TaskResult{.outputs = {{"ping", json::object()}}, .files = {}, .seconds = 0, .units = 0}, "node-a"};
  };
  const std::string id = world_.submit_ok(kPing);
  ASSERT_TRUE(world_.until_idle());
  int stored = 0;
  for (const Event& event : world_.events(id)) stored += event.type == "job.progress";
  EXPECT_GE(stored, 15);
  EXPECT_LE(stored, 21);  // ten seconds
}

TEST_F(EngineTest, refuses_more_jobs_than_the_limit_and_tells_when_to_come_back) {
  World small({.plan = {}, .max_active_jobs = 2});
  small.network.slots = 0;
  ASSERT_TRUE(small.recover());
  EXPECT_TRUE(small.submit(kPing));
  EXPECT_TRUE(small.submit(kPing));
  const auto third = small.submit(kPing);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, "queue_full");
  EXPECT_TRUE(third.error().retry_after_ms);
}

TEST_F(EngineTest, takes_a_finished_jobs_data_away_with_what_it_made) {
  const std::string source = world_.artifact("image/png");
  world_.network.script = [&](AttemptRequest request, AttemptObserver observer) {
    return world_.work(std::move(request), std::move(observer), {{"image", "out.png"}}, {}, "image/png");
  };
  world_.network.slots = 0;
  const std::string id = world_.submit_ok({{"task", "image-upscale"}, {"input", {{"image", {{"artifact", source}}}}}});
  EXPECT_EQ(world_.run(world_.engine->remove("proj_1", id)).error().code, "not_terminal");
  EXPECT_EQ(world_.run(world_.engine->remove_artifact("proj_1", source)).error().code, "not_terminal");
  world_.network.slots = 1;
  ASSERT_TRUE(world_.until_idle());
  const Job job = world_.job(id);
  ASSERT_EQ(job.status, Status::succeeded);
  const std::string sha256(job.output.at("image").at("sha256").as_string());
  EXPECT_TRUE(world_.blobs->exists(sha256));
  EXPECT_TRUE(world_.run(world_.engine->remove("proj_1", id)));
  const Job purged = world_.job(id);
  EXPECT_TRUE(purged.data_removed);
  EXPECT_EQ(purged.status, Status::succeeded);
  EXPECT_TRUE(purged.output.is_null());
  EXPECT_TRUE(purged.params.empty());
  EXPECT_FALSE(purged.input.contains("image"));
  EXPECT_EQ(purged.input.at("$sha256").as_string().size(), 64u);
  // The stream keeps its numbers and loses its data.
  EXPECT_EQ(world_.history(id), "job.created job.queued job.preparing job.started job.verifying job.succeeded");
  for (const Event& event : world_.events(id)) EXPECT_FALSE(event.data.as_object().contains("output")) << event.type;
  EXPECT_TRUE(world_.run(world_.engine->remove("proj_1", id)));  // again: the same
  EXPECT_TRUE(world_.run(world_.engine->sweep()));
  EXPECT_FALSE(world_.blobs->exists(sha256));
  EXPECT_TRUE(world_.run(world_.engine->artifact("proj_1", source)));
}

TEST_F(EngineTest, pages_through_jobs_with_filters) {
  world_.network.slots = 0;
  std::vector<std::string> ids;
  for (int i = 0; i < 7; ++i) {
    ids.push_back(world_.submit_ok({{"task", "ping"}, {"tags", {i % 2 == 0 ? "even" : "odd"}}, {"client_ref", "r" + std::to_string(i)}}));
    world_.now += 1ms;
  }
  Page page{.limit = 3, .descending = true, .after = std::nullopt, .before = std::nullopt};
  std::vector<std::string> seen;
  for (;;) {
    const auto listing = *world_.run(world_.engine->list("proj_1", {}, page));
    for (const Job& job : listing.data) seen.push_back(job.id);
    if (!listing.has_more) break;
    page.after = PageKey{listing.data.back().created_at.time_since_epoch().count(), listing.data.back().id};
  }
  EXPECT_EQ(seen, std::vector<std::string>(ids.rbegin(), ids.rend()));
  const auto before =
      *world_.run(world_.engine->list("proj_1", {},
                                      {.limit = 2,
                                       .descending = true,
                                       .after = std::nullopt,
                                       .before = PageKey{world_.job(ids[3]).created_at.time_since_epoch().count(), ids[3]}}));
  ASSERT_EQ(before.data.size(), 2u);
  EXPECT_EQ(before.data[0].id, ids[5]);
  EXPECT_EQ(before.data[1].id, ids[4]);
  EXPECT_TRUE(before.has_more);
  JobFilter filter;
  filter.tag = "odd";
  EXPECT_EQ(world_.run(world_.engine->list("proj_1", filter, {}))->data.size(), 3u);
  filter.client_ref = "r3";
  EXPECT_EQ(world_.run(world_.engine->list("proj_1", filter, {}))->data.at(0).id, ids[3]);
  filter = {};
  filter.status = Status::running;
  EXPECT_TRUE(world_.run(world_.engine->list("proj_1", filter, {}))->data.empty());
  EXPECT_TRUE(world_.run(world_.engine->list("proj_2", {}, {}))->data.empty());
}

TEST_F(EngineTest, wakes_a_waiter_when_its_job_changes) {
  const std::string id = world_.submit_ok(kPing);
  std::int64_t last = world_.events(id).front().offset;
  EXPECT_TRUE(world_.run(world_.engine->feed().wait(id, last, 5s)));
  ASSERT_TRUE(world_.until_idle());
  last = world_.events(id).back().offset;
  EXPECT_FALSE(world_.run(world_.engine->feed().wait(id, last, 1ms)));
  EXPECT_TRUE(world_.run(world_.engine->feed().wait(id, last - 1, 1ms)));
}

TEST_F(EngineTest, finishes_a_thousand_jobs_queued_at_once) {
  world_.network.keep_calls = false;
  world_.network.slots = 8;
  int accepted = 0;
  for (int i = 0; i < 1000; ++i)
    asio::co_spawn(*world_.context,
                   world_.engine->submit({.project = "proj_1", .key = "key_1", .body = kPing, .idempotency = {}, .trace_id = {}}),
                   [&](std::exception_ptr, const Outcome<SubmitAnswer>& answer) { accepted += answer.has_value(); });
  ASSERT_TRUE(world_.until([&] { return accepted == 1000; }));
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.network.runs, 1000u);
  JobFilter filter;
  filter.status = Status::succeeded;
  int finished = 0;
  Page page{.limit = 100, .descending = true, .after = std::nullopt, .before = std::nullopt};
  for (bool more = true; more;) {
    const auto listing = *world_.run(world_.engine->list("proj_1", filter, page));
    finished += static_cast<int>(listing.data.size());
    more = listing.has_more;
    if (more) page.after = PageKey{listing.data.back().created_at.time_since_epoch().count(), listing.data.back().id};
  }
  EXPECT_EQ(finished, 1000);
}

}  // namespace
}  // namespace kinora::jobs
