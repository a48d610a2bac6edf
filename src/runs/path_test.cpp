#include "runs/path.hpp"

#include <gtest/gtest.h>

namespace kinora::runs {
namespace {

json::value v(std::string_view text) { return json::parse(text); }

TEST(Path, reads_every_form_of_the_grammar) {
  const auto path = parse_path("steps.shots[*].output.images[-1].video?");
  ASSERT_TRUE(path);
  EXPECT_EQ(path->root, "steps");
  EXPECT_EQ(path->step, "shots");
  ASSERT_EQ(path->parts.size(), 5u);
  EXPECT_EQ(path->parts[0].kind, PathPart::Kind::all);
  EXPECT_EQ(path->parts[3].index, -1);
  EXPECT_TRUE(path->optional);
  EXPECT_EQ(to_string(*path), "steps.shots[*].output.images[-1].video?");
  for (const char* good : {"args", "index", "run.id", "shot.prompt", "steps.a", "args.x[0][1]"}) EXPECT_TRUE(parse_path(good)) << good;
}

TEST(Path, refuses_what_is_none) {
  for (const char* bad :
       {"",     ".a",  "a.", "a..b",           "a[",    "a[]", "a[x]", "a[1", "a[1.5]", "steps", "steps.", "steps[0]", "a b",
        "a?.b", "a??", "1a", "a[99999999999]", "a[+1]", "_a",  "a-b",  "$a"})
    EXPECT_FALSE(parse_path(bad)) << bad;
  EXPECT_EQ(parse_path("a" + std::string(600, 'b')).error().code, base::ErrorCode::too_large);
  std::string deep = "a";
  for (int i = 0; i < 33; ++i) deep += ".b";
  EXPECT_EQ(parse_path(deep).error().code, base::ErrorCode::too_large);
}

TEST(Path, knows_ids_of_steps) {
  EXPECT_TRUE(is_step_id("gen_2"));
  EXPECT_TRUE(is_step_id(std::string(32, 'a')));
  for (const char* bad : {"", "Gen", "2a", "a-b", "args", "steps", "run", "item", "index", "env"}) EXPECT_FALSE(is_step_id(bad)) << bad;
  EXPECT_FALSE(is_step_id(std::string(33, 'a')));
}

class Resolving : public ::testing::Test {
 protected:
  json::value args = v(R"({"prompt":"fox","list":[1,2,3],"deep":{"a":null}})");
  json::value gen = v(R"({"status":"succeeded","output":{"video":{"artifact":"art_1","bytes":7}},"error":null})");
  json::value shots = v(R"({"status":"succeeded","error":null,"succeeded":2,"failed":1,
    "items":[{"output":{"video":"a","images":["x","y"]}},{"output":null},{"output":{"video":"c","images":["z"]}}],
    "output":{"items":[{"video":"a"},null,{"video":"c"}],"succeeded":2,"failed":1}})");
  json::value item = v(R"({"prompt":"one"})");
  Scope scope{.args = &args, .run = nullptr, .steps = {{"gen", &gen}, {"shots", &shots}}, .variable = "shot", .item = &item, .index = 4};
  json::value get(std::string_view text) {
    const auto found = resolve(*parse_path(text), scope);
    return found ? *found : json::value("! " + found.error().code);
  }
};

TEST_F(Resolving, copies_values_with_their_type) {
  EXPECT_EQ(get("args.prompt"), "fox");
  EXPECT_EQ(get("args.list"), v("[1,2,3]"));
  EXPECT_EQ(get("args.list[-1]"), 3);
  EXPECT_EQ(get("steps.gen.output.video.bytes"), 7);
  EXPECT_EQ(get("shot.prompt"), "one");
  EXPECT_EQ(get("index"), 4);
}

TEST_F(Resolving, maps_over_a_fan_out_drops_failed_items_and_flattens_once) {
  EXPECT_EQ(get("steps.shots[*].output.video"), v(R"(["a","c"])"));
  EXPECT_EQ(get("steps.shots[*].output.images"), v(R"(["x","y","z"])"));
  EXPECT_EQ(get("steps.shots[*].output.images[*]"), v(R"(["x","y","z"])"));
  EXPECT_EQ(get("steps.shots[0].output.video"), "a");
  EXPECT_EQ(get("steps.shots"), shots.at("output"));
}

TEST_F(Resolving, says_what_is_missing_unless_the_path_is_optional) {
  for (const char* missing :
       {"args.nothing", "args.list[3]", "args.list[-4]", "args.deep.a.b", "steps.none.output", "steps.shots[1].output.video",
        "steps.shots[*].output.nothing", "other.x", "args.prompt.x", "args.prompt[0]", "run.id"}) {
    EXPECT_EQ(get(missing), "! ref_unresolved") << missing;
    const json::value optional = get(std::string(missing) + "?");
    EXPECT_TRUE(optional.is_null() || optional == json::array()) << missing;
  }
}

}  // namespace
}  // namespace kinora::runs
