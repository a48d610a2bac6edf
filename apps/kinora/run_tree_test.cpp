#include "kinora/run_tree.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace kinora::cli {
namespace {

namespace json = base::json;

const json::object kRun = json::parse(R"({"id": "run_1", "name": "hero", "status": "running", "steps": {
  "gen": {"kind": "task", "task": "text-to-video", "status": "succeeded", "progress": {"fraction": 1}},
  "up": {"kind": "task", "task": "video-upscale", "status": "running", "progress": {"fraction": 0.5}, "fallback": 1},
  "shots": {"kind": "task", "task": "thumbnail", "status": "queued", "progress": {"fraction": 0}, "items": {"total": 4, "succeeded": 0, "failed": 0, "running": 0}},
  "pick": {"kind": "gate", "status": "pending", "progress": {"fraction": 0}}}})")
                              .as_object();
json::object data(std::string_view text) { return json::parse(text).as_object(); }

TEST(RunTreeTest, shows_a_line_for_each_step_with_a_bar_for_those_at_work) {
  const auto lines = RunTree(kRun).lines(100);
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_EQ(lines[0], "run_1 running  hero");
  EXPECT_EQ(lines[1], "|- gen    text-to-video  succeeded");
  EXPECT_EQ(lines[2], "|- up     video-upscale  [================                ]  50%  fallback 1");
  EXPECT_EQ(lines[3], "|- shots  thumbnail      queued  0/4");
  EXPECT_EQ(lines[4], "`- pick   gate           pending");
}
TEST(RunTreeTest, follows_the_events) {
  RunTree tree(kRun);
  const StepLine* changed = tree.apply("step.progress", data(R"({"step": "up", "status": "running", "fraction": 0.75})"));
  ASSERT_NE(changed, nullptr);
  EXPECT_EQ(changed->fraction, 0.75);
  tree.apply("step.succeeded", data(R"({"step": "up", "status": "succeeded"})"));
  EXPECT_EQ(tree.lines(100)[2], "|- up     video-upscale  succeeded");
  tree.apply("step.waiting", data(R"({"step": "pick", "status": "waiting"})"));
  EXPECT_NE(tree.lines(100)[4].find("waits for an answer"), std::string::npos);
  EXPECT_EQ(tree.apply("run.failed", data(R"({"status": "failed"})")), nullptr);
  EXPECT_EQ(tree.status(), "failed");
  EXPECT_EQ(tree.apply("step.started", data(R"({"step": "unknown"})")), nullptr);
}
TEST(RunTreeTest, an_item_that_failed_stands_below_its_step_with_the_reason) {
  RunTree tree(kRun);
  tree.apply("step.item_failed",
             data(R"({"step": "shots", "status": "running", "index": 2, "error": {"code": "no_capacity", "detail": "nobody"},
                                          "items": {"total": 4, "succeeded": 1, "failed": 1, "running": 2}})"));
  const auto lines = tree.lines(100);
  EXPECT_NE(lines[3].find("1/4, 1 failed"), std::string::npos);
  EXPECT_EQ(lines[4], "|  `- shots[2]  failed  nobody (no_capacity)");
  // A retry begins anew.
  tree.apply("step.ready",
             data(R"({"step": "shots", "status": "queued", "items": {"total": 4, "succeeded": 0, "failed": 0, "running": 0}})"));
  EXPECT_EQ(tree.lines(100).size(), 5u);
}
TEST(RunTreeTest, is_never_wider_or_higher_than_the_terminal) {
  RunTree tree(kRun);
  tree.apply(
      "step.failed",
      data(
          R"({"step": "gen", "status": "failed", "error": {"code": "x", "detail": "a\nlong\nreason that goes on and on and on and on and on"}})"));
  for (int columns = 1; columns < 120; columns += 7)
    for (const std::string& line : tree.lines(columns)) {
      EXPECT_LE(line.size(), static_cast<std::size_t>(columns));
      EXPECT_EQ(line.find('\n'), std::string::npos);
    }
  EXPECT_EQ(tree.lines(100, 3).size(), 3u);
  EXPECT_NE(tree.lines(100, 3).back().find("3 more lines"), std::string::npos);
}
TEST(RunDisplayTest, writes_plain_lines_of_changes_where_there_is_no_terminal) {
  std::FILE* out = std::tmpfile();
  {
    RunTree tree(kRun);
    RunDisplay display(out, false);
    for (const double fraction : {0.51, 0.52, 0.58, 0.61}) {
      const json::object event{{"step", "up"}, {"status", "running"}, {"fraction", fraction}};
      display.show(tree, tree.apply("step.progress", event));
    }
    display.finish(tree, "done", /*failed=*/false);
  }
  ASSERT_EQ(std::fseek(out, 0, SEEK_SET), 0);
  std::string all(4096, '\0');
  all.resize(std::fread(all.data(), 1, all.size(), out));
  std::fclose(out);
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 3);  // 50 %, 60 %, the end
  EXPECT_EQ(all.find('\033'), std::string::npos);
  EXPECT_NE(all.find(" 60%"), std::string::npos);
  EXPECT_TRUE(all.ends_with("done\n"));
}
TEST(RunDisplayTest, tells_of_a_failure_even_when_quiet) {
  std::FILE* out = std::tmpfile();
  RunTree tree(kRun);
  RunDisplay(out, /*quiet=*/true).finish(tree, "done", /*failed=*/false);
  EXPECT_EQ(std::ftell(out), 0);
  RunDisplay(out, /*quiet=*/true).finish(tree, "failed", /*failed=*/true);
  EXPECT_EQ(std::ftell(out), 7);  // "failed" and the end of the line
  std::fclose(out);
}

}  // namespace
}  // namespace kinora::cli
