#include "runs/definition.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>

namespace kinora::runs {
namespace {

jobs::Outcome<Definition> parse(std::string_view text) { return parse_definition(json::parse(text).as_object()); }

// "code pointer" of the first error; empty: none.
std::string wrong(std::string_view text) {
  const auto parsed = parse(text);
  if (parsed) return "";
  return parsed.error().code + (parsed.error().errors.empty() ? "" : " " + parsed.error().errors[0].pointer);
}
std::string type_error(std::string_view text, std::string_view args = "{}") {
  const auto parsed = parse(text);
  EXPECT_TRUE(parsed) << parsed.error().detail;
  if (!parsed) return "unparsed";
  const json::value given = json::parse(args);
  const auto checked = check_types(*parsed, &given);
  return checked ? "" : checked.error().code + " " + checked.error().errors[0].pointer;
}
std::string steps(std::string_view list) { return R"({"steps":[)" + std::string(list) + "]}"; }
constexpr std::string_view kUp = R"({"id":"up","task":"video-upscale","input":{"video":{"$ref":"args.clip"}}})";
constexpr std::string_view kClip = R"({"clip":{"artifact":"art_01KE0000000000000000000001"}})";

TEST(Definition, reads_every_field) {
  const auto parsed = parse(R"({"fail_fast":true,"defaults":{"retry":{"max_attempts":2},"requirements":{"priority":"low"}},
    "steps":[
      {"id":"up","task":"video-upscale","model":"m","input":{"video":{"$ref":"args.clip"},"scale":2},"requirements":{"deadline_s":9},
       "on_failure":"fallback","fallback":[{"model":"n","input":{"scale":4}}],"timeouts":{"start_to_close_s":3},"reuse":"never","keep":false},
      {"id":"pick","gate":{"type":"manual","timeout_s":5,"on_timeout":"approve"},"needs":["up"]},
      {"id":"thumbs","for_each":{"in":[1,2],"as":"n","max_parallel":2,"on_item_failure":"continue","min_success":1},"when":"args.go",
       "task":"thumbnail","input":{"video":{"$ref":"steps.up.output.video"},"at_s":{"$ref":"n"}},"affinity":{"same_worker_as":"up"}},
      {"id":"sub","workflow":"wf_01KE0000000000000000000001","version":2,"args":{"x":{"$ref":"steps.thumbs[*].output.image"}}}],
    "outputs":{"video":{"$first":[{"$ref":"steps.up.output.video"}]}}})");
  ASSERT_TRUE(parsed) << parsed.error().detail;
  const Step& up = parsed->steps[0];
  ASSERT_EQ(up.variants.size(), 2u);
  EXPECT_EQ(json::serialize(up.variants[0].at("requirements")), R"({"priority":"low","deadline_s":9})");
  EXPECT_EQ(up.variants[1].at("model"), "n");
  EXPECT_EQ(up.variants[1].at("input").at("scale"), 4);
  EXPECT_TRUE(up.variants[1].at("input").as_object().contains("video"));
  EXPECT_EQ(up.timeouts.start_to_close_s, 3);
  EXPECT_EQ(up.reuse, Reuse::never);
  EXPECT_FALSE(up.keep);
  EXPECT_TRUE(up.in_outputs);
  EXPECT_EQ(up.dependants.size(), 2u);
  EXPECT_EQ(parsed->steps[1].gate->on_timeout, GateTimeout::approve);
  EXPECT_EQ(parsed->steps[2].for_each->as, "n");
  EXPECT_EQ(parsed->steps[2].needs.size(), 1u);
  EXPECT_TRUE(parsed->steps[2].needs[0].data);
  EXPECT_EQ(parsed->steps[3].child->version, 2);
  EXPECT_EQ(graph_of(*parsed).at("edges").as_array().size(), 3u);
}

TEST(Definition, points_at_what_is_wrong) {
  EXPECT_EQ(wrong("{}"), "missing_field /steps");
  EXPECT_EQ(wrong(steps("")), "invalid_field /steps");
  EXPECT_EQ(wrong(steps(R"({"id":"a","task":"ping","nope":1})")), "unknown_field /steps/0/nope");
  EXPECT_EQ(wrong(steps(R"({"id":"A","task":"ping"})")), "invalid_field /steps/0/id");
  EXPECT_EQ(wrong(steps(R"({"id":"index","task":"ping"})")), "invalid_field /steps/0/id");
  EXPECT_EQ(wrong(steps(R"({"id":"a"})")), "missing_field /steps/0");
  EXPECT_EQ(wrong(steps(R"({"id":"a","task":"ping","gate":{"type":"manual"}})")), "missing_field /steps/0");
  EXPECT_EQ(wrong(steps(R"({"id":"a","task":"ping"},{"id":"a","task":"ping"})")), "invalid_field /steps/1/id");
  EXPECT_EQ(wrong(steps(R"({"id":"a","task":"ping","needs":["b"]})")), "ref_unresolved /steps/0/needs/0");
  EXPECT_EQ(wrong(steps(R"({"id":"a","task":"ping","when":"steps.nope.status == 'x'"})")), "ref_unresolved /steps/0/when");
  EXPECT_EQ(wrong(steps(R"({"id":"a","task":"ping","when":"index > 1"})")), "ref_unresolved /steps/0/when");
  EXPECT_EQ(wrong(steps(R"({"id":"a","task":"ping","for_each":{"in":5}})")), "invalid_field /steps/0/for_each/in");
  EXPECT_EQ(wrong(steps(R"({"id":"a","task":"ping","for_each":{"in":[1],"max_items":1001}})")),
            "invalid_field /steps/0/for_each/max_items");
  EXPECT_EQ(wrong(steps(R"({"id":"a","task":"ping","on_failure":"fallback"})")), "missing_field /steps/0/on_failure");
  EXPECT_EQ(wrong(steps(R"({"id":"a","task":"ping","fallback":[{}]})")), "invalid_field /steps/0/fallback");
  EXPECT_EQ(wrong(steps(R"({"id":"a","task":"ping","retry":{"max_attempts":{"$ref":"args.n"}}})")), "invalid_field /steps/0/retry");
  EXPECT_EQ(wrong(steps(R"({"id":"a","gate":{"type":"x"}})")), "invalid_field /steps/0/gate/type");
  EXPECT_EQ(wrong(steps(R"({"id":"a","workflow":"x"})")), "invalid_field /steps/0/workflow");
  EXPECT_EQ(wrong(R"({"steps":[{"id":"a","task":"ping"}],"outputs":{"x":{"$ref":"steps.b.output"}}})"), "ref_unresolved /outputs/x");
  EXPECT_EQ(wrong(steps(R"({"id":"a","task":"ping","needs":["aa"]},{"id":"ab","task":"ping"})")), "ref_unresolved /steps/0/needs/0");
}

TEST(Definition, names_the_loop_that_steps_form) {
  const auto parsed = parse(steps(
      R"({"id":"a","task":"ping","needs":["c"]},{"id":"b","task":"ping","needs":["a"]},{"id":"c","task":"ping","when":"steps.b.status == 'x'"})"));
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, "workflow_cycle");
  EXPECT_NE(parsed.error().detail.find("a -> c -> b -> a"), std::string::npos) << parsed.error().detail;
  EXPECT_EQ(wrong(steps(R"({"id":"a","task":"ping","needs":["a"]})")), "workflow_cycle /steps/0");
}

