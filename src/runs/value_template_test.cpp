#include "runs/value_template.hpp"

#include <gtest/gtest.h>

namespace kinora::runs {
namespace {

json::value v(std::string_view text) { return json::parse(text); }

class Templates : public ::testing::Test {
 protected:
  json::value args = v(R"({"prompt":"a fox","seed":7,"clip":{"artifact":"art_1"},"big":[1,2]})");
  Scope scope{.args = &args, .run = nullptr, .steps = {}, .variable = {}, .item = nullptr, .index = std::nullopt};
  json::value fill(std::string_view text) {
    auto out = fill_in(v(text), scope);
    return out ? std::move(*out) : json::value("! " + out.error().code);
  }
  static std::string wrong(std::string_view text) {
    base::FieldErrors errors;
    std::vector<Reference> found;
    scan_template(v(text), "/input", errors, found);
    return errors.empty() ? "" : errors[0].pointer;
  }
};

TEST_F(Templates, fill_in_every_form_at_any_depth) {
  EXPECT_EQ(fill(R"({"a":{"$ref":"args.clip"},"b":[{"$ref":"args.seed"},1]})"), v(R"({"a":{"artifact":"art_1"},"b":[7,1]})"));
  EXPECT_EQ(fill(R"({"$tpl":"{{args.prompt}}, seed {{ args.seed }}{{args.none?}}."})"), "a fox, seed 7.");
  EXPECT_EQ(fill(R"({"$expr":"args.seed * 2"})"), 14);
  EXPECT_EQ(fill(R"({"$first":[{"$ref":"args.none"},{"$ref":"args.none?"},{"$ref":"args.seed"}]})"), 7);
  EXPECT_EQ(fill(R"({"x":{"$lit":{"$ref":"args.seed"}}})"), v(R"({"x":{"$ref":"args.seed"}})"));
}

TEST_F(Templates, drop_members_and_items_whose_optional_reference_is_null) {
  EXPECT_EQ(fill(R"({"a":1,"b":{"$ref":"args.none?"},"c":[{"$ref":"args.none?"},null]})"), v(R"({"a":1,"c":[null]})"));
}

TEST_F(Templates, fail_where_a_value_is_missing_or_no_text) {
  EXPECT_EQ(fill(R"({"$ref":"args.none"})"), "! ref_unresolved");
  EXPECT_EQ(fill(R"({"$first":[{"$ref":"args.none"}]})"), "! ref_unresolved");
  EXPECT_EQ(fill(R"({"$first":[{"$expr":"1/0"},1]})"), "! expr_error");
  EXPECT_EQ(fill(R"({"$tpl":"{{args.big}}"})"), "! expr_error");
}

TEST_F(Templates, are_bounded_in_size) {
  args = json::object{{"t", std::string(40'000, 'x')}};
  EXPECT_EQ(fill(R"({"$tpl":"{{args.t}}{{args.t}}"})"), "! expr_error");
  std::string many = "[";
  for (int i = 0; i < 30; ++i) many += R"({"$ref":"args"},)";
  EXPECT_EQ(fill(many + "1]"), "! expr_error");
}

TEST_F(Templates, are_checked_with_pointers) {
  EXPECT_EQ(wrong(R"({"a":{"$ref":"args.x"}})"), "");
  EXPECT_EQ(wrong(R"({"a/b":[{"$ref":"1"}]})"), "/input/a~1b/0");
  EXPECT_EQ(wrong(R"({"a":{"$ref":"args.x","b":1}})"), "/input/a");
  EXPECT_EQ(wrong(R"({"a":{"$nope":1}})"), "/input/a");
  EXPECT_EQ(wrong(R"({"a":{"$ref":1}})"), "/input/a");
  EXPECT_EQ(wrong(R"({"a":{"$first":[]}})"), "/input/a");
  EXPECT_EQ(wrong(R"({"a":{"$tpl":"x {{args.y"}})"), "/input/a");
  EXPECT_EQ(wrong(R"({"a":{"$expr":"1 +"}})"), "/input/a");
}

TEST_F(Templates, tell_their_references_and_which_are_optional) {
  base::FieldErrors errors;
  std::vector<Reference> found;
  scan_template(v(R"json({"a":{"$ref":"steps.x.output"},"b":{"$first":[{"$ref":"steps.y.output"}]},
                          "c":{"$expr":"has(steps.z.output)"},"d":{"$tpl":"{{args.k?}}"}})json"),
                "", errors, found);
  ASSERT_EQ(found.size(), 4u);
  EXPECT_FALSE(found[0].optional);
  EXPECT_TRUE(found[1].optional && found[2].optional && found[3].optional);
  EXPECT_TRUE(is_dynamic(v(R"([{"a":{"$lit":1}}])")));
  EXPECT_FALSE(is_dynamic(v(R"({"artifact":"x"})")));
}

}  // namespace
}  // namespace kinora::runs
