#include "runs/scheduler.hpp"

#include <gtest/gtest.h>

#include "runs/testing.hpp"

namespace kinora::runs {
namespace {

using testing::Sim;
using namespace std::chrono_literals;

constexpr std::string_view kChain =
    R"({"steps":[{"id":"a","task":"ping"},{"id":"b","task":"ping","needs":["a"]}],"outputs":{"o":{"$ref":"steps.b.output.x"}}})";

TEST(Scheduler, runs_steps_in_the_order_of_their_references_and_tells_of_each_state) {
  Sim sim(kChain);
  EXPECT_EQ(sim.status("a"), "queued");
  EXPECT_EQ(sim.status("b"), "pending");
  sim.start("a");
  sim.succeed("a");
  EXPECT_EQ(sim.status("b"), "queued");
  sim.start("b");
  sim.succeed("b", {{"x", 5}});
  EXPECT_EQ(sim.status(), "succeeded");
  EXPECT_EQ(sim.run.outputs.at("o"), 5);
  EXPECT_EQ(sim.history(),
            "step.ready:a run.started step.started:a step.succeeded:a step.ready:b step.started:b step.succeeded:b run.output_available "
            "run.succeeded");
  EXPECT_FALSE(next_due(sim.definition, sim.run));
}

TEST(Scheduler, cancels_what_comes_after_a_failure_and_finishes_other_branches) {
  Sim sim(R"({"steps":[{"id":"a","task":"ping"},{"id":"b","task":"ping","needs":["a"]},{"id":"c","task":"ping"}]})");
  sim.fail("a");
  EXPECT_EQ(sim.status("b"), "canceled");
  EXPECT_EQ(sim.step("b").reason, "upstream_failed");
  EXPECT_EQ(sim.status(), "running");
  sim.succeed("c");
  EXPECT_EQ(sim.status(), "partially_succeeded");
  EXPECT_EQ(sim.run.failures.size(), 1u);
  Sim all(kChain);
  all.fail("a");
  EXPECT_EQ(all.status(), "failed");
  EXPECT_EQ(all.run.error.at("code"), "worker_error");
}

TEST(Scheduler, stops_everything_with_fail_fast) {
  Sim sim(R"({"fail_fast":true,"steps":[{"id":"a","task":"ping"},{"id":"c","task":"ping"},{"id":"d","task":"ping","needs":["c"]}]})");
  sim.start("c");
  sim.fail("a");
  EXPECT_EQ(sim.step("c").items[0].stop, Stop::cancel);
  EXPECT_EQ(sim.status("d"), "canceled");
  sim.canceled("c");
  EXPECT_EQ(sim.status(), "failed");
}

TEST(Scheduler, skips_by_when_and_what_needs_the_skipped_output) {
  constexpr std::string_view kText = R"({"steps":[{"id":"a","task":"ping","when":"args.go"},
    {"id":"needs_only","task":"ping","needs":["a"]},{"id":"data","task":"probe","input":{"media":{"$ref":"steps.a.output.v"}}},
    {"id":"optional","task":"probe","input":{"media":{"$ref":"steps.a.output.v?"}}},
    {"id":"asks","task":"ping","when":"steps.a.status == 'skipped'"}],
    "outputs":{"v":{"$first":[{"$ref":"steps.data.output.v"},{"$ref":"steps.needs_only.output.v"}]}}})";
  Sim sim(kText, {{"go", false}});
  EXPECT_EQ(sim.status("a"), "skipped");
  EXPECT_EQ(sim.status("data"), "skipped");
  for (const char* id : {"needs_only", "optional", "asks"}) {
    EXPECT_EQ(sim.status(id), "queued") << id;
    sim.succeed(id, {{"v", 1}});
  }
  EXPECT_EQ(sim.status(), "succeeded");
  EXPECT_FALSE(sim.run.degraded);
  Sim broken(kText, {{"go", "yes"}});
  EXPECT_EQ(broken.status("a"), "failed");
  EXPECT_EQ(broken.step("a").error.at("code"), "expr_error");
}

TEST(Scheduler, goes_on_after_a_failure_that_may_be_and_says_that_the_run_is_degraded) {
  Sim sim(
      R"({"steps":[{"id":"a","task":"ping","on_failure":"continue"},{"id":"b","task":"probe","input":{"media":{"$ref":"steps.a.output.v?"}}},
    {"id":"c","task":"probe","input":{"media":{"$ref":"steps.a.output.v"}}}]})");
  sim.fail("a");
  EXPECT_EQ(sim.status("c"), "skipped");
  sim.succeed("b");
  EXPECT_EQ(sim.status(), "succeeded");
  EXPECT_TRUE(sim.run.degraded);
  EXPECT_EQ(sim.run.failures.at(0).at("step"), "a");
}

