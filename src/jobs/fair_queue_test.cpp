#include "jobs/fair_queue.hpp"

#include <gtest/gtest.h>

namespace kinora::jobs {
namespace {

std::string drain(FairQueue& queue) {
  std::string out;
  while (const auto task = queue.pop()) out += task->job + " ";
  return out;
}

TEST(FairQueue, is_first_in_first_out_for_one_owner) {
  FairQueue queue;
  for (const char* job : {"a", "b", "c"}) queue.push(Priority::normal, "k", {job, "run", 0});
  EXPECT_EQ(drain(queue), "a b c ");
  EXPECT_TRUE(queue.empty());
}

TEST(FairQueue, lets_owners_take_turns) {
  FairQueue queue;
  for (int i = 0; i < 4; ++i) queue.push(Priority::normal, "busy", {"b" + std::to_string(i), "run", 0});
  queue.push(Priority::normal, "small", {"s0", "run", 0});
  EXPECT_EQ(queue.position("s0"), 2);
  EXPECT_EQ(queue.position("b3"), 5);
  EXPECT_EQ(drain(queue), "b0 s0 b1 b2 b3 ");
}

TEST(FairQueue, serves_higher_priorities_first) {
  FairQueue queue;
  queue.push(Priority::low, "k", {"low", "run", 0});
  queue.push(Priority::normal, "k", {"normal", "run", 0});
  queue.push(Priority::realtime, "k", {"now", "run", 0});
  queue.push(Priority::high, "k", {"high", "run", 0});
  EXPECT_EQ(queue.top(), Priority::realtime);
  EXPECT_EQ(queue.position("low"), 4);
  EXPECT_EQ(drain(queue), "now high normal low ");
  EXPECT_EQ(queue.top(), std::nullopt);
}

TEST(FairQueue, puts_a_refused_one_back_to_its_place) {
  FairQueue queue;
  for (const char* job : {"a", "b"}) queue.push(Priority::normal, "k", {job, "run", 0});
  queue.push(Priority::normal, "other", {"x", "run", 0});
  const auto first = *queue.pop();
  queue.push_front(Priority::normal, "k", first);
  EXPECT_EQ(queue.size(), 3u);
  EXPECT_EQ(drain(queue), "a x b ");
}

TEST(FairQueue, forgets_a_job_with_all_its_tasks) {
  FairQueue queue;
  for (int i = 0; i < 3; ++i) queue.push(Priority::normal, "k", {"a", "chunk", i});
  queue.push(Priority::high, "l", {"a", "chunk", 3});
  queue.push(Priority::normal, "k", {"b", "run", 0});
  queue.erase_job("a");
  EXPECT_EQ(queue.size(), 1u);
  EXPECT_EQ(queue.position("a"), 0);
  EXPECT_EQ(queue.position("b"), 1);
  EXPECT_EQ(drain(queue), "b ");
}

TEST(FairQueue, tells_positions_that_come_true) {
  FairQueue queue;
  for (int i = 0; i < 5; ++i) queue.push(Priority::normal, "k" + std::to_string(i % 2), {"j" + std::to_string(i), "run", 0});
  queue.push(Priority::high, "k0", {"h", "run", 0});
  std::vector<std::string> jobs{"h", "j0", "j1", "j2", "j3", "j4"};
  std::map<std::string, std::int64_t> told;
  for (const auto& job : jobs) told[job] = queue.position(job);
  for (std::int64_t at = 1; const auto task = queue.pop(); ++at) EXPECT_EQ(told[task->job], at) << task->job;
}

}  // namespace
}  // namespace kinora::jobs
