// Runs over the real job engine, a real database and a scripted network.
#include "runs/engine.hpp"

#include <gtest/gtest.h>

#include <random>

#include "jobs/testing.hpp"

namespace kinora::runs {
namespace {

using namespace std::chrono_literals;

struct World : jobs::testing::World {
  World() { make(); }
  ~World() { runs.reset(); }
  void make() {
    EngineSettings settings;
    settings.submit_again = settings.store_again = 1ms;
    settings.progress_every = 0ms;
    settings.missing_model = [](std::string, std::string model) -> Task<std::optional<std::string>> {
      co_return model == "nobody-has-it" ? std::optional<std::string>("no node has it") : std::nullopt;
    };
    settings.weights_digest = [this](std::string task, std::string model) -> Task<std::optional<std::string>> {
      co_return announced_weights ? announced_weights(task, model) : std::nullopt;
    };
    runs = std::make_unique<Engine>(context->get_executor(), *database, *engine, settings, [this] { return now; });
  }
  bool begin() {
    network.script = network.script ? network.script : answer_pings();
    return runs->prepare() && recover() && run(runs->recover());
  }
  // As kill -9, and a new start.
  bool again() {
    runs.reset();
    kill();
    commits_left = 1'000'000'000;
    start();
    make();
    return begin();
  }
  std::string create(std::string_view body) {
    auto made = run(runs->create({.project = "proj_1", .key = "key_1", .body = json::parse(body)}));
    return made ? made->run.id : "refused: " + made.error().code + " " + made.error().detail;
  }
  Run get(const std::string& id) { return *run(runs->get("proj_1", id)); }
  bool ended(const std::string& id) {
    return until([&] {
             now += 5ms;
             engine->wake();
             runs->wake();
             return runs->active() == 0 && engine->counts().active_jobs == 0;
           }) &&
           terminal(get(id).status);
  }
  std::function<std::optional<std::string>(const std::string& task, const std::string& model)> announced_weights;
  std::unique_ptr<Engine> runs;
};

constexpr std::string_view kChain = R"({"name":"chain","args":{"n":[1,2,3]},"steps":[
  {"id":"a","task":"ping"},
  {"id":"fan","task":"ping","needs":["a"],"for_each":{"in":{"$ref":"args.n"},"max_parallel":2}},
  {"id":"z","task":"ping","when":"steps.fan.succeeded == 3","needs":["fan"]}],
  "outputs":{"who":{"$ref":"steps.z.output.ping.worker"},"all":{"$ref":"steps.fan[*].output.ping.worker"}}})";

TEST(RunEngine, carries_a_run_to_its_end_with_every_event_once) {
  World world;
  ASSERT_TRUE(world.begin());
  const std::string id = world.create(kChain);
  ASSERT_TRUE(world.ended(id)) << id;
  const runs::Run run = world.get(id);
  EXPECT_EQ(run.status, RunStatus::succeeded) << json::serialize(run.error);
  EXPECT_EQ(run.outputs.at("who"), "worker-1");
  EXPECT_EQ(json::serialize(run.outputs.at("all")), R"(["worker-1","worker-1","worker-1"])");
  EXPECT_EQ(world.network.runs, 5u);
  std::string history;
  for (const jobs::Event& event : world.events(id))
    if (event.type != "step.progress") history += " " + event.type;
  EXPECT_EQ(
      history,
      " run.created step.ready run.started step.started step.succeeded step.ready step.started step.item_succeeded step.item_succeeded "
      "step.item_succeeded step.succeeded step.ready run.output_available step.started step.succeeded run.output_available run.succeeded");
  EXPECT_NE(world.history(id), "GAP");
  for (const jobs::Event& event : world.events(id)) EXPECT_EQ(event.subject, id);
}

TEST(RunEngine, answers_the_same_idempotency_key_with_the_same_run) {
  World world;
  ASSERT_TRUE(world.begin());
  const json::value body = json::parse(R"({"steps":[{"id":"a","task":"ping"}]})");
  const auto post = [&](const json::value& what) {
    CreateRequest request{.project = "proj_1", .key = "key_1", .body = what};
    request.idempotency = jobs::IdempotencyScope{"proj_1", "POST", "/v1/runs", "k", jobs::fingerprint("POST", "/v1/runs", "proj_1", what)};
    return world.run(world.runs->create(std::move(request)));
  };
  const auto first = post(body), second = post(body);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->run.id, second->run.id);
  EXPECT_TRUE(second->replayed);
  const auto other = post(json::parse(R"({"steps":[{"id":"b","task":"ping"}]})"));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, "idempotency_mismatch");
}

