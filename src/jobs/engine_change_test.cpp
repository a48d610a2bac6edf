// Labels, priority, running again, erasing, repeats of SDKs.
#include <gtest/gtest.h>

#include "jobs/testing.hpp"

namespace kinora::jobs {
namespace {

using testing::World;

const json::value kPing = {{"task", "ping"}};

JobPatch labels(std::optional<std::vector<std::string>> tags, std::optional<json::object> metadata = std::nullopt) {
  JobPatch out;
  out.tags = std::move(tags);
  out.metadata = std::move(metadata);
  return out;
}
JobPatch priority(Priority wanted) {
  JobPatch out;
  out.priority = wanted;
  return out;
}

class EngineChange : public ::testing::Test {
 protected:
  void SetUp() override {
    world_.network.script = world_.answer_pings();
    ASSERT_TRUE(world_.recover());
  }
  Outcome<Job> patch(const std::string& id, JobPatch what) { return world_.run(world_.engine->patch("proj_1", id, std::move(what))); }
  SubmitRequest request(std::string key = "key_1") {
    SubmitRequest out;
    out.project = "proj_1";
    out.key = std::move(key);
    out.body = kPing;
    return out;
  }
  Outcome<SubmitAnswer> retry(const std::string& id) { return world_.run(world_.engine->retry(id, request())); }
  Outcome<SubmitAnswer> sdk(int count, std::string fingerprint = "f", std::string key = "key_1") {
    SubmitRequest one = request(key);
    one.sdk = SdkTry{key, std::move(fingerprint), count};
    return world_.run(world_.engine->submit(std::move(one)));
  }
  World world_;
};

TEST_F(EngineChange, sets_labels_of_queued_and_of_finished_jobs_and_keeps_them_over_a_restart) {
  world_.network.slots = 0;
  const std::string id = world_.submit_ok(kPing);
  const auto changed = patch(id, labels(std::vector<std::string>{"a", "b"}, json::object{{"k", "v"}}));
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->version, 2);
  world_.network.slots = 1;
  world_.engine->wake();
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(id).tags, (std::vector<std::string>{"a", "b"}));
  const std::int64_t version = world_.job(id).version;
  ASSERT_TRUE(patch(id, labels(std::vector<std::string>{})));
  world_.kill();
  world_.start();
  ASSERT_TRUE(world_.recover());
  const Job job = world_.job(id);
  EXPECT_TRUE(job.tags.empty());
  EXPECT_EQ(job.metadata.at("k"), "v");
  EXPECT_EQ(job.version, version + 1);
  EXPECT_EQ(job.status, Status::succeeded);
}

TEST_F(EngineChange, lets_a_queued_job_overtake_by_its_priority) {
  world_.network.slots = 0;
  const std::string first = world_.submit_ok(kPing);
  world_.submit_ok(kPing);
  const std::string third = world_.submit_ok(kPing);
  EXPECT_EQ(world_.engine->queue_position(third), 3);
  ASSERT_TRUE(patch(third, priority(Priority::high)));
  EXPECT_EQ(world_.engine->queue_position(third), 1);
  EXPECT_EQ(world_.engine->queue_position(first), 2);
  EXPECT_EQ(world_.engine->counts().queued, 3u);
  world_.network.slots = 1;
  world_.engine->wake();
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.network.calls[0].job, third);
  EXPECT_EQ(patch(first, priority(Priority::low)).error().code, "not_cancelable");
}

TEST_F(EngineChange, refuses_a_change_of_a_version_that_is_gone) {
  world_.network.slots = 0;
  const std::string id = world_.submit_ok(kPing);
  JobPatch late = labels(std::vector<std::string>{"x"});
  late.if_version = 7;
  EXPECT_EQ(patch(id, late).error().code, "version_conflict");
  late.if_version = 1;
  EXPECT_TRUE(patch(id, late));
  EXPECT_EQ(patch("job_01KE0000000000000000000001", labels({})).error().code, "not_found");
  EXPECT_EQ(world_.run(world_.engine->patch("proj_2", id, labels({}))).error().code, "not_found");
}

