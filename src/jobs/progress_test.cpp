#include "jobs/progress.hpp"

#include <gtest/gtest.h>

namespace kinora::jobs {
namespace {

using namespace std::chrono_literals;

tasks::Progress at(double fraction, std::string stage = "run") { return {fraction, std::move(stage), 0, 100, "frame", 20.0, std::nullopt}; }
constexpr base::UnixMillis kStart{1'767'225'600'000ms};

TEST(JobProgress, weighs_tasks_by_their_frames) {
  JobProgress progress;
  progress.add({"chunk", 0}, 300);
  progress.add({"chunk", 1}, 100);
  progress.update({"chunk", 0}, at(0.5), kStart);
  EXPECT_DOUBLE_EQ(progress.fraction(), 0.375);  // 150 of 400
  progress.finish({"chunk", 1});
  EXPECT_DOUBLE_EQ(progress.fraction(), 0.625);  // 250 of 400
  const auto json = progress.to_json(kStart);
  EXPECT_EQ(json.at("units_done"), 250);
  EXPECT_EQ(json.at("units_total"), 400);
  EXPECT_EQ(json.at("unit"), "frame");
}

TEST(JobProgress, never_goes_back) {
  JobProgress progress;
  progress.add({"run", 0}, 1);
  progress.update({"run", 0}, at(0.6), kStart);
  progress.restart({"run", 0});
  EXPECT_DOUBLE_EQ(progress.fraction(), 0.6);
  progress.update({"run", 0}, at(0.1), kStart);
  EXPECT_DOUBLE_EQ(progress.fraction(), 0.6);
  progress.add({"chunk", 0}, 10);  // more work than was known
  EXPECT_DOUBLE_EQ(progress.fraction(), 0.6);
}

TEST(JobProgress, adds_the_speed_of_chunks_that_run) {
  JobProgress progress;
  progress.add({"chunk", 0}, 100);
  progress.add({"chunk", 1}, 100);
  progress.update({"chunk", 0}, at(0.2), kStart);
  progress.update({"chunk", 1}, at(0.2), kStart);
  EXPECT_EQ(progress.to_json(kStart).at("fps"), 40.0);
  progress.finish({"chunk", 0});
  EXPECT_EQ(progress.to_json(kStart).at("fps"), 20.0);
}

TEST(JobProgress, estimates_what_is_left_from_its_own_pace) {
  JobProgress progress;
  progress.add({"run", 0}, 1);
  progress.update({"run", 0}, at(0.01), kStart);
  EXPECT_TRUE(progress.to_json(kStart).at("eta_s").is_null());
  progress.update({"run", 0}, at(0.25), kStart + 30s);
  EXPECT_EQ(progress.to_json(kStart + 30s).at("eta_s"), 90.0);  // a quarter took 30 s
  EXPECT_EQ(progress.to_json(kStart + 30s).at("eta_confidence"), "medium");
}

TEST(JobProgress, is_due_twice_a_second_and_only_after_a_change) {
  JobProgress progress;
  progress.add({"run", 0}, 1);
  EXPECT_FALSE(progress.due(kStart));
  progress.update({"run", 0}, at(0.1), kStart);
  EXPECT_TRUE(progress.due(kStart));
  EXPECT_FALSE(progress.due(kStart + 500ms));
  progress.update({"run", 0}, at(0.2), kStart + 1ms);
  EXPECT_FALSE(progress.due(kStart + 499ms));
  EXPECT_TRUE(progress.due(kStart + 500ms));
}

}  // namespace
}  // namespace kinora::jobs
