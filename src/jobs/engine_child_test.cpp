// Jobs that are steps of a run: an id chosen by the run, a parent, and a listener that is told after each commit.
#include <gtest/gtest.h>

#include "jobs/testing.hpp"

namespace kinora::jobs {
namespace {

using testing::World;

constexpr std::string_view kId = "job_01KE0000000000000000000042";

Outcome<SubmitAnswer> submit_child(World& world, std::optional<std::string> prefer_node = std::nullopt) {
  SubmitRequest request;
  request.project = "proj_1";
  request.key = "key_1";
  request.body = {{"task", "ping"}};
  request.id = std::string(kId);
  request.parent = JobParent{"run_01KE0000000000000000000001", "gen", 3};
  request.prefer_node = std::move(prefer_node);
  return world.run(world.engine->submit(std::move(request)));
}

TEST(ChildJob, is_made_once_under_its_chosen_id_also_after_a_restart) {
  World world;
  world.network.script = world.answer_pings();
  ASSERT_TRUE(world.recover());
  const auto first = submit_child(world);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->job.id, kId);
  EXPECT_FALSE(first->replayed);
  const auto second = submit_child(world);
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->replayed);
  ASSERT_TRUE(world.until_idle());
  world.kill();
  world.start();
  ASSERT_TRUE(world.recover());
  const auto third = submit_child(world);
  ASSERT_TRUE(third);
  EXPECT_TRUE(third->replayed);
  EXPECT_EQ(third->job.status, Status::succeeded);
  EXPECT_EQ(world.network.runs, 1u);
}

TEST(ChildJob, shows_its_parent_and_is_found_by_its_run) {
  World world;
  world.network.slots = 0;
  ASSERT_TRUE(world.recover());
  ASSERT_TRUE(submit_child(world));
  world.submit_ok({{"task", "ping"}});
  const Job job = world.job(std::string(kId));
  ASSERT_TRUE(job.parent);
  EXPECT_EQ(job.parent->step, "gen");
  EXPECT_EQ(job.parent->index, 3);
  JobFilter filter;
  filter.run = "run_01KE0000000000000000000001";
  const auto listed = world.run(world.engine->list("proj_1", filter, {}));
  ASSERT_EQ(listed->data.size(), 1u);
  EXPECT_EQ(listed->data[0].id, kId);
}

TEST(ChildJob, tells_the_listener_of_each_stored_state_and_no_other_job) {
  World world;
  std::vector<std::string> seen;
  world.engine->on_child([&](const Job& job) {
    EXPECT_EQ(job.id, kId);
    if (seen.empty() || seen.back() != name(job.status)) seen.emplace_back(name(job.status));
  });
  world.network.script = world.answer_pings();
  ASSERT_TRUE(world.recover());
  world.submit_ok({{"task", "ping"}});
  ASSERT_TRUE(submit_child(world));
  ASSERT_TRUE(world.until([&] { return !seen.empty() && seen.back() == "succeeded"; }));
  EXPECT_EQ(seen, (std::vector<std::string>{"queued", "running", "succeeded"}));
  EXPECT_EQ(world.job(std::string(kId)).status, Status::succeeded);
}

TEST(ChildJob, asks_the_preferred_node_first) {
  World world;
  world.network.script = world.answer_pings();
  ASSERT_TRUE(world.recover());
  ASSERT_TRUE(submit_child(world, "node-b"));
  ASSERT_TRUE(world.until_idle());
  EXPECT_EQ(world.network.calls.at(0).prefer_node, "node-b");
}

}  // namespace
}  // namespace kinora::jobs
