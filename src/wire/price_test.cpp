#include "wire/price.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace kinora::wire {
namespace {

TEST(Price, compares_as_a_fraction) {
  EXPECT_TRUE((Price{1, 3} < Price{1, 2}));
  EXPECT_TRUE((Price{2, 4} == Price{1, 2}));
  EXPECT_FALSE((Price{1, 2} <= Price{1, 3}));
  EXPECT_TRUE((Price{0, 1} <= Price{0, 7}));
}

TEST(Price, compares_exactly_at_the_ends_of_the_range) {
  EXPECT_TRUE((Price{INT64_MAX - 1, INT64_MAX} < Price{INT64_MAX, INT64_MAX}));
  EXPECT_TRUE((Price{INT64_MAX, 1} <= Price{INT64_MAX, 1}));
  EXPECT_FALSE((Price{INT64_MAX, 1} <= Price{INT64_MAX, 2}));
}

TEST(Price, shows_its_units_when_they_are_not_one) {
  EXPECT_EQ(to_string(Price{1200, 1}), "1200");
  EXPECT_EQ(to_string(Price{1010, 3}), "1010/3");
}

TEST(Price, is_valid_only_with_positive_units) {
  EXPECT_TRUE((Price{0, 1}.valid()));
  EXPECT_FALSE((Price{1, 0}.valid()));
  EXPECT_FALSE((Price{-1, 1}.valid()));
}

}  // namespace
}  // namespace kinora::wire
