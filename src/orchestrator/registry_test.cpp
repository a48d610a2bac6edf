#include "orchestrator/registry.hpp"

#include <gtest/gtest.h>

namespace kinora::orchestrator {
namespace {

constexpr base::UnixMillis kNow{std::chrono::milliseconds(1'000'000)};

wire::Registration worker(std::string name, std::string url, std::int64_t capacity = 1) {
  wire::Registration registration;
  registration.name = std::move(name);
  registration.url = std::move(url);
  registration.capacity = capacity;
  return registration;
}

std::string url_of(const std::optional<Assignment>& assignment) { return assignment ? assignment->worker.url : "none"; }

TEST(Registry, gives_a_slot_until_it_is_full_and_again_when_it_is_free) {
  Registry registry;
  ASSERT_TRUE(registry.add(worker("echo", "http://a", 2), kNow));
  auto first = registry.assign("echo", "", {}, kNow);
  auto second = registry.assign("echo", "", {}, kNow);
  EXPECT_EQ(url_of(first), "http://a");
  EXPECT_EQ(url_of(second), "http://a");
  EXPECT_FALSE(registry.assign("echo", "", {}, kNow));
  first.reset();
  EXPECT_TRUE(registry.assign("echo", "", {}, kNow));
  EXPECT_FALSE(registry.assign("other", "", {}, kNow));
}

TEST(Registry, prefers_the_least_loaded_worker) {
  Registry registry;
  ASSERT_TRUE(registry.add(worker("echo", "http://a", 2), kNow));
  ASSERT_TRUE(registry.add(worker("echo", "http://b", 4), kNow));
  const auto one = registry.assign("echo", "http://a", {}, kNow);
  EXPECT_EQ(url_of(registry.assign("echo", "", {}, kNow)), "http://b");
  const auto two = registry.assign("echo", "http://b", {}, kNow);
  // a has 1 of 2 in use, b 1 of 4.
  EXPECT_EQ(url_of(registry.assign("echo", "", {}, kNow)), "http://b");
}

TEST(Registry, prefers_the_fastest_of_equally_loaded_workers) {
  Registry registry;
  for (const auto* url : {"http://a", "http://b"}) ASSERT_TRUE(registry.add(worker("echo", url), kNow));
  registry.measured("echo", "http://a", 2.0);
  registry.measured("echo", "http://b", 1.0);
  EXPECT_EQ(url_of(registry.assign("echo", "", {}, kNow)), "http://b");
  // 1.0 + 0.3 * (10 - 1) = 3.7 > 2.0
  registry.measured("echo", "http://b", 10.0);
  EXPECT_EQ(url_of(registry.assign("echo", "", {}, kNow)), "http://a");
}

TEST(Registry, prefers_workers_that_did_not_just_fail_and_forgives_them) {
  Registry registry;
  for (const auto* url : {"http://a", "http://b"}) ASSERT_TRUE(registry.add(worker("echo", url, 2), kNow));
  registry.measured("echo", "http://b", 9.0);
  EXPECT_EQ(url_of(registry.assign("echo", "", {}, kNow)), "http://a") << "never measured";
  registry.failed("echo", "http://a", kNow);
  EXPECT_EQ(url_of(registry.assign("echo", "", {}, kNow)), "http://b");
  EXPECT_EQ(url_of(registry.assign("echo", "http://a", {}, kNow)), "http://a") << "a repeated attempt still goes there";
  EXPECT_EQ(url_of(registry.assign("echo", "", {"http://b"}, kNow)), "http://a") << "better than none";
  EXPECT_EQ(url_of(registry.assign("echo", "", {}, kNow + kFirstPenalty)), "http://a");
  registry.failed("echo", "http://a", kNow + kFirstPenalty);
  EXPECT_EQ(url_of(registry.assign("echo", "", {}, kNow + 3 * kFirstPenalty - std::chrono::milliseconds(1))), "http://b")
      << "twice as long";
  registry.measured("echo", "http://a", 1.0);
  EXPECT_EQ(url_of(registry.assign("echo", "", {}, kNow + kFirstPenalty)), "http://a");
}

TEST(Registry, takes_turns_among_equals) {
  Registry registry;
  for (const auto* url : {"http://a", "http://b"}) ASSERT_TRUE(registry.add(worker("echo", url), kNow));
  const auto first = url_of(registry.assign("echo", "", {}, kNow));
  EXPECT_NE(url_of(registry.assign("echo", "", {}, kNow)), first);
}

TEST(Registry, leaves_out_workers_to_avoid) {
  Registry registry;
  for (const auto* url : {"http://a", "http://b"}) ASSERT_TRUE(registry.add(worker("echo", url), kNow));
  EXPECT_EQ(url_of(registry.assign("echo", "http://a", {"http://a"}, kNow)), "http://b");
  EXPECT_EQ(url_of(registry.assign("echo", "", {"http://a", "http://b"}, kNow)), "none");
}

TEST(Registry, names_of_one_group_share_one_capacity) {
  Registry registry;
  for (const auto* name : {"video-upscale", "image-upscale"}) {
    auto registration = worker(name, "http://a", 1);
    registration.group = "cuda:0";
    ASSERT_TRUE(registry.add(registration, kNow));
  }
  auto other_device = worker("transcode", "http://a", 1);
  other_device.group = "cpu";
  ASSERT_TRUE(registry.add(other_device, kNow));
  const auto slot = registry.assign("video-upscale", "", {}, kNow);
  ASSERT_TRUE(slot);
  EXPECT_FALSE(registry.assign("image-upscale", "", {}, kNow));
  EXPECT_TRUE(registry.assign("transcode", "", {}, kNow));
}

TEST(Registry, groups_of_different_workers_are_different) {
  Registry registry;
  for (const auto* url : {"http://a", "http://b"}) {
    auto registration = worker("echo", url, 1);
    registration.group = "cpu";
    ASSERT_TRUE(registry.add(registration, kNow));
  }
  const auto first = registry.assign("echo", "", {}, kNow);
  EXPECT_TRUE(registry.assign("echo", "", {}, kNow));
}

TEST(Registry, a_renewal_keeps_count_of_what_runs) {
  Registry registry;
  ASSERT_TRUE(registry.add(worker("echo", "http://a", 1), kNow));
  auto slot = registry.assign("echo", "", {}, kNow);
  ASSERT_TRUE(registry.add(worker("echo", "http://a", 1), kNow));
  EXPECT_FALSE(registry.assign("echo", "", {}, kNow));
  ASSERT_TRUE(registry.add(worker("echo", "http://a", 2), kNow));
  EXPECT_TRUE(registry.assign("echo", "", {}, kNow));
}

TEST(Registry, a_slot_outlives_its_registration) {
  Registry registry;
  ASSERT_TRUE(registry.add(worker("echo", "http://a", 1), kNow));
  auto slot = registry.assign("echo", "", {}, kNow);
  EXPECT_TRUE(registry.remove("echo", "http://a"));
  slot.reset();
  EXPECT_FALSE(registry.known("echo"));
}

TEST(Registry, a_worker_that_is_gone_loses_all_its_names) {
  Registry registry;
  ASSERT_TRUE(registry.add(worker("one", "http://a"), kNow));
  ASSERT_TRUE(registry.add(worker("two", "http://a"), kNow));
  ASSERT_TRUE(registry.add(worker("two", "http://b"), kNow));
  registry.remove_worker("http://a");
  EXPECT_FALSE(registry.known("one"));
  EXPECT_EQ(url_of(registry.assign("two", "", {}, kNow)), "http://b");
}

TEST(Registry, unregistering_a_name_takes_all_its_workers_and_a_url_only_one) {
  Registry registry;
  for (const auto* url : {"http://a", "http://b"}) ASSERT_TRUE(registry.add(worker("echo", url), kNow));
  EXPECT_FALSE(registry.remove("echo", "http://c"));
  EXPECT_TRUE(registry.remove("echo", "http://a"));
  EXPECT_TRUE(registry.known("echo"));
  EXPECT_TRUE(registry.remove("echo", ""));
  EXPECT_FALSE(registry.known("echo"));
  EXPECT_FALSE(registry.remove("echo", ""));
}

TEST(Registry, registrations_end_unless_they_are_renewed) {
  Registry registry;
  auto registration = worker("echo", "http://a");
  registration.ttl_s = 15;
  ASSERT_TRUE(registry.add(registration, kNow));
  ASSERT_TRUE(registry.add(worker("forever", "http://a"), kNow));
  registry.drop_expired(kNow + std::chrono::milliseconds(14'999));
  EXPECT_TRUE(registry.known("echo"));
  ASSERT_TRUE(registry.add(registration, kNow + std::chrono::seconds(10)));
  registry.drop_expired(kNow + std::chrono::seconds(15));
  EXPECT_TRUE(registry.known("echo"));
  registry.drop_expired(kNow + std::chrono::seconds(25));
  EXPECT_FALSE(registry.known("echo"));
  EXPECT_TRUE(registry.known("forever"));
}

TEST(Registry, refuses_more_registrations_than_its_limit) {
  Registry registry;
  for (std::size_t i = 0; i < kMaxRegistrations; ++i) ASSERT_TRUE(registry.add(worker("n" + std::to_string(i), "http://a"), kNow));
  EXPECT_EQ(registry.add(worker("one more", "http://a"), kNow).error().code, base::ErrorCode::exhausted);
  EXPECT_TRUE(registry.add(worker("n0", "http://a", 5), kNow)) << "renewing is always possible";
}

TEST(Registry, announces_the_highest_price_of_a_name) {
  Registry registry;
  auto cheap = worker("echo", "http://a");
  cheap.price = {10, 1};
  auto dear = worker("echo", "http://b");
  dear.price = {30, 2};
  ASSERT_TRUE(registry.add(cheap, kNow));
  ASSERT_TRUE(registry.add(dear, kNow));
  EXPECT_TRUE(registry.price("echo") == (wire::Price{15, 1}));
  EXPECT_TRUE(registry.price("unknown") == (wire::Price{0, 1}));
}

TEST(Registry, a_worker_without_capacity_gets_nothing) {
  Registry registry;
  ASSERT_TRUE(registry.add(worker("echo", "http://a", 0), kNow));
  EXPECT_FALSE(registry.assign("echo", "", {}, kNow));
}

}  // namespace
}  // namespace kinora::orchestrator