TEST(Definition, refuses_more_steps_than_allowed_cheaply) {
  std::string many;
  for (int i = 0; i < 101; ++i) many += fmt::format(R"({}{{"id":"s{}","task":"ping"}})", i == 0 ? "" : ",", i);
  EXPECT_EQ(wrong(steps(many)), "invalid_field /steps");
}

TEST(Types, accept_what_fits) {
  EXPECT_EQ(type_error(steps(std::string(kUp) +
                             R"(,{"id":"t","task":"thumbnail","input":{"video":{"$ref":"steps.up.output.video"},"at_s":{"$expr":"1 + 1"}}},
    {"id":"i","task":"image-upscale","input":{"image":{"$ref":"steps.t.output.image"},"scale":{"$ref":"args.s"}}},
    {"id":"p","task":"probe","when":"steps.up.output.video.video.fps_num > 3","input":{"media":{"$first":[{"$ref":"steps.i.output.image"},{"$ref":"steps.up.output.video"}]}}})"),
                       R"({"clip":{"artifact":"art_01KE0000000000000000000001"},"s":2})"),
            "");
}

TEST(Types, take_the_sound_of_an_audio_file_as_well_as_of_a_video) {
  constexpr std::string_view kMux =
      R"({"id":"m","task":"mux","input":{"video":{"$ref":"steps.up.output.video"},"audio":{"$ref":"steps.s.output.SLOT"}}})";
  const auto with = [&](std::string sound, std::string slot) {
    std::string mux(kMux);
    mux.replace(mux.find("SLOT"), 4, slot);
    return type_error(steps(std::string(kUp) + "," + sound + "," + mux), kClip);
  };
  EXPECT_EQ(with(R"({"id":"s","task":"extract-audio","input":{"media":{"$ref":"args.clip"}}})", "audio"), "");
  EXPECT_EQ(with(R"({"id":"s","task":"clip","input":{"video":{"$ref":"args.clip"}}})", "video"), "");
  EXPECT_EQ(with(R"({"id":"s","task":"thumbnail","input":{"video":{"$ref":"args.clip"}}})", "image"),
            "workflow_type_error /steps/2/input/audio");
}

