// One task on several nodes: races, quorums, the best of several, over a scripted network.
#include <gtest/gtest.h>

#include "jobs/testing.hpp"

namespace kinora::jobs {
namespace {

using testing::World;

json::value job(int replicas, const char* mode, int max_attempts = 1) {
  return {{"task", "ping"},
          {"requirements", {{"redundancy", {{"replicas", replicas}, {"mode", mode}}}}},
          {"retry", {{"max_attempts", max_attempts}, {"initial_ms", 0}}}};
}

// best_score is for tasks that make pictures.
json::value picture_job(int replicas) {
  json::value body = job(replicas, "best_score");
  body.as_object()["task"] = "text-to-image";
  body.as_object()["input"] = {{"prompt", "a fox"}};
  return body;
}

class Replicas : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(world_.recover()); }
  // Each attempt goes to a node of its own and gives the next value; null hangs, a text is a failure.
  void answer(std::vector<json::value> values) {
    auto left = std::make_shared<std::deque<json::value>>(values.begin(), values.end());
    world_.network.script = [this, left](AttemptRequest request, AttemptObserver observer) -> Task<AttemptOutcome> {
      const json::value value = left->front();
      left->pop_front();
      const std::string node = "node-" + std::to_string(++nodes_);
      observer.on_node(node);
      if (value.is_null()) {
        observer.on_node = [](std::string_view) {};  // hang() names a node of its own
        co_return co_await world_.hang(observer);
      }
      if (value.is_string()) co_return outcome::Failed{tasks::failure(value.as_string(), "as the script says"), node};
      if (request.order.task == "text-to-image") {
        observer.on_node = [](std::string_view) {};
        const std::string name = "images/" + std::to_string(value.as_int64()) + ".png";
        co_return co_await world_.work(request, observer, {{"images", name}}, {{"ping", {{"value", value}}}}, "image/png");
      }
      tasks::TaskResult result;
      result.outputs = {{"ping", {{"value", value}}}};
      co_return outcome::Succeeded{std::move(result), node};
    };
  }
  std::vector<Attempt> attempts(const std::string& id) { return *world_.run(world_.engine->attempts("proj_1", id)); }
  int nodes_ = 0;
  World world_;
};

TEST_F(Replicas, race_and_the_first_valid_one_wins_while_the_others_are_canceled) {
  answer({nullptr, 7, nullptr});
  const std::string id = world_.submit_ok(job(3, "first_valid"));
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(id).output.at("ping").at("value"), 7);
  ASSERT_TRUE(world_.until([&] { return world_.engine->counts().running_attempts == 0; })) << "the losers go on";
  int delivered = 0, canceled = 0;
  for (const Attempt& attempt : attempts(id)) {
    delivered += attempt.state == "delivered";
    canceled += attempt.state == "canceled";
  }
  EXPECT_EQ(delivered, 1);
  EXPECT_GE(canceled, 1);
  EXPECT_EQ(world_.history(id), "job.created job.queued job.preparing job.started job.succeeded");
}

TEST_F(Replicas, go_to_different_nodes) {
  answer({nullptr, nullptr, 1});
  world_.submit_ok(job(3, "first_valid"));
  ASSERT_TRUE(world_.until_idle());
  ASSERT_EQ(world_.network.calls.size(), 3u);
  EXPECT_TRUE(world_.network.calls[0].avoid_nodes.empty());
  EXPECT_EQ(world_.network.calls[1].avoid_nodes, std::vector<std::string>{"node-1"});
  EXPECT_EQ(world_.network.calls[2].avoid_nodes, (std::vector<std::string>{"node-1", "node-2"}));
}

TEST_F(Replicas, make_a_quorum_of_equal_results) {
  answer({1, 2, 2});
  const std::string id = world_.submit_ok(job(3, "quorum"));
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(id).output.at("ping").at("value"), 2);
}

TEST_F(Replicas, fail_without_a_quorum) {
  answer({1, 2, 3});
  const std::string id = world_.submit_ok(job(3, "quorum"));
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(id).status, Status::failed);
  EXPECT_EQ(world_.job(id).error.at("code"), "verification_failed");
  EXPECT_EQ(world_.job(id).error.at("detail"), "no 2 of 3 results are equal");
}

TEST_F(Replicas, are_all_awaited_for_the_best) {
  answer({3, 9, 5});
  const std::string id = world_.submit_ok(picture_job(3));
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(id).output.at("images").at(0).at("filename"), "9.png");
  EXPECT_EQ(attempts(id).size(), 3u);
}

TEST_F(Replicas, may_fail_as_long_as_one_is_valid) {
  answer({"worker_error", 5, "input_invalid"});
  const std::string id = world_.submit_ok(picture_job(3));
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(id).output.at("images").at(0).at("filename"), "5.png");
  answer({"worker_error", "worker_error"});
  const std::string none = world_.submit_ok(job(2, "first_valid"));
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(none).status, Status::failed);
  EXPECT_EQ(world_.job(none).error.at("code"), "worker_error");
}

TEST_F(Replicas, are_tried_again_each_for_itself) {
  answer({"worker_error", 4, 4});
  const std::string id = world_.submit_ok(job(2, "quorum", 2));
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(id).status, Status::succeeded) << json::serialize(world_.job(id).error);
}

TEST_F(Replicas, go_on_after_a_restart_with_the_results_that_are_there) {
  answer({1, nullptr, nullptr});
  const std::string id = world_.submit_ok(job(3, "quorum"));
  ASSERT_TRUE(world_.until([&] { return nodes_ == 3; }));
  ASSERT_TRUE(world_.until([&] {
    const auto all = attempts(id);
    return std::any_of(all.begin(), all.end(), [](const Attempt& one) { return one.state == "delivered"; });
  }));
  world_.kill();
  answer({2, 1});
  world_.start();
  ASSERT_TRUE(world_.recover());
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(id).output.at("ping").at("value"), 1);
}

TEST_F(Replicas, are_all_canceled_with_their_job) {
  answer({nullptr, nullptr});
  const std::string id = world_.submit_ok(job(2, "first_valid"));
  ASSERT_TRUE(world_.until([&] { return nodes_ == 2; }));
  ASSERT_TRUE(world_.run(world_.engine->cancel("proj_1", id, std::nullopt)));
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(id).status, Status::canceled);
  EXPECT_EQ(world_.engine->counts().running_attempts, 0u);
}

TEST_F(Replicas, are_one_to_five_in_a_known_mode) {
  for (const json::value& wrong : {job(0, "quorum"), job(6, "quorum"), job(2, "vote")})
    EXPECT_EQ(world_.submit(wrong).error().code, "invalid_field") << json::serialize(wrong);
}

TEST_F(Replicas, of_a_task_without_pictures_cannot_be_measured) {
  const auto refused = world_.submit(job(2, "best_score"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().errors.at(0).pointer, "/requirements/redundancy/mode");
  EXPECT_EQ(refused.error().errors.at(0).detail,
            "\"best_score\" measures pictures, and this task makes none: take \"first_valid\" or \"quorum\"");
}

}  // namespace
}  // namespace kinora::jobs
