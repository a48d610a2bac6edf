#include "nn/weight_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kinora::nn {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string report(const WeightShapes& needed, const WeightShapes& found) {
  try {
    check_weights(needed, found, "m.safetensors");
  } catch (const LoadError& error) {
    return error.what();
  }
  return "";
}

TEST(CheckWeights, accepts_equal_tables) { EXPECT_EQ(report({{"a", {1, 2}}, {"b", {}}}, {{"a", {1, 2}}, {"b", {}}}), ""); }

TEST(CheckWeights, names_missing_unexpected_and_wrong_shape_weights_in_one_report) {
  const std::string text = report({{"a", {1, 2}}, {"gone", {3}}}, {{"a", {2, 1}}, {"extra", {}}});
  EXPECT_THAT(text, HasSubstr("m.safetensors: 3 weights do not fit"));
  EXPECT_THAT(text, HasSubstr("a has shape [2, 1], needed [1, 2]"));
  EXPECT_THAT(text, HasSubstr("missing gone [3]"));
  EXPECT_THAT(text, HasSubstr("unexpected extra []"));
}

TEST(CheckWeights, lists_the_first_ten_and_counts_the_rest) {
  WeightShapes needed;
  for (int i = 100; i < 125; ++i) needed.emplace("w" + std::to_string(i), std::vector<std::int64_t>{1});
  const std::string text = report(needed, {});
  EXPECT_THAT(text, HasSubstr("25 weights"));
  EXPECT_THAT(text, HasSubstr("w109"));
  EXPECT_THAT(text, Not(HasSubstr("w110")));
}

}  // namespace
}  // namespace kinora::nn
