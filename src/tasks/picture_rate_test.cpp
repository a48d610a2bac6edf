#include "tasks/picture_rate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kinora::tasks {
namespace {

std::string rate_of(std::string_view text) {
  const auto rate = parse_picture_rate(text);
  return rate ? std::to_string(rate->num) + "/" + std::to_string(rate->den) : rate.error().message;
}

TEST(Rates, are_read_as_people_write_them) {
  EXPECT_EQ(rate_of("60"), "60/1");
  EXPECT_EQ(rate_of("60000/1001"), "60000/1001");
  EXPECT_EQ(rate_of("59.94"), "60000/1001");
  EXPECT_EQ(rate_of("23.976"), "24000/1001");
  EXPECT_EQ(rate_of("29.97"), "30000/1001");
  EXPECT_EQ(rate_of("12.5"), "25/2");
  EXPECT_EQ(rate_of("48/2"), "24/1");
}

TEST(Rates, that_are_none_or_absurd_are_refused_with_the_reason) {
  for (const char* text : {"", "fast", "60fps", "1/0", "-5", "0", "nan", "inf", "60/", "/60", "0.5", "481", "1e9", "99999999999999999999"})
    EXPECT_FALSE(parse_picture_rate(text)) << text;
  EXPECT_THAT(rate_of("1000"), ::testing::HasSubstr("from 1 to 480"));
}

}  // namespace
}  // namespace kinora::tasks
