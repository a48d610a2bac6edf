// Restarts: kill -9 at any point loses no accepted job and ends none twice.
#include <gtest/gtest.h>

#include <random>

#include "jobs/testing.hpp"

namespace kinora::jobs {
namespace {

using namespace std::chrono_literals;
using testing::World;

TEST(Recovery, offers_a_running_attempt_again_under_its_id_to_the_same_node) {
  World world;
  world.network.script = [&](AttemptRequest, AttemptObserver observer) { return world.hang(std::move(observer)); };
  ASSERT_TRUE(world.recover());
  const std::string id = world.submit_ok({{"task", "ping"}});
  ASSERT_TRUE(world.until([&] { return world.job(id).status == Status::running; }));
  const std::string attempt = world.network.calls[0].order.attempt;
  EXPECT_EQ(world.network.calls[0].prefer_node, std::nullopt);

  world.kill();
  world.start();
  world.network.script = world.answer_pings();
  ASSERT_TRUE(world.recover());
  ASSERT_TRUE(world.until_idle());
  ASSERT_EQ(world.network.calls.size(), 2u);
  EXPECT_EQ(world.network.calls[1].order.attempt, attempt);
  EXPECT_EQ(world.network.calls[1].prefer_node, "node-a");
  EXPECT_EQ(world.job(id).status, Status::succeeded);
  EXPECT_EQ(world.history(id), "job.created job.queued job.preparing job.started job.succeeded");
}

TEST(Recovery, keeps_files_that_a_worker_delivered_before_the_restart) {
  World world;
  ASSERT_TRUE(world.recover());
  const std::string source = world.artifact("image/png");
  tasks::TaskResult result;
  world.network.script = [&](AttemptRequest request, AttemptObserver observer) -> Task<AttemptOutcome> {
    observer.on_node = [](std::string_view) {};  // even when the node was never named
    auto outcome = co_await world.work(std::move(request), observer, {{"image", "o.png"}}, {}, "image/png");
    result = std::get<outcome::Succeeded>(outcome).result;
    co_return co_await world.hang(std::move(observer), false);  // the connection hangs before the result arrives
  };
  const std::string id = world.submit_ok({{"task", "image-upscale"}, {"input", {{"image", {{"artifact", source}}}}}});
  ASSERT_TRUE(world.until([&] { return !result.files.empty(); }));
  world.kill();
  world.start();
  // The worker attaches the new stream to what it has done: nothing is sent again.
  world.network.script = [&](AttemptRequest, AttemptObserver) -> Task<AttemptOutcome> { co_return outcome::Succeeded{result, "node-a"}; };
  ASSERT_TRUE(world.recover());
  ASSERT_TRUE(world.until_idle());
  EXPECT_EQ(world.job(id).status, Status::succeeded) << json::serialize(world.job(id).error);
}

TEST(Recovery, lets_running_work_be_when_it_stops_in_order) {
  World world;
  world.network.script = [&](AttemptRequest, AttemptObserver observer) { return world.hang(std::move(observer)); };
  ASSERT_TRUE(world.recover());
  const std::string id = world.submit_ok({{"task", "ping"}});
  ASSERT_TRUE(world.until([&] { return world.job(id).status == Status::running; }));
  store::testing::run(*world.context, world.engine->stop());
  EXPECT_EQ(world.network.busy, 0u);
  EXPECT_EQ(world.job(id).status, Status::running);
  EXPECT_EQ(world.submit({{"task", "ping"}}).error().code, "maintenance");
}

TEST(Recovery, lets_running_work_end_and_begins_no_more_when_it_drains) {
  World world;
  bool released = false;
  world.network.slots = 1;
  world.network.script = [&](AttemptRequest request, AttemptObserver observer) -> Task<AttemptOutcome> {
    while (!released) co_await boost::asio::post(boost::asio::use_awaitable);
    co_return co_await world.answer_pings()(std::move(request), std::move(observer));
  };
  ASSERT_TRUE(world.recover());
  const std::string running = world.submit_ok({{"task", "ping"}}), waiting = world.submit_ok({{"task", "ping"}});
  ASSERT_TRUE(world.until([&] { return world.network.busy == 1; }));
  bool drained = false;
  boost::asio::co_spawn(*world.context, world.engine->drain(1min), [&](std::exception_ptr) { drained = true; });
  ASSERT_TRUE(world.until([turns = 0]() mutable { return ++turns > 20; }));  // it has begun
  EXPECT_FALSE(drained);
  released = true;
  ASSERT_TRUE(world.until([&] { return drained; }));
  store::testing::run(*world.context, world.engine->stop());
  EXPECT_EQ(world.job(running).status, Status::succeeded);
  EXPECT_EQ(world.job(waiting).status, Status::queued);
  EXPECT_EQ(world.network.runs, 1u);
}

TEST(Recovery, waits_again_for_the_back_off_that_was_left) {
  World world;
  world.network.script = [](AttemptRequest, AttemptObserver) -> Task<AttemptOutcome> { co_return outcome::Lost{"node-bad", "gone"}; };
  ASSERT_TRUE(world.recover());
  const std::string id = world.submit_ok({{"task", "ping"}, {"retry", {{"initial_ms", 5000}}}});
  ASSERT_TRUE(world.until([&] { return world.job(id).phase == Phase::retry_wait; }));
  world.kill();
  world.start();
  world.network.script = world.answer_pings();
  ASSERT_TRUE(world.recover());
  EXPECT_EQ(world.network.runs, 1u);
  world.advance(4'999ms);
  EXPECT_EQ(world.job(id).phase, Phase::retry_wait);
  world.advance(1ms);
  ASSERT_TRUE(world.until_idle());
  EXPECT_EQ(world.network.calls.back().avoid_nodes, std::vector<std::string>{"node-bad"});
  EXPECT_EQ(world.job(id).status, Status::succeeded);
}

TEST(Recovery, ends_a_canceled_job_that_was_waiting_for_its_worker) {
  World world;
  world.network.script = [&](AttemptRequest, AttemptObserver observer) { return world.hang(std::move(observer)); };
  ASSERT_TRUE(world.recover());
  const std::string id = world.submit_ok({{"task", "ping"}});
  ASSERT_TRUE(world.until([&] { return world.job(id).status == Status::running; }));
  EXPECT_EQ(world.run(world.engine->cancel("proj_1", id, std::nullopt))->result, CancelResult::canceling);
  world.kill();
  world.start();
  ASSERT_TRUE(world.recover());
  ASSERT_TRUE(world.until_idle());
  EXPECT_EQ(world.job(id).status, Status::canceled);
  EXPECT_EQ(world.network.runs, 1u);
}

TEST(Recovery, tells_nobody_of_an_end_that_is_not_on_the_disk) {
  EngineSettings settings;
  settings.store_again = 1ms;
  World world(settings);
  world.network.script = world.answer_pings();
  ASSERT_TRUE(world.recover());
  world.network.slots = 0;
  const std::string id = world.submit_ok({{"task", "ping"}});
  world.commits_left = 0;  // the disk is full
  world.network.slots = 1;
  world.engine->wake();
  ASSERT_TRUE(world.until([&] { return world.network.runs == 1 && world.network.busy == 0; }));
  EXPECT_EQ(world.job(id).status, Status::queued);
  EXPECT_FALSE(world.submit({{"task", "ping"}}));
  world.commits_left = 1'000'000;  // there is room again
  ASSERT_TRUE(world.until_idle());
  EXPECT_EQ(world.job(id).status, Status::succeeded);
  EXPECT_EQ(world.network.runs, 1u);
}

// Jobs of every kind over a network that fails now and then; the process dies after a random number of commits, again and again.
class CrashTest : public ::testing::TestWithParam<unsigned> {};

TEST_P(CrashTest, ends_every_accepted_job_exactly_once) {
  std::mt19937 random(GetParam());
  const auto chance = [&](int percent) { return static_cast<int>(random() % 100) < percent; };
  EngineSettings settings;
  settings.plan.chunk_s = 1;
  World world(settings);
  world.network.keep_calls = false;
  std::map<std::string, std::string> results;  // attempt -> what it delivered
  world.network.script = [&](AttemptRequest request, AttemptObserver observer) -> Task<AttemptOutcome> {
    const tasks::TaskOrder order = request.order;
    if (chance(10)) co_return outcome::Refused{50ms, "no capacity"};
    if (chance(10)) co_return outcome::Lost{"node-b", "gone"};
    if (order.task == "ping") co_return co_await world.work(std::move(request), std::move(observer), {}, {{"ping", json::object()}});
    if (order.task == "cut") {
      json::array chunks;
      std::vector<std::pair<std::string, std::string>> files;
      for (int i = 0; i < 3; ++i) {
        const std::string name = "c" + std::to_string(i) + ".nut";
        chunks.push_back({{"name", name}, {"start_pts", i * 100}, {"end_pts", i * 100 + 100}, {"frames", 25}});
        files.emplace_back("chunks", name);
      }
      co_return co_await world.work(std::move(request), std::move(observer), std::move(files),
                                    {{"plan", {{"chunks", chunks}, {"time_base", "1/100"}, {"pts_offset", 0}}}});
    }
    co_return co_await world.work(std::move(request), std::move(observer), {{"video", "o.mp4"}});
  };
  std::vector<std::string> accepted;
  ASSERT_TRUE(world.recover());
  const std::string source = world.artifact("video/mp4", {{"duration_s", 4.0}, {"fps", 25.0}});
  for (int life = 0; life < 12; ++life) {
    world.commits_left = 3 + static_cast<std::int64_t>(random() % 25);
    for (int i = 0; i < 4 && life < 6; ++i) {
      json::value body = chance(50) ? json::value{{"task", "ping"}}
                                    : json::value{{"task", "video-upscale"}, {"input", {{"video", {{"artifact", source}}}}}};
      body.as_object()["retry"] = {{"max_attempts", 10}, {"initial_ms", 0}};
      if (auto answer = world.submit(std::move(body))) accepted.push_back(answer->job.id);
    }
    world.until([&] {
      world.now += 20ms;
      world.engine->wake();
      return world.commits_left <= 0 || world.engine->counts().active_jobs == 0;
    });
    world.kill();
    world.commits_left = 1'000'000;
    world.start();
    ASSERT_TRUE(world.recover());
  }
  ASSERT_TRUE(world.until([&] {
    world.now += 20ms;
    world.engine->wake();
    return world.engine->counts().active_jobs == 0;
  }));
  EXPECT_GE(accepted.size(), 4u);
  for (const std::string& id : accepted) {
    const Job job = world.job(id);
    EXPECT_TRUE(terminal(job.status)) << id;
    std::int64_t seq = 0;
    int ends = 0;
    for (const Event& event : world.events(id)) {
      EXPECT_EQ(event.seq, ++seq);
      ends += event.type == "job.succeeded" || event.type == "job.failed" || event.type == "job.expired" || event.type == "job.canceled";
    }
    EXPECT_EQ(ends, 1) << world.history(id);
    // One artifact per finished upscale, its bytes there, and nothing of the attempts kept.
    if (job.task == "video-upscale" && job.status == Status::succeeded) {
      EXPECT_TRUE(world.blobs->exists(std::string_view(job.output.at("video").at("sha256").as_string())));
    }
  }
  ASSERT_TRUE(world.run(world.engine->sweep()));
  const auto artifacts =
      *world.run(world.engine->artifacts("proj_1", {.limit = 100, .descending = true, .after = {}, .before = {}}, std::nullopt));
  std::set<std::string> wanted;
  for (const Artifact& artifact : artifacts.data) wanted.insert(artifact.sha256);
  std::set<std::string> kept;
  world.blobs->each([&](const std::string& name) { return kept.insert(name), true; });
  EXPECT_EQ(kept, wanted);
}

INSTANTIATE_TEST_SUITE_P(Seeds, CrashTest, ::testing::Range(0u, 12u));

}  // namespace
}  // namespace kinora::jobs