TEST(RunEngine, stores_nothing_of_what_it_refuses) {
  World world;
  ASSERT_TRUE(world.begin());
  EXPECT_TRUE(world.create(R"({"steps":[{"id":"a","task":"pang"}]})").starts_with("refused: workflow_type_error"));
  EXPECT_TRUE(world.create(R"({"steps":[{"id":"a","task":"ping"}],"nope":1})").starts_with("refused: unknown_field"));
  EXPECT_TRUE(world.create(R"({"workflow":"wf_01KE0000000000000000000001"})").starts_with("refused: not_found"));
  EXPECT_TRUE(world.run(world.runs->list("proj_1", {}, {}))->data.empty());
  EXPECT_EQ(*world.run(world.engine->newest_event_offset()), 0);
}

TEST(RunEngine, cancels_jobs_at_work) {
  World world;
  world.network.script = [&](jobs::AttemptRequest, jobs::AttemptObserver observer) { return world.hang(std::move(observer)); };
  ASSERT_TRUE(world.begin());
  const std::string id = world.create(kChain);
  ASSERT_TRUE(world.until([&] { return world.network.busy == 1; }));
  ASSERT_TRUE(world.run(world.runs->cancel("proj_1", id, "enough")));
  ASSERT_TRUE(world.ended(id));
  EXPECT_EQ(world.get(id).status, RunStatus::canceled);
  EXPECT_EQ(world.network.busy, 0u);
  EXPECT_EQ(world.run(world.runs->cancel("proj_1", id, std::nullopt))->status, RunStatus::canceled);
}

TEST(RunEngine, waits_at_gates_and_for_signals_over_a_restart) {
  World world;
  ASSERT_TRUE(world.begin());
  const std::string id =
      world.create(R"({"steps":[{"id":"ok","gate":{"type":"manual"}},{"id":"go","gate":{"type":"event","name":"paid"},"needs":["ok"]},
    {"id":"a","task":"ping","when":"steps.go.output.payload.amount > 5"}]})");
  EXPECT_EQ(world.run(world.runs->answer("proj_1", id, "go", {{"approved", true}})).error().code, "not_found");
  ASSERT_TRUE(world.run(world.runs->answer("proj_1", id, "ok", {{"approved", true}, {"by", "key_1"}})));
  ASSERT_TRUE(world.again());
  EXPECT_EQ(world.get(id).steps[1].status, StepStatus::waiting);
  ASSERT_TRUE(world.run(world.runs->signal("proj_1", id, "paid", {{"amount", 6}})));
  ASSERT_TRUE(world.ended(id));
  EXPECT_EQ(world.get(id).status, RunStatus::succeeded);
}

TEST(RunEngine, retries_what_failed_as_a_new_generation_in_the_same_stream) {
  World world;
  int calls = 0;
  world.network.script = [&](jobs::AttemptRequest request, jobs::AttemptObserver observer) -> Task<jobs::AttemptOutcome> {
    if (++calls == 2) co_return jobs::outcome::Failed{tasks::failure("input_invalid", "bad"), "node-a"};
    co_return co_await world.work(std::move(request), std::move(observer), {}, {{"ping", json::object()}});
  };
  ASSERT_TRUE(world.begin());
  const std::string id = world.create(R"({"steps":[{"id":"a","task":"ping"},{"id":"b","task":"ping","needs":["a"]}]})");
  ASSERT_TRUE(world.ended(id));
  EXPECT_EQ(world.get(id).status, RunStatus::partially_succeeded);
  ASSERT_TRUE(world.run(world.runs->retry("proj_1", id, {})));
  ASSERT_TRUE(world.ended(id));
  const runs::Run run = world.get(id);
  EXPECT_EQ(run.status, RunStatus::succeeded);
  EXPECT_EQ(run.generation, 2);
  EXPECT_EQ(run.steps[0].status, StepStatus::reused);
  EXPECT_EQ(calls, 3);
  EXPECT_NE(world.history(id).find("run.partially_succeeded run.retried"), std::string::npos) << world.history(id);
}

