#include "market/book.hpp"

#include <gtest/gtest.h>

#include "wire/byoc.hpp"
#include "wire/capabilities.hpp"

namespace kinora::market {
namespace {

using namespace std::chrono_literals;
constexpr base::UnixMillis kNow{1'700'000'000'000ms};
constexpr std::int64_t kNowS = 1'700'000'000;

struct Announced {
  unsigned capacity = 2;
  unsigned in_use = 0;
  std::int64_t price = 0;
};

wire::pb::OrchestratorInfo info(const std::string& url, Announced announced = {}, const std::string& capability = "echo") {
  wire::pb::OrchestratorInfo message;
  message.set_transcoder(url);
  for (const auto word : wire::make_bits({12, 37})) message.mutable_capabilities()->add_bitstring(word);
  message.mutable_capabilities()->set_version("0.9.1");
  auto& models = *(*message.mutable_capabilities()->mutable_constraints()->mutable_percapability())[37].mutable_models();
  models[capability].set_capacity(announced.capacity);
  models[capability].set_capacityinuse(announced.in_use);
  if (announced.price > 0) {
    message.mutable_price_info()->set_priceperunit(announced.price);
    message.mutable_price_info()->set_pixelsperunit(1);
  }
  message.mutable_auth_token()->set_session_id("abcdef01");
  message.mutable_auth_token()->set_expiration(kNowS + 1800);
  return message;
}

struct BookTest : testing::Test {
  Book book{{{"https://a:1", ""}, {"https://b:1", ""}}, {1s, 60s}};
  Node& a = book.nodes()[0];
  Node& b = book.nodes()[1];

