#include "base/result.hpp"

#include <gtest/gtest.h>

namespace kinora::base {
namespace {

Result<int> half(int value) {
  if (value % 2 != 0) return fail(ErrorCode::invalid, "odd");
  return value / 2;
}
Result<int> quarter(int value) {
  KINORA_TRY(const int first, half(value));
  KINORA_TRY(const int second, half(first));
  return second;
}
Status only_even(int value) {
  KINORA_OK(half(value).map([](int) {}));
  return {};
}

TEST(Result, try_goes_on_with_the_value) { EXPECT_EQ(quarter(12).value(), 3); }
TEST(Result, try_returns_the_first_error) {
  EXPECT_EQ(quarter(6).error(), (Error{ErrorCode::invalid, "odd"}));
  EXPECT_FALSE(only_even(3));
  EXPECT_TRUE(only_even(4));
}
TEST(Result, context_is_put_in_front) { EXPECT_EQ((Error{ErrorCode::io, "disk full"}.within("blob 7")).message, "blob 7: disk full"); }
TEST(Result, every_code_has_a_name) {
  EXPECT_EQ(name(ErrorCode::too_large), "too_large");
  EXPECT_EQ(name(ErrorCode::internal), "internal");
}

}  // namespace
}  // namespace kinora::base