TEST(RunEngine, keeps_what_a_run_reads_until_its_deadline_and_the_run_for_90_days) {
  World world;
  ASSERT_TRUE(world.begin());
  const std::string clip = world.artifact("video/mp4");
  const std::string id = world.create(R"({"args":{"c":{"artifact":")" + clip +
                                      R"("}},"deadline_s":604800,"steps":[{"id":"g","gate":{"type":"manual","timeout_s":604800}}]})");
  const auto kept = world.run(world.engine->artifact("proj_1", clip));
  EXPECT_GE(*kept->expires_at, world.get(id).deadline_at);
  ASSERT_TRUE(world.run(world.runs->cancel("proj_1", id, std::nullopt)));
  world.now += std::chrono::hours(24 * 90) - 1min;
  ASSERT_TRUE(world.run(world.engine->sweep()));
  EXPECT_TRUE(world.run(world.runs->get("proj_1", id)));
  world.now += 2min;
  ASSERT_TRUE(world.run(world.engine->sweep()));
  EXPECT_EQ(world.run(world.runs->get("proj_1", id)).error().code, "not_found");
}

TEST(RunEngine, erases_what_it_holds_of_an_end_user) {
  World world;
  ASSERT_TRUE(world.begin());
  const auto of = [&](std::string user) {
    return world.create(R"({"args":{"prompt":"secret words"},"end_user":")" + user +
                        R"(","steps":[{"id":"a","task":"ping","when":"args.prompt != ''"}]})");
  };
  const std::string theirs = of("u_1"), another = of("u_2");
  ASSERT_TRUE(world.ended(theirs));
  const std::string waiting = world.create(R"({"end_user":"u_1","steps":[{"id":"g","gate":{"type":"manual"}}]})");
  auto erased = world.run(world.runs->erase_end_user("proj_1", "u_1"));
  ASSERT_TRUE(erased) << erased.error().detail;
  EXPECT_EQ(erased->runs, 2);  // the one that waited is canceled first
  EXPECT_EQ(erased->pending, 0);
  EXPECT_EQ(world.run(world.runs->get("proj_1", theirs)).error().code, "not_found");
  EXPECT_EQ(world.run(world.runs->get("proj_1", waiting)).error().code, "not_found");
  EXPECT_TRUE(world.run(world.runs->get("proj_1", another)));
  EXPECT_NE(world.history(theirs), "GAP");
  for (const jobs::Event& event : world.events(theirs)) EXPECT_EQ(event.data.at("data_removed"), json::value(true));
}

TEST(RunEngine, tells_when_it_will_be_done_once_its_task_was_measured) {
  World world;
  ASSERT_TRUE(world.begin());
  const auto eta = [&](const std::string& id) {
    const runs::Run run = world.get(id);
    return world.runs->eta_s(run, *parse_definition(run.definition));
  };
  world.network.slots = 0;
  constexpr std::string_view kOne = R"({"steps":[{"id":"a","task":"ping"},{"id":"b","task":"ping","needs":["a"]}]})";
  const std::string first = world.create(kOne);
  EXPECT_EQ(eta(first), std::nullopt);
  world.network.slots = 8;
  world.engine->wake();
  ASSERT_TRUE(world.ended(first));
  EXPECT_EQ(eta(first), std::nullopt) << "it has ended";
  world.network.slots = 0;
  const std::string second = world.create(kOne);
  const auto mean = world.engine->mean_seconds("ping", "");
  ASSERT_TRUE(mean);
  EXPECT_EQ(eta(second), 2 * *mean);
}

TEST(RunEngine, uses_a_result_again_that_the_project_has) {
  World world;
  world.network.script = [&](jobs::AttemptRequest request, jobs::AttemptObserver observer) {
    return world.work(std::move(request), std::move(observer), {{"image", "o.jpg"}}, {}, "image/jpeg");
  };
  ASSERT_TRUE(world.begin());
  const std::string clip = world.artifact("video/mp4");
  const std::string body = R"({"args":{"c":{"artifact":")" + clip +
                           R"("}},"steps":[{"id":"t","task":"thumbnail","input":{"video":{"$ref":"args.c"},"width":64},"reuse":"MODE"}]})";
  const auto with = [&](std::string mode) {
    std::string text = body;
    return world.create(text.replace(text.find("MODE"), 4, mode));
  };
  const std::string only = with("only");
  ASSERT_TRUE(world.ended(only));
  EXPECT_EQ(world.get(only).error.at("code"), "requirements_unsatisfiable");
  const std::string first = with("auto");
  ASSERT_TRUE(world.ended(first));
  EXPECT_EQ(world.get(first).status, RunStatus::succeeded) << json::serialize(world.get(first).error);
  const std::string second = with("auto");
  ASSERT_TRUE(world.ended(second));
  const runs::Run run = world.get(second);
  EXPECT_EQ(run.steps[0].status, StepStatus::reused);
  EXPECT_EQ(run.steps[0].items[0].reused_from, world.get(first).steps[0].items[0].work);
  EXPECT_EQ(world.network.runs, 1u);
  ASSERT_TRUE(world.ended(with("never")));
  EXPECT_EQ(world.network.runs, 2u);
}

