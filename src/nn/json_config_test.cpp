#include "nn/json_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nn/load_error.hpp"

namespace kinora::nn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const JsonConfig config(nlohmann::json::parse(R"({"n": 3, "negative": -1, "big": 18446744073709551615, "x": 0.5, "on": true, "act": "silu",
  "list": [1, 2, 3], "none": null, "mixed": [1, "a"], "real": [0.5, 2], "nested": {"n": 4}, "flags": [true, false]})"),
                        "unet/config.json");

TEST(JsonConfig, members_are_read_and_absent_or_null_ones_take_the_default) {
  EXPECT_EQ(config.integer("n", 1, 0, 10), 3);
  EXPECT_EQ(config.integer("absent", 7, 0, 10), 7);
  EXPECT_EQ(config.integer("none", 7, 0, 10), 7);
  EXPECT_EQ(config.number("x", 0), 0.5);
  EXPECT_TRUE(config.flag("on", false));
  EXPECT_EQ(config.choice("act", "gelu", {"gelu", "silu"}), "silu");
  EXPECT_THAT(config.integers("list", {}, 0, 10), ElementsAre(1, 2, 3));
  EXPECT_THAT(config.integers("n", {}, 0, 10, 2), ElementsAre(3, 3));
  EXPECT_THAT(config.numbers("real", {}), ElementsAre(0.5, 2.0));
  EXPECT_THAT(config.flags("on", {}, 2), ElementsAre(true, true));
  EXPECT_THAT(config.flags("flags", {}, 2), ElementsAre(true, false));
  EXPECT_EQ(config.object("nested").integer("n", 0, 0, 10), 4);
}

TEST(JsonConfig, an_error_names_file_and_member_and_what_is_allowed) {
  EXPECT_THAT([] { config.integer("n", 1, 4, 10); },
              ThrowsMessage<LoadError>(HasSubstr("unet/config.json: n: must be a whole number from 4 to 10")));
  EXPECT_THAT([] { config.choice("act", "", {"gelu", "relu"}); },
              ThrowsMessage<LoadError>(HasSubstr("act: is \"silu\"; known: gelu, relu")));
}

TEST(JsonConfig, wrong_types_and_numbers_out_of_range_are_refused) {
  EXPECT_THROW(config.integer("x", 1, 0, 10), LoadError);
  EXPECT_THROW(config.integer("big", 1, 0, 10), LoadError);
  EXPECT_THROW(config.integer("negative", 1, 0, 10), LoadError);
  EXPECT_THROW(config.number("act", 0), LoadError);
  EXPECT_THROW(config.flag("n", false), LoadError);
  EXPECT_THROW(config.text("n", ""), LoadError);
  EXPECT_THROW(config.integers("mixed", {}, 0, 10), LoadError);
  EXPECT_THROW(config.integers("list", {}, 0, 10, 2), LoadError);
  EXPECT_THROW(config.integers("n", {}, 0, 10), LoadError);
  EXPECT_THROW(config.numbers("mixed", {}), LoadError);
  EXPECT_THROW(config.texts("mixed", {}), LoadError);
  EXPECT_THROW(config.flags("flags", {}, 3), LoadError);
  EXPECT_THROW(config.object("n"), LoadError);
  EXPECT_THROW(JsonConfig(nlohmann::json::array(), "f"), LoadError);
}

TEST(JsonConfig, numbers_that_only_python_writes_are_read) {
  const auto read = JsonConfig::parse(R"({"low": -Infinity, "high": Infinity, "none": NaN, "text": "a \"Infinity\" b", "x": 1})", "a.json");
  EXPECT_EQ(read.extended("low", 0), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(read.extended("high", 0), std::numeric_limits<double>::infinity());
  EXPECT_EQ(read.extended("x", 0), 1);
  EXPECT_EQ(read.text("text", ""), "a \"Infinity\" b");
  EXPECT_THAT([&] { read.extended("none", 0); }, ThrowsMessage<LoadError>(HasSubstr("a.json: none: must be a finite number")));
  EXPECT_THAT([&] { read.number("low", 0); }, ThrowsMessage<LoadError>(HasSubstr("a.json: low")));
}

}  // namespace
}  // namespace kinora::nn
