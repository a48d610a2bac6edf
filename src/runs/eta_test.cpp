#include "runs/eta.hpp"

#include "runs/testing.hpp"

namespace kinora::runs {
namespace {

using testing::Sim;

// Seconds as the tests below count with: a probe takes 2, an upscale 10, a thumbnail is not known.
std::optional<double> mean(std::string_view task, std::string_view model) {
  if (task == "ping") return 2;
  if (task == "video-upscale") return model == "kinora-sr2x" ? std::optional(10.0) : std::nullopt;
  return std::nullopt;
}
std::optional<double> eta(const Sim& sim, double fraction = 0) {
  return eta_s(
      sim.definition, sim.run, [&](std::size_t, std::size_t) { return fraction; }, mean, [](const std::string&) { return std::nullopt; });
}

TEST(RunEta, is_the_longest_way_through_the_steps) {
  // a 2 -> b 2 -> d 2, and c 2 beside b.
  Sim sim(R"({"steps":[{"id":"a","task":"ping"},{"id":"b","task":"ping","needs":["a"]},{"id":"c","task":"ping","needs":["a"]},
                       {"id":"d","task":"ping","needs":["b","c"]}]})");
  EXPECT_EQ(eta(sim), 6.0);
  sim.start("a");
  EXPECT_EQ(eta(sim, 0.5), 5.0);
  sim.succeed("a");
  EXPECT_EQ(eta(sim), 4.0);
}
TEST(RunEta, of_a_fan_out_counts_how_many_run_at_once) {
  Sim sim(R"({"steps":[{"id":"a","task":"ping","for_each":{"in":[1,2,3,4,5,6,7,8,9],"max_parallel":4}}]})");
  EXPECT_EQ(eta(sim), 4.5);  // 9 jobs of 2 s, 4 at a time
  for (std::size_t i = 0; i < 8; ++i) sim.succeed("a", json::object(), i);
  EXPECT_EQ(eta(sim), 2.0);  // one is left
}
TEST(RunEta, is_by_the_model_that_the_step_names) {
  const char* text =
      R"({"steps":[{"id":"a","task":"video-upscale","model":"MODEL","input":{"video":{"artifact":"art_01KE0000000000000000000001"}}}]})";
  std::string named = text, automatic = text;
  named.replace(named.find("MODEL"), 5, "kinora-sr2x");
  automatic.replace(automatic.find("MODEL"), 5, "auto");
  EXPECT_EQ(eta(Sim(named)), 10.0);
  EXPECT_EQ(eta(Sim(automatic)), std::nullopt);
}
TEST(RunEta, of_child_runs_is_theirs_and_those_to_come_count_as_the_longest) {
  Sim sim(R"({"steps":[{"id":"c","workflow":"wf_01KE0000000000000000000001","for_each":{"in":[1,2,3,4],"max_parallel":2}},
                       {"id":"b","task":"ping","needs":["c"]}]})");
  std::map<std::string, double> left;
  const auto child = [&](const std::string& run) -> std::optional<double> {
    return left.contains(run) ? std::optional(left[run]) : std::nullopt;
  };
  const auto eta_of_children = [&] { return eta_s(sim.definition, sim.run, [](std::size_t, std::size_t) { return 0.0; }, mean, child); };
  EXPECT_EQ(eta_of_children(), std::nullopt);  // two were made, neither says how long it takes
  left[sim.step("c").items[0].work] = 6;
  left[sim.step("c").items[1].work] = 10;
  EXPECT_EQ(eta_of_children(), 18 + 2.0);  // 6 + 10 + two of 10, two at a time, then the ping
  sim.succeed("c", json::object(), 0);
  left[sim.step("c").items[2].work] = 1;
  EXPECT_EQ(eta_of_children(), 10.5 + 2.0);
}
TEST(RunEta, is_not_known_where_somebody_is_waited_for_or_the_list_is_to_come) {
  EXPECT_EQ(eta(Sim(R"({"steps":[{"id":"a","task":"ping"},{"id":"g","gate":{"type":"manual"},"needs":["a"]}]})")), std::nullopt);
  EXPECT_EQ(eta(Sim(R"({"steps":[{"id":"a","task":"ping"},{"id":"b","task":"ping","for_each":{"in":{"$ref":"steps.a.output.params"}}}]})")),
            std::nullopt);
  Sim paused(R"({"steps":[{"id":"a","task":"ping"}]})");
  ASSERT_TRUE(pause(paused.run, paused.all));
  EXPECT_EQ(eta(paused), std::nullopt);
}

}  // namespace
}  // namespace kinora::runs