TEST(RunEngine, uses_a_models_result_again_as_long_as_its_weights_are_the_same) {
  World world;
  const std::string old_weights = "sha256:" + std::string(64, 'a'), new_weights = "sha256:" + std::string(64, 'b');
  std::optional<std::string> announced, at_work = old_weights;
  world.announced_weights = [&](const std::string& task, const std::string& model) {
    EXPECT_EQ(task, "text-to-image");
    EXPECT_EQ(model, "tiny");
    return announced;
  };
  world.network.script = [&](jobs::AttemptRequest request, jobs::AttemptObserver observer) {
    return world.work(std::move(request), std::move(observer), {{"images", "0.png"}}, {{"images", {{"weights", *at_work}}}}, "image/png");
  };
  ASSERT_TRUE(world.begin());
  const auto status = [&](const std::string& seed) {
    const std::string id =
        world.create(R"({"steps":[{"id":"t","task":"text-to-image","model":"tiny","input":{"prompt":"a fox")" + seed + "}}]}");
    EXPECT_TRUE(world.ended(id)) << id;
    return std::string(name(world.get(id).steps[0].status));
  };
  const std::string seven = R"(,"seed":7)";
  EXPECT_EQ(status(seven), "succeeded");
  EXPECT_EQ(status(seven), "succeeded");  // weights not known
  announced = old_weights;
  EXPECT_EQ(status(seven), "succeeded");  // nothing is stored under them yet
  EXPECT_EQ(status(seven), "reused");
  EXPECT_EQ(status(R"(,"seed":8)"), "succeeded");
  EXPECT_EQ(status(""), "succeeded");  // drawn anew
  EXPECT_EQ(status(""), "succeeded");
  announced = new_weights;
  EXPECT_EQ(status(seven), "succeeded");  // and was made by the old ones, which the worker tells: not stored under the new
  at_work = new_weights;
  EXPECT_EQ(status(seven), "succeeded");
  EXPECT_EQ(status(seven), "reused");
  announced = old_weights;
  EXPECT_EQ(status(seven), "reused");
}

TEST(RunEngine, runs_saved_workflows_also_as_a_step_and_pins_their_version) {
  World world;
  ASSERT_TRUE(world.begin());
  const auto schema =
      json::parse(R"({"type":"object","properties":{"n":{"type":"integer","default":2}},"additionalProperties":false})").as_object();
  const auto definition = json::parse(R"({"steps":[{"id":"a","task":"ping"}],"outputs":{"n":{"$ref":"args.n"}}})").as_object();
  Workflow wanted;
  wanted.project = "proj_1";
  wanted.name = "saved";
  const auto saved = world.run(world.runs->save(wanted, schema, definition));
  ASSERT_TRUE(saved) << saved.error().detail;
  const std::string wf = saved->first.id;
  EXPECT_TRUE(world.create(R"({"workflow":")" + wf + R"(","args":{"m":1}})").starts_with("refused: unknown_field"));
  const std::string id =
      world.create(R"({"steps":[{"id":"sub","workflow":")" + wf + R"(","args":{"n":7}}],"outputs":{"n":{"$ref":"steps.sub.output.n"}}})");
  ASSERT_TRUE(world.ended(id)) << id;
  EXPECT_EQ(world.get(id).outputs.at("n"), 7) << json::serialize(world.get(id).error);
  const auto newer =
      world.run(world.runs->save_version("proj_1", wf, schema, json::parse(R"({"steps":[{"id":"b","task":"ping"}]})").as_object()));
  ASSERT_TRUE(newer);
  EXPECT_EQ(newer->second.version, 2);
  const std::string pinned = world.create(R"({"workflow":")" + wf + R"(","version":1})");
  ASSERT_TRUE(world.ended(pinned));
  EXPECT_EQ(world.get(pinned).outputs.at("n"), 2);
}