TEST_F(EngineChange, runs_a_finished_job_again_as_a_new_one) {
  world_.network.slots = 0;
  const std::string id = world_.submit_ok(
      {{"task", "ping"}, {"tags", {"t"}}, {"requirements", {{"deadline_s", 90}, {"priority", "high"}}}, {"retry", {{"max_attempts", 5}}}});
  EXPECT_EQ(retry(id).error().code, "not_terminal");
  ASSERT_TRUE(world_.run(world_.engine->cancel("proj_1", id, std::nullopt)));
  const auto again = retry(id);
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_NE(again->job.id, id);
  EXPECT_EQ(again->job.retry_of, id);
  EXPECT_EQ(again->job.priority, Priority::high);
  EXPECT_EQ(again->job.retry.max_attempts, 5);
  EXPECT_EQ(again->job.tags, std::vector<std::string>{"t"});
  EXPECT_EQ(again->job.deadline_at - again->job.created_at, std::chrono::seconds(90));
  EXPECT_EQ(world_.job(id).status, Status::canceled);
  ASSERT_TRUE(world_.run(world_.engine->remove("proj_1", id)));
  EXPECT_EQ(retry(id).error().code, "gone");
}

TEST_F(EngineChange, erases_an_end_user) {
  world_.network.slots = 0;
  const std::string done = world_.submit_ok({{"task", "ping"}, {"end_user", "u_1"}});
  ASSERT_TRUE(world_.run(world_.engine->cancel("proj_1", done, std::nullopt)));
  const std::string queued = world_.submit_ok({{"task", "ping"}, {"end_user", "u_1"}});
  const std::string other = world_.submit_ok({{"task", "ping"}, {"end_user", "u_2"}});
  const auto erased = world_.run(world_.engine->erase_end_user("proj_1", "u_1"));
  ASSERT_TRUE(erased);
  EXPECT_EQ(erased->jobs, 2);
  EXPECT_EQ(erased->pending, 0);
  for (const std::string& id : {done, queued}) {
    EXPECT_TRUE(world_.job(id).data_removed);
    EXPECT_FALSE(world_.job(id).end_user);
    EXPECT_EQ(world_.job(id).status, Status::canceled);
  }
  EXPECT_EQ(world_.job(other).status, Status::queued);
}

TEST_F(EngineChange, lets_the_data_of_an_ephemeral_job_go_after_it_was_fetched_or_an_hour) {
  world_.network.script = [this](AttemptRequest request, AttemptObserver observer) {
    return world_.work(std::move(request), std::move(observer), {{"image", "a.jpg"}}, {}, "image/jpeg");
  };
  const auto made = [&](std::string bytes) {
    const std::string clip = world_.artifact("video/mp4", nullptr, std::move(bytes));
    const std::string id =
        world_.submit_ok({{"task", "thumbnail"}, {"input", {{"video", {{"artifact", clip}}}}}, {"ephemeral", true}, {"wait_s", 1}});
    EXPECT_TRUE(world_.until_idle());
    return std::pair(id, clip);
  };
  const auto picture = [&](const std::string& id) { return std::string(world_.job(id).output.at("image").at("artifact").as_string()); };
  const auto there = [&](const std::string& artifact) { return world_.run(world_.engine->artifact("proj_1", artifact)).has_value(); };
  const auto [fetched, its_clip] = made("one");
  const auto [left, other_clip] = made("two");
  const std::string first = picture(fetched), second = picture(left);
  ASSERT_TRUE(world_.run(world_.engine->fetched(*world_.run(world_.engine->artifact("proj_1", first)))));
  EXPECT_TRUE(there(first));  // the last bytes may have been lost on the way
  world_.advance(std::chrono::minutes(10));
  ASSERT_TRUE(world_.until([&] { return world_.job(fetched).data_removed; }));
  EXPECT_FALSE(there(first));
  EXPECT_FALSE(there(its_clip));
  EXPECT_TRUE(world_.job(fetched).input.contains("$sha256"));
  EXPECT_TRUE(there(second) && there(other_clip));
  world_.advance(std::chrono::minutes(55));
  ASSERT_TRUE(world_.until([&] { return world_.job(left).data_removed; }));
  EXPECT_FALSE(there(second) || there(other_clip));
  EXPECT_EQ(world_.history(left), "job.created job.queued job.preparing job.started job.verifying job.succeeded");
}

