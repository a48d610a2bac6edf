#include "jobs/idempotency.hpp"

#include <gtest/gtest.h>

#include "jobs/testing.hpp"

namespace kinora::jobs {
namespace {

using namespace std::chrono_literals;
using testing::World;
namespace asio = boost::asio;

TEST(Fingerprint, matches_the_known_answer) {
  // developer-api 5.4.2
  const json::value body = json::parse(R"({"model": "wan2.2-t2v-a14b", "task": "text-to-video", "input": {"prompt": "a red fox"}})");
  EXPECT_EQ(fingerprint("POST", "/v1/jobs", "proj_1", body), "312c7fa4674794d01a02aac23862e50d34b1825711671b0d81ff36942ed2d9bd");
}

TEST(Fingerprint, does_not_see_white_space_or_order_but_every_value) {
  const auto of = [](std::string_view text) { return fingerprint("POST", "/v1/jobs", "p", json::parse(text)); };
  EXPECT_EQ(of(R"({"a":1,"b":2})"), of(R"({ "b": 2, "a": 1.0 })"));
  EXPECT_NE(of(R"({"a":1})"), of(R"({"a":2})"));
  EXPECT_NE(of(R"({"a":1})"), of(R"({"a":"1"})"));
}

TEST(IdempotencyKey, is_read_bare_or_quoted_and_limited) {
  EXPECT_EQ(*parse_idempotency_key("order-991"), "order-991");
  EXPECT_EQ(*parse_idempotency_key("\"order 991\""), "order 991");
  EXPECT_EQ(*parse_idempotency_key(R"("a\"b\\c")"), "a\"b\\c");
  EXPECT_TRUE(parse_idempotency_key(std::string(255, 'k')));
  for (const std::string& bad : {std::string(), std::string("\"\""), std::string(256, 'k'), std::string("a\tb"), std::string("caf\xc3\xa9"),
                                 std::string(R"("a\nb")"), std::string(R"("a"b")")})
    EXPECT_FALSE(parse_idempotency_key(bad)) << bad;
}

class IdempotentSubmit : public ::testing::Test {
 protected:
  void SetUp() override {
    world_.network.script = world_.answer_pings();
    world_.network.slots = 0;
    ASSERT_TRUE(world_.recover());
  }
  static IdempotencyScope scope(const json::value& body, std::string key = "k1") {
    return {"proj_1", "POST", "/v1/jobs", std::move(key), fingerprint("POST", "/v1/jobs", "proj_1", body)};
  }
  Outcome<SubmitAnswer> submit(const json::value& body, std::string key = "k1") { return world_.submit(body, scope(body, std::move(key))); }
  World world_;
  const json::value ping_ = {{"task", "ping"}};
};

TEST_F(IdempotentSubmit, answers_a_repetition_with_the_first_job_in_its_current_state) {
  const auto first = submit(ping_);
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->replayed);
  world_.network.slots = 1;
  ASSERT_TRUE(world_.until_idle());
  const auto again = submit(ping_);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->replayed);
  EXPECT_EQ(again->job.id, first->job.id);
  EXPECT_EQ(again->job.status, Status::succeeded);
  EXPECT_EQ(world_.network.runs, 1u);
}

TEST_F(IdempotentSubmit, refuses_the_key_with_another_body) {
  ASSERT_TRUE(submit(ping_));
  EXPECT_EQ(submit({{"task", "ping"}, {"client_ref", "x"}}).error().code, "idempotency_mismatch");
  EXPECT_TRUE(submit({{"task", "ping"}, {"client_ref", "x"}}, "k2"));
}

TEST_F(IdempotentSubmit, makes_one_job_of_a_hundred_requests_at_once) {
  std::set<std::string> ids;
  int answers = 0, fresh = 0;
  for (int i = 0; i < 100; ++i)
    asio::co_spawn(
        *world_.context,
        world_.engine->submit({.project = "proj_1", .key = "key_1", .body = ping_, .idempotency = scope(ping_), .trace_id = std::nullopt}),
        [&](std::exception_ptr, const Outcome<SubmitAnswer>& answer) {
          ++answers;
          if (!answer) return;
          ids.insert(answer->job.id);
          fresh += !answer->replayed;
        });
  ASSERT_TRUE(world_.until([&] { return answers == 100; }));
  EXPECT_EQ(ids.size(), 1u);
  EXPECT_EQ(fresh, 1);
  EXPECT_EQ(world_.engine->counts().active_jobs, 1u);
}

TEST_F(IdempotentSubmit, leaves_no_record_when_the_request_is_refused) {
  const json::value bad{{"task", "probe"}, {"input", {{"media", {{"artifact", "art_01KE0000000000000000000001"}}}}}};
  EXPECT_EQ(submit(bad).error().code, "ref_unresolved");
  EXPECT_TRUE(submit(ping_));  // the same key is free
}

TEST_F(IdempotentSubmit, survives_a_restart) {
  const auto first = submit(ping_);
  world_.kill();
  world_.start();
  ASSERT_TRUE(world_.recover());
  EXPECT_EQ(submit(ping_)->job.id, first->job.id);
}

TEST_F(IdempotentSubmit, answers_with_the_job_also_when_its_data_has_been_removed) {
  const auto first = submit(ping_);
  ASSERT_TRUE(world_.run(world_.engine->cancel("proj_1", first->job.id, std::nullopt)));
  ASSERT_TRUE(world_.run(world_.engine->remove("proj_1", first->job.id)));
  const auto again = submit(ping_);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->job.data_removed);
}

TEST_F(IdempotentSubmit, guards_other_requests_by_begin_and_finish) {
  const IdempotencyScope one{"proj_1", "POST", "/v1/artifacts", "k", "f1"};
  const auto begin = [&](IdempotencyScope what) {
    return *world_.run(world_.database->write(
        [what, now = world_.now](store::Connection& connection) { return begin_idempotent(connection, what, now); }));
  };
  EXPECT_TRUE(std::holds_alternative<idempotent::Fresh>(begin(one)));
  EXPECT_TRUE(std::holds_alternative<idempotent::InProgress>(begin(one)));
  EXPECT_TRUE(std::holds_alternative<idempotent::Mismatch>(begin({"proj_1", "POST", "/v1/artifacts", "k", "f2"})));
  EXPECT_TRUE(world_.run(world_.database->write([&](store::Connection& connection) { return abandon_idempotent(connection, one); })));
  EXPECT_TRUE(std::holds_alternative<idempotent::Fresh>(begin(one)));
  EXPECT_TRUE(world_.run(world_.database->write(
      [&](store::Connection& connection) { return finish_idempotent(connection, one, {201, "{}", "art_x"}, world_.now + 24h); })));
  const auto replay = begin(one);
  ASSERT_TRUE(std::holds_alternative<idempotent::Replay>(replay));
  EXPECT_EQ(std::get<idempotent::Replay>(replay).status, 201);
  world_.now += 24h;
  EXPECT_TRUE(std::holds_alternative<idempotent::Fresh>(begin(one)));  // expired
}

}  // namespace
}  // namespace kinora::jobs
