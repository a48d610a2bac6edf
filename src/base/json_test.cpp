#include "base/json.hpp"

#include <gtest/gtest.h>

#include "base/bytes.hpp"

namespace kinora::base {
namespace {

TEST(ParseJson, refuses_what_passes_its_limits) {
  EXPECT_EQ(parse_json("[1,2,3]", {.bytes = 6}).error().code, ErrorCode::too_large);
  EXPECT_TRUE(parse_json("[[1]]", {.depth = 2}));
  EXPECT_EQ(parse_json("[[[1]]]", {.depth = 2}).error().code, ErrorCode::invalid);
}
TEST(ParseJson, refuses_trailing_text_and_broken_json) {
  EXPECT_FALSE(parse_json("{} x"));
  EXPECT_FALSE(parse_json("{\"a\":}"));
  EXPECT_FALSE(parse_json(""));
  EXPECT_FALSE(parse_json("\"\xff\""));
}
TEST(ParseJson, refuses_numbers_beyond_a_double) {
  EXPECT_FALSE(parse_json("1e309"));
  EXPECT_FALSE(parse_json("-1e309"));
  EXPECT_EQ(parse_json("1e-400")->as_double(), 0);
}
TEST(ParseJson, refuses_a_key_that_appears_twice) {
  EXPECT_FALSE(parse_json(R"({"a":1,"a":2})"));
  EXPECT_FALSE(parse_json(R"({"a":1,"\u0061":2})"));
  EXPECT_TRUE(parse_json(R"({"a":{"a":1},"b":[{"a":1},{"a":2}],"c":"a\":"})"));
}

// RFC 8785 sections 3.2.2 to 3.2.4 and appendix B.
TEST(CanonicalJson, matches_the_sample_of_rfc_8785) {
  const auto value = parse_json(
      R"({"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]})");
  EXPECT_EQ(canonical_json(value.value()),
            R"({"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"})");
}
TEST(CanonicalJson, sorts_keys_by_utf16_units) {
  const auto value = parse_json(
      R"({"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"})");
  const std::string text = canonical_json(value.value());
  const char* order[] = {"Carriage Return", "One", "Control", "Latin Small", "Euro Sign", "Emoji", "Hebrew"};
  std::size_t last = 0;
  for (const char* part : order) {
    EXPECT_GT(text.find(part), last) << part;
    last = text.find(part);
  }
}
TEST(CanonicalJson, writes_numbers_as_ecmascript) {
  const std::pair<double, const char*> cases[] = {{-0.0, "0"},
                                                  {1e21, "1e+21"},
                                                  {123456789012345680000.0, "123456789012345680000"},
                                                  {1e-6, "0.000001"},
                                                  {1e-7, "1e-7"},
                                                  {5e-324, "5e-324"},
                                                  {1.7976931348623157e308, "1.7976931348623157e+308"},
                                                  {-1.5, "-1.5"},
                                                  {9007199254740992.0, "9007199254740992"}};
  for (const auto& [number, text] : cases) EXPECT_EQ(canonical_json(json::value(number)), text);
}

TEST(ObjectReader, collects_every_error_with_its_pointer) {
  FieldErrors errors;
  const json::value value = json::parse(R"({"scale":9,"name":7,"promt":"x","deep":{}})");
  ObjectReader in(value, "/input", errors);
  EXPECT_EQ(in.integer("scale", 1, 4), std::nullopt);
  EXPECT_EQ(in.string("name"), std::nullopt);
  EXPECT_EQ(in.string("prompt"), std::nullopt);
  EXPECT_EQ(in.required_string("task"), "");
  EXPECT_NE(in.object("deep"), nullptr);
  in.finish();
  ASSERT_EQ(errors.size(), 4u);
  EXPECT_EQ(errors[0].pointer, "/input/scale");
  EXPECT_EQ(errors[0].code, "too_high");
  EXPECT_EQ(errors[1].code, "invalid_field");
  EXPECT_EQ(errors[2].code, "missing_field");
  EXPECT_EQ(errors[3].pointer, "/input/promt");
  EXPECT_EQ(errors[3].code, "unknown_field");
  EXPECT_NE(errors[3].detail.find("prompt"), std::string::npos);
}
TEST(ObjectReader, escapes_pointers) {
  FieldErrors errors;
  const json::value value = json::parse(R"({"a/b~c":1})");
  ObjectReader in(value, "", errors);
  in.finish();
  EXPECT_EQ(errors.at(0).pointer, "/a~1b~0c");
}

}  // namespace
}  // namespace kinora::base