TEST_F(EngineChange, finds_the_job_of_an_sdks_earlier_try) {
  const auto first = sdk(0);
  const auto repeat = sdk(1);
  ASSERT_TRUE(repeat);
  EXPECT_EQ(repeat->job.id, first->job.id);
  EXPECT_TRUE(repeat->replayed);
  EXPECT_TRUE(repeat->implicit);
  EXPECT_EQ(sdk(2)->job.id, first->job.id);  // the next repeat of the same click
  EXPECT_NE(sdk(1)->job.id, first->job.id);  // that count has found it already: another click
  EXPECT_NE(sdk(1, "other")->job.id, first->job.id);
  EXPECT_NE(sdk(1, "f", "key_2")->job.id, first->job.id);
}

TEST_F(EngineChange, takes_two_clicks_for_two_jobs_and_gives_each_its_repeat) {
  const auto one = sdk(0), two = sdk(0);
  EXPECT_NE(one->job.id, two->job.id);
  EXPECT_EQ(sdk(1)->job.id, one->job.id);
  EXPECT_EQ(sdk(1)->job.id, two->job.id);
}

TEST_F(EngineChange, forgets_an_sdks_try_after_ten_minutes) {
  const auto first = sdk(0);
  world_.now += kSdkRetryWindow;
  EXPECT_NE(sdk(1)->job.id, first->job.id);
  EXPECT_TRUE(world_.run(world_.engine->sweep()));
}

TEST(DiskReserve, refuses_new_work_and_lets_running_work_end) {
  World world({.plan = {}, .disk_reserve_bytes = std::int64_t{1} << 60});  // no disk has that much room
  world.network.script = world.answer_pings();
  ASSERT_TRUE(world.recover());
  const auto refused = world.submit(kPing);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "no_capacity");
  EXPECT_TRUE(refused.error().retry_after_ms);
  Upload upload;
  upload.project = "proj_1";
  EXPECT_EQ(world.run(world.engine->create_upload(upload)).error().code, "no_capacity");
  // What workers deliver is still taken.
  EXPECT_TRUE(base::is_id("art", world.artifact("video/mp4")));
}

TEST_F(EngineChange, promises_an_eta_by_what_tasks_took_and_says_how_right_it_was) {
  const std::string first = world_.submit_ok(kPing);
  ASSERT_TRUE(world_.until_idle());
  world_.network.slots = 0;
  const std::string waiting = world_.submit_ok(kPing);
  EXPECT_FALSE(world_.engine->queue_eta_s(waiting));  // nobody could do it now
  world_.network.slots = 2;
  EXPECT_TRUE(world_.engine->queue_eta_s(waiting));
  EXPECT_FALSE(world_.engine->queue_eta_s(first));
  world_.engine->wake();
  ASSERT_TRUE(world_.until_idle());
  world_.submit_ok(kPing);
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.engine->eta_accuracy().jobs, 1);
}

TEST(SdkRetryCount, is_a_small_whole_number) {
  EXPECT_EQ(parse_sdk_retry_count("0"), 0);
  EXPECT_EQ(parse_sdk_retry_count("62"), 62);
  for (const char* text : {"", "-1", "1.5", "x", "63", "99999999999999999999", "1 "}) EXPECT_FALSE(parse_sdk_retry_count(text)) << text;
}

}  // namespace
}  // namespace kinora::jobs