TEST(Scheduler, tries_the_fallbacks_in_order) {
  constexpr std::string_view kText =
      R"({"steps":[{"id":"up","task":"video-upscale","model":"a","on_failure":"fallback","fallback":[{"model":"b"},{"model":"c"}]}]})";
  Sim sim(kText);
  const std::string first = sim.step("up").items[0].work;
  sim.fail("up");
  EXPECT_EQ(sim.status("up"), "queued");
  EXPECT_EQ(job_body(sim.definition, sim.run, 0, 0, sim.now)->at("model"), "b");
  EXPECT_NE(sim.step("up").items[0].work, first);
  sim.succeed("up");
  EXPECT_EQ(sim.status(), "succeeded");
  EXPECT_EQ(sim.step("up").items[0].variant, 1);
  Sim none(kText);
  for (int i = 0; i < 3; ++i) none.fail("up");
  EXPECT_EQ(none.status(), "failed");
}

constexpr std::string_view kFan =
    R"({"steps":[{"id":"fan","task":"ping","for_each":{"in":{"$ref":"args.list"},"max_parallel":3,"max_items":20,"on_item_failure":"MODE"}},
    {"id":"join","task":"probe","needs":["fan"]}],"outputs":{"all":{"$ref":"steps.fan[*].output.n"}}})";
std::string fan(std::string_view mode) {
  std::string text(kFan);
  return text.replace(text.find("MODE"), 4, mode);
}
json::object list_of(int size) {
  json::array list;
  for (int i = 0; i < size; ++i) list.emplace_back(i);
  return {{"list", list}};
}
int active(Sim& sim) { return sim.step("fan").active; }

TEST(FanOut, keeps_to_its_parallel_items_and_joins) {
  Sim sim(fan("fail_at_end"), list_of(5));
  EXPECT_EQ(active(sim), 3);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_LE(active(sim), 3);
    sim.start("fan", i);
    sim.succeed("fan", {{"n", i}}, i);
  }
  EXPECT_EQ(sim.status("join"), "queued");
  sim.succeed("join");
  EXPECT_EQ(json::serialize(sim.run.outputs.at("all")), "[0,1,2,3,4]");
}

TEST(FanOut, of_nothing_succeeds) {
  Sim sim(fan("continue"), list_of(0));
  EXPECT_EQ(sim.status("fan"), "succeeded");
}

// developer-api 5.18 test 10, with 20 items of which 3 fail.
TEST(FanOut, with_three_of_twenty_failing_ends_as_its_mode_says) {
  const auto work = [](Sim& sim) {
    for (std::size_t i = 0; i < 20; ++i) {
      if (terminal(sim.step("fan").items[i].status)) continue;
      if (i % 7 == 2)
        sim.fail("fan", i);
      else
        sim.succeed("fan", {{"n", i}}, i);
    }
  };
  Sim goes_on(fan("continue"), list_of(20));
  work(goes_on);
  EXPECT_EQ(goes_on.status("fan"), "succeeded");
  goes_on.succeed("join");
  EXPECT_EQ(goes_on.status(), "succeeded");
  EXPECT_TRUE(goes_on.run.degraded);
  EXPECT_EQ(goes_on.run.failures.size(), 3u);
  EXPECT_EQ(goes_on.run.outputs.at("all").as_array().size(), 17u);

  Sim at_end(fan("fail_at_end"), list_of(20));
  work(at_end);
  EXPECT_EQ(at_end.status("fan"), "failed");
  EXPECT_EQ(at_end.step("fan").bad, 3u);
  EXPECT_EQ(at_end.status("join"), "canceled");

  Sim fast(fan("fail_fast"), list_of(20));
  fast.start("fan", 0);
  fast.start("fan", 1);
  fast.fail("fan", 2);
  EXPECT_EQ(fast.step("fan").items[0].stop, Stop::cancel);
  EXPECT_EQ(fast.step("fan").items[10].status, ItemStatus::canceled);
  fast.canceled("fan", 0);
  fast.canceled("fan", 1);
  EXPECT_EQ(fast.status("fan"), "failed");

  // A retry runs the three alone.
  Touched touched;
  ASSERT_TRUE(retry(goes_on.definition, goes_on.run, {}, goes_on.now, 3600, touched));
  EXPECT_EQ(goes_on.run.generation, 2);
  goes_on.settle();
  EXPECT_EQ(active(goes_on), 3);
  for (const std::size_t i : {2u, 9u, 16u}) goes_on.succeed("fan", {{"n", i}}, i);
  EXPECT_EQ(goes_on.status("join"), "queued");  // it has more to join now
  goes_on.succeed("join");
  EXPECT_EQ(goes_on.run.outputs.at("all").as_array().size(), 20u);
  EXPECT_FALSE(goes_on.run.degraded);
}

