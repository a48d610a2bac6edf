#include "worker/slots.hpp"

#include <gtest/gtest.h>

namespace kinora::worker {
namespace {

TEST(Slots, refuses_beyond_its_capacity_and_takes_again_after_giving_back) {
  Slots slots(2);
  auto a = slots.take();
  auto b = slots.take();
  EXPECT_TRUE(a && b);
  EXPECT_FALSE(slots.take());
  EXPECT_EQ(slots.in_use(), 2U);
  a->give_back();
  a->give_back();
  EXPECT_EQ(slots.in_use(), 1U);
  Slots::Slot moved = std::move(*b);
  b.reset();
  EXPECT_EQ(slots.in_use(), 1U);
  moved = std::move(*slots.take());
  EXPECT_EQ(slots.in_use(), 1U);
}

TEST(Slots, a_slot_may_outlive_its_slots) {
  auto slots = std::make_unique<Slots>(1);
  auto slot = slots->take();
  slots.reset();
  slot.reset();
}

TEST(Slots, none_means_none) { EXPECT_FALSE(Slots(0).take()); }

}  // namespace
}  // namespace kinora::worker