  void announce(Node& node, Announced announced = {}, std::chrono::microseconds latency = 1ms) {
    ASSERT_TRUE(book.enter(node, "echo", info(node.address.url, announced), "sha256/x", latency, kNow));
  }
  std::vector<std::size_t> order(const RunLimits& limits = {}, base::UnixMillis now = kNow) const {
    return book.candidates("echo", limits, now);
  }
  using Order = std::vector<std::size_t>;
};

TEST_F(BookTest, knows_nothing_before_an_answer) {
  EXPECT_TRUE(order().empty());
  EXPECT_EQ(book.free_slots("echo", {}, kNow), 0u);
  EXPECT_TRUE(book.stale(a, "echo", 2s, kNow));
}

TEST_F(BookTest, counts_free_slots_of_all_nodes_and_our_own_jobs) {
  announce(a, {.capacity = 3, .in_use = 1});
  announce(b, {.capacity = 1});
  EXPECT_EQ(book.free_slots("echo", {}, kNow), 3u);
  book.begun(a, "echo", kNow);
  EXPECT_EQ(book.free_slots("echo", {}, kNow), 2u);
  book.ended(a, "echo");
  EXPECT_EQ(book.free_slots("echo", {}, kNow), 3u);
}

TEST_F(BookTest, an_announcement_while_we_run_already_counts_our_job) {
  announce(a, {.capacity = 2});
  book.begun(a, "echo", kNow);
  announce(a, {.capacity = 2, .in_use = 1});
  EXPECT_EQ(book.free_slots("echo", {}, kNow), 1u);
  book.ended(a, "echo");
  EXPECT_EQ(book.free_slots("echo", {}, kNow), 2u);
}

TEST_F(BookTest, keeps_the_digest_of_weights_that_is_one) {
  const std::string digest = "sha256:" + std::string(64, 'a');
  auto message = info("https://a:1");
  auto& models = *(*message.mutable_capabilities()->mutable_constraints()->mutable_percapability())[37].mutable_models();
  for (const auto& [told, kept] : {std::pair<std::string, std::string>{digest, digest}, {"sha256:aa", ""}, {"", ""}}) {
    models["echo"].set_weights(told);
    ASSERT_TRUE(book.enter(a, "echo", message, "sha256/x", 1ms, kNow));
    EXPECT_EQ(book.status(kNow)[0].capabilities[0].weights, kept);
  }
}

TEST_F(BookTest, keeps_why_a_model_cannot_be_used_as_text_that_can_be_shown) {
  auto message = info("https://a:1");
  auto& models = *(*message.mutable_capabilities()->mutable_constraints()->mutable_percapability())[37].mutable_models();
  models["unusable:lost"].set_unusable("lacks\x1b[31m a weight" + std::string(2000, '.'));
  ASSERT_TRUE(book.enter(a, "unusable:lost", message, "sha256/x", 1ms, kNow));
  const auto told = book.status(kNow)[0].capabilities.back();
  EXPECT_EQ(told.capacity, 0u);
  EXPECT_EQ(told.unusable.substr(0, 19), "lacks?[31m a weight");
  EXPECT_EQ(told.unusable.size(), wire::kMaxUnusableBytes);
}

TEST_F(BookTest, a_node_that_said_full_is_left_out_until_it_announces_again) {
  announce(a);
  book.full(a, "echo");
  EXPECT_TRUE(order().empty());
  announce(a);
  EXPECT_EQ(order(), (Order{0}));
}

TEST_F(BookTest, prefers_lower_latency_while_no_speed_is_known) {
  announce(a, {}, 9ms);
  announce(b, {}, 3ms);
  EXPECT_EQ(order(), (Order{1, 0}));
}

TEST_F(BookTest, leaves_a_slow_node_for_a_faster_one) {
  announce(a);
  announce(b);
  book.succeeded(a, "echo", 4.0, kNow);
  EXPECT_EQ(order(), (Order{1, 0})) << "one that was never measured is tried";
  book.succeeded(b, "echo", 1.0, kNow);
  EXPECT_EQ(order(), (Order{1, 0}));
  book.succeeded(b, "echo", 40.0, kNow);
  EXPECT_EQ(order(), (Order{0, 1})) << "1 + 0.3 * 39 = 12.7 s is slower than 4 s";
}

TEST_F(BookTest, weighs_speed_with_load) {
  announce(a, {.capacity = 2, .in_use = 1});
  announce(b, {.capacity = 2, .in_use = 0});
  book.succeeded(a, "echo", 1.0, kNow);
  book.succeeded(b, "echo", 1.2, kNow);
  EXPECT_EQ(order(), (Order{1, 0})) << "1.0 * 1.5 is more than 1.2";
  book.succeeded(b, "echo", 4.2, kNow);
  EXPECT_EQ(order(), (Order{0, 1})) << "1.0 * 1.5 is less than 1.2 + 0.3 * 3.0";
}

TEST_F(BookTest, a_node_is_explored_with_one_job_at_a_time) {
  announce(a, {.capacity = 4});
  announce(b, {.capacity = 4});
  book.succeeded(a, "echo", 1.0, kNow);
  EXPECT_EQ(order().front(), 1u);
  book.begun(b, "echo", kNow);
  EXPECT_EQ(order().front(), 0u);
}

TEST_F(BookTest, forgets_a_speed_after_ten_minutes) {
  announce(a);
  announce(b);
  book.succeeded(a, "echo", 1.0, kNow);
  book.succeeded(b, "echo", 9.0, kNow - 10min);
  EXPECT_EQ(order(), (Order{1, 0}));
}

TEST_F(BookTest, keeps_to_the_price_limit) {
  announce(a, {.price = 100});
  announce(b, {.price = 90});
  RunLimits limits;
  limits.max_price = wire::Price{95, 1};
  EXPECT_EQ(order(limits), (Order{1}));
  limits.max_price = wire::Price{1, 1};
  EXPECT_TRUE(order(limits).empty());
  EXPECT_EQ(book.free_slots("echo", wire::Price{95, 1}, kNow), 2u);
}

TEST_F(BookTest, prefers_and_avoids_what_the_caller_names) {
  announce(a);
  announce(b);
  RunLimits limits;
  limits.prefer = "https://b:1";
  EXPECT_EQ(order(limits), (Order{1, 0}));
  limits.prefer.reset();
  limits.avoid = {"https://a:1"};
  EXPECT_EQ(order(limits), (Order{1}));
  limits.avoid = {"https://a:1", "https://b:1"};
  EXPECT_EQ(order(limits), (Order{0, 1})) << "where all are to be avoided, avoiding helps nobody";
}

TEST_F(BookTest, waits_for_a_good_node_that_is_full_beside_a_bad_one) {
  announce(a);
  announce(b, {.capacity = 1, .in_use = 1});
  book.failed(a, "echo", "worker_error", kNow);
  EXPECT_TRUE(order().empty());
  EXPECT_EQ(order({}, kNow + 1s), (Order{0})) << "the suspension of one second is over";
}

TEST_F(BookTest, uses_suspended_nodes_when_there_is_no_other_lowest_penalty_first) {
  announce(a);
  announce(b);
  book.failed(a, "echo", "x", kNow);
  book.failed(b, "echo", "x", kNow - 500ms);
  EXPECT_EQ(order(), (Order{1, 0}));
}

TEST_F(BookTest, jobs_that_fail_together_count_as_one_failure) {
  announce(a);
  for (int i = 0; i < 10; ++i) book.failed(a, "echo", "x", kNow);
  EXPECT_EQ(book.status(kNow)[0].capabilities.at(0).suspended_ms, 1000);
  book.failed(a, "echo", "x", kNow + 1s);
  EXPECT_EQ(book.status(kNow + 1s)[0].capabilities.at(0).suspended_ms, 2000);
  for (int i = 0; i < 10; ++i) book.unreachable(a, "x", false, kNow);
  EXPECT_EQ(book.status(kNow)[0].suspended_ms, 1000);
}

TEST_F(BookTest, success_ends_a_suspension) {
  announce(a);
  announce(b);
  book.failed(a, "echo", "x", kNow);
  EXPECT_EQ(order(), (Order{1}));
  book.succeeded(a, "echo", 1.0, kNow);
  EXPECT_EQ(order().size(), 2u);
}

TEST_F(BookTest, an_unreachable_node_offers_nothing_and_is_not_asked_while_suspended) {
  announce(a);
  book.unreachable(a, "connection refused", false, kNow);
  EXPECT_TRUE(order().empty());
  EXPECT_FALSE(book.stale(a, "echo", 2s, kNow + 999ms));
  EXPECT_TRUE(book.stale(a, "echo", 2s, kNow + 1s));
  announce(a);
  EXPECT_EQ(order(), (Order{0}));
}

TEST_F(BookTest, another_key_closes_the_sessions) {
  announce(a);
  book.unreachable(a, "another key", true, kNow);
  EXPECT_FALSE(book.session(a, "echo", kNow).open);
  EXPECT_EQ(book.session(a, "echo", kNow).pin, "");
}

TEST_F(BookTest, knowledge_gets_stale_by_age_and_in_the_tokens_last_tenth) {
  announce(a);
  EXPECT_FALSE(book.stale(a, "echo", 2s, kNow + 1999ms));
  EXPECT_TRUE(book.stale(a, "echo", 2s, kNow + 2s));
  EXPECT_FALSE(book.stale(a, "echo", 1h, kNow + 1619s));
  EXPECT_TRUE(book.stale(a, "echo", 1h, kNow + 1620s)) << "1800 s less a tenth";
  EXPECT_TRUE(book.stale(a, "other", 2s, kNow));
}

TEST_F(BookTest, a_slot_that_gets_free_makes_it_ask_again_about_names_that_were_full) {
  auto both = info("https://a:1", {.capacity = 1});
  auto& models = *(*both.mutable_capabilities()->mutable_constraints()->mutable_percapability())[37].mutable_models();
  models["full"].set_capacity(1);
  models["full"].set_capacityinuse(1);
  models["idle"].set_capacity(1);
  for (const auto* name : {"echo", "full", "idle"}) ASSERT_TRUE(book.enter(a, name, both, "", 1ms, kNow));
  book.begun(a, "echo", kNow);
  EXPECT_FALSE(book.stale(a, "full", 2s, kNow));
  book.ended(a, "echo");
  EXPECT_TRUE(book.stale(a, "full", 2s, kNow));
  EXPECT_FALSE(book.stale(a, "idle", 2s, kNow));
  EXPECT_FALSE(book.stale(a, "echo", 2s, kNow));
}

TEST_F(BookTest, drops_answers_without_address_token_or_the_capability) {
  auto message = info("https://a:1");
  message.clear_transcoder();
  EXPECT_EQ(book.enter(a, "echo", message, "", 1ms, kNow).error().code, base::ErrorCode::invalid);
  message = info("https://a:1");
  message.clear_auth_token();
  EXPECT_EQ(book.enter(a, "echo", message, "", 1ms, kNow).error().code, base::ErrorCode::invalid);
  EXPECT_EQ(book.enter(a, "echo", info("https://a:1", {}, "other"), "", 1ms, kNow).error().code, base::ErrorCode::unsupported);
  EXPECT_TRUE(order().empty());
}

TEST_F(BookTest, refuses_a_price_that_is_no_fraction) {
  auto message = info("https://a:1", {.price = 5});
  message.mutable_price_info()->set_pixelsperunit(0);
  EXPECT_FALSE(book.enter(a, "echo", message, "", 1ms, kNow));
}

TEST_F(BookTest, keeps_a_bounded_number_of_sessions) {
  for (std::size_t i = 0; i <= kMaxSessionsPerNode; ++i) book.session(a, "c" + std::to_string(i), kNow + std::chrono::milliseconds(i));
  EXPECT_EQ(a.sessions.size(), kMaxSessionsPerNode);
  EXPECT_FALSE(a.sessions.contains("c0")) << "the one that was unused longest goes";
}

TEST_F(BookTest, shows_its_state) {
  announce(a, {.capacity = 3, .in_use = 1, .price = 7}, 1500us);
  book.succeeded(a, "echo", 2.0, kNow);
  book.unreachable(b, "connection refused", false, kNow);
  const auto status = book.status(kNow);
  ASSERT_EQ(status.size(), 2u);
  EXPECT_TRUE(status[0].reachable);
  EXPECT_EQ(status[0].latency_ms, 1.5);
  EXPECT_EQ(status[0].capabilities.at(0).name, "echo");
  EXPECT_EQ(status[0].capabilities.at(0).free, 2u);
  EXPECT_EQ(status[0].capabilities.at(0).seconds_per_unit, 2.0);
  EXPECT_TRUE(*status[0].capabilities.at(0).price == (wire::Price{7, 1}));
  EXPECT_FALSE(status[1].reachable);
  EXPECT_EQ(status[1].last_error, "connection refused");
  EXPECT_EQ(status[1].suspended_ms, 1000);
}

}  // namespace
}  // namespace kinora::market