TEST(RunEngine, a_tree_of_runs_has_no_more_instances_than_a_run_may_have_also_after_a_restart) {
  World world;
  ASSERT_TRUE(world.begin());
  Workflow wanted;
  wanted.project = "proj_1";
  wanted.name = "thousand";
  json::array list(kMaxItems, 1);
  const json::value wide{{"steps", {{{"id", "a"}, {"task", "ping"}, {"for_each", {{"in", list}, {"max_parallel", 1}}}}}}};
  const auto saved = world.run(world.runs->save(wanted, json::parse(R"({"type":"object"})").as_object(), wide.as_object()));
  ASSERT_TRUE(saved) << saved.error().detail;
  world.network.slots = 0;  // nothing ends
  const std::string id = world.create(R"({"steps":[{"id":"sub","workflow":")" + saved->first.id +
                                      R"(","for_each":{"in":[1,2,3,4,5,6],"max_parallel":4,"on_item_failure":"continue"}}]})");
  const auto at_work = [&] { return world.runs->active(); };
  // Six of a thousand, at most four at a time: 6 + 4 * 1000 fit, the fifth does not.
  ASSERT_TRUE(world.until([&] { return at_work() == 5 && world.engine->counts().active_jobs == 4; }));
  ASSERT_TRUE(world.again());
  ASSERT_TRUE(world.run(world.runs->cancel("proj_1", world.get(id).steps[0].items[0].work, std::nullopt)));
  const auto fifth = [&] { return world.get(id).steps[0].items[4]; };
  ASSERT_TRUE(world.until([&] { return fifth().status == ItemStatus::failed; }));
  const runs::Run child = world.get(fifth().work);
  EXPECT_EQ(child.steps[0].error.at("code"), "fanout_too_large") << json::serialize(child.error);
}

TEST(RunEngine, refuses_models_that_nobody_has_and_falls_back_from_them_without_waiting) {
  World world;
  ASSERT_TRUE(world.begin());
  const auto with = [](std::string_view more) {
    return R"({"steps":[{"id":"a","task":"text-to-image","model":"nobody-has-it","input":{"prompt":"a"})" + std::string(more) + "}]}";
  };
  EXPECT_EQ(world.create(with("")), "refused: workflow_type_error /steps/0/model no node has it");
  world.network.script = [&](jobs::AttemptRequest request, jobs::AttemptObserver observer) {
    return world.work(std::move(request), std::move(observer), {{"images", "a.png"}}, {}, "image/png");
  };
  const std::string id = world.create(with(R"(,"on_failure":"fallback","fallback":[{"model":"there"}])"));
  ASSERT_TRUE(world.ended(id)) << id;
  const runs::Run run = world.get(id);
  EXPECT_EQ(run.status, RunStatus::succeeded) << json::serialize(run.error);
  EXPECT_EQ(run.steps[0].items[0].variant, 1);
  ASSERT_EQ(world.network.calls.size(), 1u);
  EXPECT_EQ(world.network.calls[0].order.model, "there");
  EXPECT_TRUE(world.create(with(R"(,"on_failure":"fallback","fallback":[{"model":"nobody-has-it"}])")).starts_with("refused:"));
}

// The process dies after every single commit in turn, and goes on: the run ends as if nothing had been, nothing is done twice, and the
// event stream has neither gap nor repeat.
TEST(RunEngineCrash, at_each_commit_in_turn_changes_nothing) {
  std::int64_t commits = 40;
  for (std::int64_t at = 0; at < commits; ++at) {
    World world;
    ASSERT_TRUE(world.begin());
    const auto before = world.database->commits();
    const std::string id = world.create(kChain);
    world.commits_left = at;
    const bool whole = world.until([&] { return world.commits_left < 0 || world.runs->active() == 0; }) && world.commits_left >= 0;
    if (whole) commits = std::min(commits, static_cast<std::int64_t>(world.database->commits() - before));
    ASSERT_TRUE(world.again());
    ASSERT_TRUE(world.ended(id)) << at;
    const runs::Run run = world.get(id);
    EXPECT_EQ(run.status, RunStatus::succeeded) << at << json::serialize(run.error);
    EXPECT_EQ(run.outputs.at("all").as_array().size(), 3u);
    jobs::JobFilter filter;
    filter.run = id;
    EXPECT_EQ(world.run(world.engine->list("proj_1", filter, {}))->data.size(), 5u) << at;
    const std::string history = world.history(id);
    EXPECT_NE(history, "GAP");
    for (const char* once : {"run.created", "run.started", "run.succeeded"}) {
      const std::size_t first = history.find(once);
      EXPECT_NE(first, std::string::npos) << at << " " << once;
      EXPECT_EQ(history.find(once, first + 1), std::string::npos) << at << " " << once;
    }
  }
}

}  // namespace
}  // namespace kinora::runs
