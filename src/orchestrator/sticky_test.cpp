#include "orchestrator/sticky.hpp"

#include <gtest/gtest.h>

namespace kinora::orchestrator {
namespace {

constexpr base::UnixMillis kNow{std::chrono::milliseconds(1'000'000)};

TEST(StickyAttempts, remember_the_worker_for_ten_minutes) {
  StickyAttempts sticky;
  sticky.remember("att_1", "http://a", kNow);
  EXPECT_EQ(sticky.worker_of("att_1", kNow + std::chrono::minutes(10) - std::chrono::milliseconds(1)), "http://a");
  EXPECT_EQ(sticky.worker_of("att_1", kNow + std::chrono::minutes(10)), "");
  EXPECT_EQ(sticky.worker_of("att_2", kNow), "");
}

TEST(StickyAttempts, remembering_again_renews_and_replaces) {
  StickyAttempts sticky;
  sticky.remember("att_1", "http://a", kNow);
  sticky.remember("att_1", "http://b", kNow + std::chrono::minutes(5));
  sticky.remember("att_2", "http://c", kNow + std::chrono::minutes(11));
  EXPECT_EQ(sticky.worker_of("att_1", kNow + std::chrono::minutes(14)), "http://b");
}

TEST(StickyAttempts, forget_what_is_old) {
  StickyAttempts sticky;
  sticky.remember("att_1", "http://a", kNow);
  sticky.remember("att_2", "http://a", kNow + std::chrono::minutes(11));
  EXPECT_EQ(sticky.size(), 1u);
}

TEST(StickyAttempts, forget_the_oldest_past_their_limit) {
  StickyAttempts sticky(2);
  for (const auto* id : {"att_1", "att_2", "att_3"}) sticky.remember(id, "http://a", kNow);
  EXPECT_EQ(sticky.size(), 2u);
  EXPECT_EQ(sticky.worker_of("att_1", kNow), "");
  EXPECT_EQ(sticky.worker_of("att_3", kNow), "http://a");
}

TEST(StickyAttempts, ignore_jobs_without_an_id) {
  StickyAttempts sticky;
  sticky.remember("", "http://a", kNow);
  EXPECT_EQ(sticky.size(), 0u);
}

}  // namespace
}  // namespace kinora::orchestrator
