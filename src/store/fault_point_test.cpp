#include "store/fault_point.hpp"

#include <gtest/gtest.h>

namespace kinora::store {
namespace {

TEST(FaultPoint, is_a_name_a_side_and_perhaps_a_number) {
  const auto plain = parse_fault_point("job.created:after");
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(plain->name, "job.created");
  EXPECT_EQ(plain->side, FaultPoint::Side::after);
  EXPECT_EQ(plain->nth, 1);
  const auto third = parse_fault_point("job/dispatching:before:3");
  ASSERT_TRUE(third.has_value());
  EXPECT_EQ(third->name, "job/dispatching");
  EXPECT_EQ(third->side, FaultPoint::Side::before);
  EXPECT_EQ(third->nth, 3);
}

TEST(FaultPoint, refuses_anything_else) {
  for (const char* text : {"", ":before", "job.created", "job.created:", "job.created:during", "a:before:", "a:before:0", "a:before:x",
                           "a:before:1:2", "a:before:1000001"})
    EXPECT_FALSE(parse_fault_point(text)) << text;
}

}  // namespace
}  // namespace kinora::store