TEST(FanOut, larger_than_allowed_fails_the_step) {
  Sim sim(fan("continue"), list_of(21));
  EXPECT_EQ(sim.step("fan").error.at("code"), "fanout_too_large");
  std::string many = R"({"steps":[)";
  for (int i = 0; i < 6; ++i)
    many +=
        (i == 0 ? "" : ",") + std::string(R"({"id":"s)") + std::to_string(i) + R"(","task":"ping","for_each":{"in":{"$ref":"args.list"}}})";
  Sim total(many + "]}", list_of(1000));
  EXPECT_EQ(total.status("s4"), "queued");
  EXPECT_EQ(total.step("s5").error.at("code"), "fanout_too_large");
}

constexpr std::string_view kGate =
    R"({"steps":[{"id":"ok","gate":{"type":"manual","timeout_s":60,"on_timeout":"MODE"}},{"id":"after","task":"ping","needs":["ok"]}]})";
std::string gate(std::string_view mode) {
  std::string text(kGate);
  return text.replace(text.find("MODE"), 4, mode);
}

TEST(Gates, wait_for_an_answer_or_their_time) {
  Sim yes(gate("expire"));
  EXPECT_EQ(yes.status("ok"), "waiting");
  ASSERT_TRUE(answer_gate(yes.definition, yes.run, 0, {{"approved", true}, {"by", "key_1"}}, yes.all));
  yes.settle();
  EXPECT_EQ(yes.status("after"), "queued");
  EXPECT_FALSE(answer_gate(yes.definition, yes.run, 0, {{"approved", true}}, yes.all));

  Sim no(gate("expire"));
  ASSERT_TRUE(answer_gate(no.definition, no.run, 0, {{"approved", false}}, no.all));
  no.settle();
  EXPECT_EQ(no.step("ok").error.at("code"), "gate_rejected");
  EXPECT_EQ(no.status(), "failed");

  for (const auto& [mode, status] : {std::pair("expire", "expired"), std::pair("approve", "succeeded"), std::pair("reject", "failed")}) {
    Sim late{gate(mode)};
    EXPECT_EQ(next_due(late.definition, late.run), late.now + 60s);
    late.now += 60s;
    late.settle();
    EXPECT_EQ(late.status("ok"), status);
  }
}

TEST(Runs, are_canceled_with_what_is_at_work) {
  Sim sim(kChain);
  sim.start("a");
  ASSERT_TRUE(cancel(sim.run, "enough", sim.all));
  sim.settle();
  EXPECT_EQ(sim.status(), "canceling");
  EXPECT_EQ(sim.status("b"), "canceled");
  sim.canceled("a");
  EXPECT_EQ(sim.status(), "canceled");
  EXPECT_EQ(cancel(sim.run, std::nullopt, sim.all).error().code, "not_cancelable");
}

TEST(Runs, expire_at_their_deadline) {
  Sim sim(kChain);
  sim.start("a");
  sim.now += 1h;
  sim.settle();
  EXPECT_EQ(sim.step("a").items[0].stop, Stop::expire);
  sim.canceled("a");
  EXPECT_EQ(sim.status("a"), "expired");
  EXPECT_EQ(sim.status(), "expired");
}

TEST(Runs, pause_when_nothing_is_at_work_and_their_clock_stands_still) {
  Sim sim(kChain);
  sim.start("a");
  ASSERT_TRUE(pause(sim.run, sim.all));
  sim.settle();
  EXPECT_EQ(sim.status(), "pausing");
  sim.succeed("a");
  EXPECT_EQ(sim.status(), "paused");
  EXPECT_EQ(sim.status("b"), "pending");
  const auto deadline = sim.run.deadline_at;
  sim.now += 2h;
  sim.settle();
  EXPECT_EQ(sim.status(), "paused");
  ASSERT_TRUE(resume(sim.run, sim.now, sim.all));
  sim.settle();
  EXPECT_EQ(sim.run.deadline_at, deadline + 2h);
  EXPECT_EQ(sim.status("b"), "queued");
  ASSERT_TRUE(pause(sim.run, sim.all));
  sim.succeed("b", {{"x", 1}});
  EXPECT_EQ(sim.status(), "succeeded");

  Sim forgotten(gate("expire"));
  ASSERT_TRUE(pause(forgotten.run, forgotten.all));
  forgotten.settle();
  forgotten.now += std::chrono::hours(24 * 7);
  forgotten.settle();
  EXPECT_EQ(forgotten.status(), "expired");
}

TEST(Runs, give_a_step_no_more_than_its_time) {
  Sim sim(R"({"steps":[{"id":"a","task":"ping","timeouts":{"start_to_close_s":5,"schedule_to_start_s":7,"schedule_to_close_s":9}}]})");
  const auto body = job_body(sim.definition, sim.run, 0, 0, sim.now);
  EXPECT_EQ(json::serialize(body->at("requirements")), R"({"deadline_s":9,"start_timeout_s":7})");
  sim.now += 6s;
  sim.settle();
  EXPECT_EQ(sim.step("a").items[0].stop, Stop::none);  // it has not started
  sim.start("a");
  EXPECT_EQ(next_due(sim.definition, sim.run), sim.now + 5s);
  sim.now += 5s;
  sim.settle();
  sim.canceled("a");
  EXPECT_EQ(sim.status("a"), "expired");
}

TEST(Runs, are_retried_as_a_new_generation_from_a_step_on) {
  Sim sim(kChain);
  sim.succeed("a");
  sim.fail("b");
  const std::string before = sim.step("b").items[0].work;
  ASSERT_TRUE(retry(sim.definition, sim.run, {}, sim.now, 3600, sim.all));
  sim.settle();
  EXPECT_EQ(sim.status("a"), "reused");
  EXPECT_EQ(sim.status("b"), "queued");
  EXPECT_NE(sim.step("b").items[0].work, before);
  sim.succeed("b", {{"x", 1}});
  EXPECT_EQ(sim.status(), "succeeded");
  Touched touched;
  EXPECT_EQ(retry(sim.definition, sim.run, {}, sim.now, 3600, touched).error().code, "invalid_field");
  ASSERT_TRUE(retry(sim.definition, sim.run, {0}, sim.now, 3600, touched));
  sim.settle();
  EXPECT_EQ(sim.status("a"), "queued");
  EXPECT_EQ(sim.status("b"), "pending");
  EXPECT_FALSE(sim.run.outputs.contains("o"));
}

TEST(Runs, let_go_of_intermediate_artifacts_when_the_last_consumer_has_ended) {
  Sim sim(
      R"({"steps":[{"id":"a","task":"ping","keep":false},{"id":"b","task":"ping","needs":["a"]},{"id":"c","task":"ping","needs":["a"]}]})");
  sim.succeed("a");
  sim.succeed("b");
  EXPECT_TRUE(sim.all.release.empty());
  sim.succeed("c");
  EXPECT_EQ(sim.all.release, std::set<std::size_t>{0});
}

TEST(JobBody, turns_outputs_into_inputs) {
  Sim sim(R"({"steps":[{"id":"up","task":"video-upscale","input":{"video":{"$ref":"args.clip"}}},
    {"id":"t","task":"thumbnail","input":{"video":{"$ref":"steps.up.output.video"},"at_s":{"$expr":"steps.up.output.video.video.duration_s / 2"}}}]})",
          {{"clip", {{"artifact", "art_1"}}}});
  EXPECT_EQ(json::serialize(job_body(sim.definition, sim.run, 0, 0, sim.now)->at("input")), R"({"video":{"artifact":"art_1"}})");
  sim.succeed("up", json::parse(R"({"video":{"artifact":"art_2","sha256":"ab","bytes":5,"video":{"duration_s":3.0}}})"));
  EXPECT_EQ(json::serialize(job_body(sim.definition, sim.run, 1, 0, sim.now)->at("input")),
            R"({"video":{"artifact":"art_2"},"at_s":1.5E0})");
}

}  // namespace
}  // namespace kinora::runs
