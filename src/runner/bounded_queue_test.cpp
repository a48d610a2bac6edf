#include "runner/bounded_queue.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace kinora::runner {
namespace {

TEST(BoundedQueue, keeps_the_order_and_never_holds_more_than_its_capacity) {
  BoundedQueue<int> queue(2);
  std::jthread producer([&] {
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(queue.push(i));
    queue.close();
  });
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(queue.pop(), i);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(BoundedQueue, after_close_gives_what_is_left_and_takes_nothing_more) {
  BoundedQueue<int> queue(4);
  queue.push(1);
  queue.push(2);
  queue.close();
  EXPECT_FALSE(queue.push(3));
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_EQ(queue.pop(), 2);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(BoundedQueue, abort_wakes_both_sides_and_drops_what_is_inside) {
  BoundedQueue<std::unique_ptr<int>> full(1), empty(1);
  full.push(std::make_unique<int>(1));
  bool pushed = true;
  std::optional<std::unique_ptr<int>> popped = std::make_unique<int>(2);
  {
    std::jthread producer([&] { pushed = full.push(std::make_unique<int>(3)); });
    std::jthread consumer([&] { popped = empty.pop(); });
    full.abort();
    empty.abort();
  }
  EXPECT_FALSE(pushed);
  EXPECT_EQ(popped, std::nullopt);
  EXPECT_EQ(full.pop(), std::nullopt);
}

}  // namespace
}  // namespace kinora::runner
