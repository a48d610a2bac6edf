#include "runs/expression.hpp"

#include <gtest/gtest.h>

namespace kinora::runs {
namespace {

class Expressions : public ::testing::Test {
 protected:
  json::value args = json::parse(R"({"n":7,"name":"red fox","list":[1,2,3],"nothing":null,"flag":true,"o":{"k":1}})");
  Scope scope{.args = &args, .run = nullptr, .steps = {}, .variable = {}, .item = nullptr, .index = 2};
  // The value as JSON, or "! code".
  std::string eval(std::string_view text) {
    const auto expression = Expression::parse(text);
    if (!expression) return "! parse";
    const auto value = expression->evaluate(scope);
    return value ? json::serialize(*value) : "! " + value.error().code;
  }
};

TEST_F(Expressions, bind_as_in_c_and_compute_in_doubles) {
  EXPECT_EQ(eval("1 + 2 * 3"), "7");
  EXPECT_EQ(eval("(1 + 2) * 3"), "9");
  EXPECT_EQ(eval("10 - 3 - 2"), "5");
  EXPECT_EQ(eval("24 / 60 < 30"), "true");
  EXPECT_EQ(eval("7 / 2"), "3.5E0");
  EXPECT_EQ(eval("-7 % 3"), "-1");
  EXPECT_EQ(eval("--2"), "2");
  EXPECT_EQ(eval("!true || true && false"), "false");
  EXPECT_EQ(eval("1 < 2 == true"), "true");
  EXPECT_EQ(eval("9007199254740992 + 0"), "9007199254740992");
  EXPECT_EQ(eval("args.n > 5 ? 'big' : \"small\""), "\"big\"");
  EXPECT_EQ(eval("false ? 1 : true ? 2 : 3"), "2");
  EXPECT_EQ(eval("index + args.n"), "9");
}

TEST_F(Expressions, know_the_functions_also_as_methods) {
  EXPECT_EQ(eval("size(args.list)"), "3");
  EXPECT_EQ(eval("size('h\xc3\xa9')"), "2");
  EXPECT_EQ(eval("has(args.name) && !has(args.other) && !has(args.nothing)"), "true");
  EXPECT_EQ(eval("min(3, 1, 2) + max(args.list)"), "4");
  EXPECT_EQ(eval("int('12.9') + int(-0.5)"), "12");
  EXPECT_EQ(eval("float(\"2.5\")"), "2.5E0");
  EXPECT_EQ(eval("string(12) + string(true)"), "\"12true\"");
  EXPECT_EQ(eval("contains(args.name, 'fox') && args.name.startsWith('red')"), "true");
  EXPECT_EQ(eval("args.name.matches('^r.d\\\\s')"), "true");
  EXPECT_EQ(eval("contains(args.list, 2)"), "true");
  EXPECT_EQ(eval("2 in args.list && 'k' in args.o && !(5 in [1, 2])"), "true");
}

TEST_F(Expressions, take_optional_paths_and_conditions_apart_by_a_space) {
  EXPECT_EQ(eval("args.other? == null"), "true");
  EXPECT_EQ(eval("args.flag ? 1 : 2"), "1");
  EXPECT_EQ(eval("args.flag? ? 1 : 2"), "1");
  EXPECT_EQ(eval("args.other == null"), "! ref_unresolved");
}

TEST_F(Expressions, do_not_evaluate_what_is_not_needed) {
  EXPECT_EQ(eval("true || args.other"), "true");
  EXPECT_EQ(eval("false && 1 / 0 > 1"), "false");
  EXPECT_EQ(eval("true ? 1 : 1 / 0"), "1");
}

TEST_F(Expressions, fail_with_expr_error_on_wrong_types_and_division_by_zero) {
  for (const char* bad : {"1 / 0",
                          "1 % 0",
                          "1 + 'a'",
                          "'a' - 'b'",
                          "!1",
                          "-'a'",
                          "1 && true",
                          "args.list == args.list",
                          "args.nothing < 1",
                          "size(1)",
                          "min('a')",
                          "min([])",
                          "int('x')",
                          "int('')",
                          "string([1])",
                          "contains(1, 2)",
                          "1 in 2",
                          "1 ? 2 : 3",
                          "matches('a', '(')",
                          "1e308 * 10",
                          "float('nan')"})
    EXPECT_EQ(eval(bad), "! expr_error") << bad;
}

TEST_F(Expressions, refuse_what_is_no_expression) {
  for (const char* bad : {"",    "1 +",  "(1",   "1)", "[1",    "'a",    "nope(1)", "size()",         "size(1, 2)", "has(1)", "1 ? 2",
                          "a b", "1..2", "0x10", "1a", "args.", "'\\q'", "@",       "args.x.nope(1)", "&&",         "1 = 1"})
    EXPECT_EQ(eval(bad), "! parse") << bad;
}

TEST_F(Expressions, are_bounded_in_text_depth_nodes_and_work) {
  EXPECT_FALSE(Expression::parse(std::string(5000, ' ') + "1"));
  EXPECT_FALSE(Expression::parse(std::string(100, '(') + "1" + std::string(100, ')')));
  EXPECT_FALSE(Expression::parse(std::string(100, '!') + "true"));
  std::string many = "1";
  for (int i = 0; i < 1200; ++i) many += "+1";
  EXPECT_FALSE(Expression::parse(many));
  json::array big;
  for (int i = 0; i < 20'000; ++i) big.emplace_back(i);
  args = json::object{{"big", big}, {"text", std::string(60'000, 'a')}};
  EXPECT_EQ(eval("size(args.big)"), "! expr_error");
  EXPECT_EQ(eval("args.text + args.text"), "! expr_error");
  EXPECT_EQ(eval("args.text.matches('((a{100}){10})$')"), "! expr_error");
}

TEST_F(Expressions, tell_their_paths) {
  const auto paths = Expression::parse("steps.a.output.x > 1 && has(steps.b.output) || args.n? == null")->paths();
  ASSERT_EQ(paths.size(), 3u);
  EXPECT_EQ(to_string(paths[0]), "steps.a.output.x");
  EXPECT_EQ(to_string(paths[1]), "steps.b.output?");
  EXPECT_EQ(to_string(paths[2]), "args.n?");
}

}  // namespace
}  // namespace kinora::runs