TEST(Types, let_a_condition_keep_a_step_without_its_input_from_running) {
  constexpr std::string_view kStep = R"({"id":"s","task":"extract-audio","input":{"media":{"$ref":"args.music?"}}WHEN})";
  const auto with = [&](std::string when) {
    std::string step(kStep);
    return type_error(steps(step.replace(step.find("WHEN"), 4, when)), R"({"music":null})");
  };
  EXPECT_EQ(with(R"(,"when":"args.music != null")"), "");
  EXPECT_EQ(with(""), "workflow_type_error /steps/0/input/media");
}

TEST(Types, point_at_what_does_not_fit) {
  const auto after = [](std::string_view step) { return steps(std::string(kUp) + "," + std::string(step)); };
  // a video into an image slot, an image into a video slot
  EXPECT_EQ(type_error(after(R"({"id":"i","task":"image-upscale","input":{"image":{"$ref":"steps.up.output.video"}}})"), kClip),
            "workflow_type_error /steps/1/input/image");
  // an output that the task does not have
  EXPECT_EQ(type_error(after(R"({"id":"t","task":"thumbnail","input":{"video":{"$ref":"steps.up.output.vidio"}}})"), kClip),
            "workflow_type_error /steps/1/input/video");
  // media where a number belongs
  EXPECT_EQ(
      type_error(
          after(
              R"({"id":"t","task":"thumbnail","input":{"video":{"$ref":"steps.up.output.video"},"at_s":{"$ref":"steps.up.output.video"}}})"),
          kClip),
      "workflow_type_error /steps/1/input/at_s");
  EXPECT_EQ(
      type_error(after(R"({"id":"t","task":"thumbnail","input":{"video":{"$ref":"steps.up.output.video"},"at_s":{"$tpl":"x"}}})"), kClip),
      "workflow_type_error /steps/1/input/at_s");
  // a list where one belongs, one of several without saying which
  EXPECT_EQ(type_error(after(R"({"id":"c","task":"transcode","input":{"video":{"$ref":"steps.up.output.video"}}},
    {"id":"t","task":"thumbnail","input":{"video":{"$ref":"steps.c.output.renditions"}}})"),
                       kClip),
            "workflow_type_error /steps/2/input/video");
  // indexing what is no fan-out, and using a fan-out as if it were one
  EXPECT_EQ(type_error(after(R"({"id":"t","task":"thumbnail","input":{"video":{"$ref":"steps.up[0].output.video"}}})"), kClip),
            "workflow_type_error /steps/1/input/video");
  // values known from the arguments are checked as the job would
  EXPECT_EQ(type_error(steps(R"({"id":"t","task":"thumbnail","input":{"video":{"$ref":"args.clip"},"width":{"$ref":"args.w"}}})"),
                       R"({"clip":{"artifact":"art_01KE0000000000000000000001"},"w":1})"),
            "workflow_type_error /steps/0/input/width");
  EXPECT_EQ(type_error(steps(kUp)), "workflow_type_error /steps/0/input/video");  // no such argument
  EXPECT_EQ(type_error(steps(R"({"id":"a","task":"pingg"})")), "workflow_type_error /steps/0/task");
  EXPECT_EQ(type_error(steps(R"({"id":"a","task":"ping","input":{"nope":{"$ref":"steps.b.output.ping"}}},{"id":"b","task":"ping"})")),
            "workflow_type_error /steps/0/input/nope");
  EXPECT_EQ(
      type_error(
          after(
              R"({"id":"i","task":"thumbnail","input":{"video":{"$ref":"steps.up.output.video"}},"on_failure":"fallback","fallback":[{"input":{"width":1}}]})"),
          kClip),
      "workflow_type_error /steps/1/fallback/0/input/width");
}

}  // namespace
}  // namespace kinora::runs
