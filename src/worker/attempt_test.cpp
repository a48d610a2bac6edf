#include "worker/attempt.hpp"

#include <gmock/gmock.h>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "base/json.hpp"
#include "net/sse.hpp"
#include "worker/loopback_test.hpp"

namespace kinora::worker {
namespace {

using namespace std::chrono_literals;
using namespace boost::asio::experimental::awaitable_operators;
using net::testing::run;
using ::testing::ElementsAre;
using ::testing::StartsWith;

// Keeps what is written; a peer that goes away after `take` pieces.
class PaperResponse : public net::Response {
 public:
  net::Task<base::Status> start(int status, net::Headers) override {
    started_ = true;
    code = status;
    co_return base::Status();
  }
  net::Task<base::Status> write(std::string chunk) override {
    if (pieces.size() >= take) co_return base::fail(base::ErrorCode::unavailable, "gone");
    pieces.push_back(std::move(chunk));
    if (on_write) on_write();
    co_return base::Status();
  }
  net::Task<base::Status> finish(net::Headers) override {
    finished = true;
    co_return base::Status();
  }
  int code = 0;
  std::vector<std::string> pieces;
  std::size_t take = SIZE_MAX;
  bool finished = false;
  std::function<void()> on_write;
};

std::vector<std::string> data_of(const PaperResponse& response) {
  net::SseParser parser;
  std::vector<std::string> out;
  for (const auto& piece : response.pieces) {
    const auto events = parser.feed(piece);
    for (const auto& event : *events) out.push_back(event.data);
  }
  return out;
}

class AttemptTest : public ::testing::Test {
 protected:
  boost::asio::io_context loop_;
  std::shared_ptr<Attempt> attempt_ = std::make_shared<Attempt>(loop_.get_executor(), "att_1", tasks::Accepted{"w", "cpu", 0});
  static tasks::Progress progress(double fraction, std::string stage) {
    tasks::Progress out;
    out.fraction = fraction;
    out.stage = std::move(stage);
    return out;
  }
};

TEST_F(AttemptTest, tells_accepted_then_progress_then_the_last_word) {
  PaperResponse response;
  int told = 0;
  response.on_write = [&] {
    if (++told == 1) attempt_->report(progress(0.25, "run"));
    if (told == 2) attempt_->finish(tasks::failure("worker_error", "broken"));
  };
  run(loop_, Attempt::follow(attempt_, response, 1h));
  EXPECT_EQ(response.code, 200);
  EXPECT_TRUE(response.finished);
  const auto data = data_of(response);
  ASSERT_EQ(data.size(), 4U);
  EXPECT_EQ(boost::json::parse(data[0]).at("worker").as_string(), "w");
  EXPECT_EQ(boost::json::parse(data[1]).at("fraction").as_double(), 0.25);
  EXPECT_EQ(boost::json::parse(data[2]).at("error").at("code").as_string(), "worker_error");
  EXPECT_EQ(data[3], "[DONE]");
}

TEST_F(AttemptTest, a_late_follower_gets_the_outcome_at_once) {
  attempt_->report(progress(0.5, "run"));
  attempt_->finish(tasks::TaskResult{});
  attempt_->finish(tasks::failure("worker_error", "too late"));
  PaperResponse response;
  run(loop_, Attempt::follow(attempt_, response, 1h));
  EXPECT_THAT(data_of(response), ElementsAre(StartsWith(R"({"type":"accepted")"), StartsWith(R"({"type":"result")"), "[DONE]"));
}

TEST_F(AttemptTest, keeps_a_silent_stream_alive) {
  PaperResponse response;
  response.on_write = [&] {
    if (response.pieces.size() == 4) attempt_->finish(tasks::TaskResult{});
  };
  run(loop_, Attempt::follow(attempt_, response, 5ms));
  EXPECT_THAT(response.pieces, ElementsAre(::testing::_, ": hb\n\n", ": hb\n\n", ": hb\n\n", ::testing::_));
}

TEST_F(AttemptTest, drops_reports_that_come_too_quickly_but_not_a_new_stage) {
  PaperResponse response;
  response.on_write = [&] {
    if (response.pieces.size() == 1) {
      attempt_->report(progress(0.1, "download"));
    } else if (response.pieces.size() == 2) {
      attempt_->report(progress(0.2, "download"));
      attempt_->report(progress(0.3, "run"));
    } else {
      attempt_->finish(tasks::TaskResult{});
    }
  };
  run(loop_, Attempt::follow(attempt_, response, 1h));
  const auto data = data_of(response);
  ASSERT_EQ(data.size(), 5U);
  EXPECT_EQ(boost::json::parse(data[1]).at("fraction").as_double(), 0.1);
  EXPECT_EQ(boost::json::parse(data[2]).at("fraction").as_double(), 0.3);
}

TEST_F(AttemptTest, is_abandoned_when_the_last_follower_goes) {
  int abandoned = 0;
  attempt_->on_abandoned([&] {
    ++abandoned;
    attempt_->finish(tasks::failure("canceled", ""));
  });
  PaperResponse stays;
  PaperResponse goes;
  goes.take = 1;
  bool first_gone = false;
  auto leave = [&]() -> net::Task<void> {
    co_await Attempt::follow(attempt_, goes, 1ms);  // its first heartbeat fails
    first_gone = true;
    EXPECT_EQ(abandoned, 0);
    stays.take = 0;
  };
  run(loop_, (Attempt::follow(attempt_, stays, 2ms) && leave()));
  EXPECT_TRUE(first_gone);
  EXPECT_EQ(abandoned, 1);
}

TEST_F(AttemptTest, nobody_is_told_when_a_finished_one_is_left) {
  attempt_->on_abandoned([] { FAIL(); });
  attempt_->finish(tasks::TaskResult{});
  PaperResponse response;
  response.take = 0;
  run(loop_, Attempt::follow(attempt_, response, 1h));
}

TEST(AttemptTableTest, keeps_an_outcome_for_its_time) {
  boost::asio::io_context loop;
  AttemptTable table(5min);
  const net::Clock::time_point start{};
  auto attempt = std::make_shared<Attempt>(loop.get_executor(), "att_1", tasks::Accepted{});
  table.add(attempt);
  EXPECT_EQ(table.find("att_1", start + 24h), attempt);  // while it runs
  attempt->finish(tasks::TaskResult{});
  table.finished(attempt, start);
  EXPECT_EQ(table.find("att_1", start + 5min - 1s), attempt);
  EXPECT_EQ(table.find("att_1", start + 5min), nullptr);
  EXPECT_EQ(table.size(), 0U);
}

TEST_F(AttemptTest, a_withdrawn_one_is_not_kept_so_that_the_same_order_can_begin_anew) {
  AttemptTable table(5min);
  table.add(attempt_);
  attempt_->on_abandoned([] {});
  PaperResponse response;
  response.take = 0;
  run(loop_, Attempt::follow(attempt_, response, 1h));
  EXPECT_TRUE(attempt_->withdrawn());
  attempt_->finish(tasks::failure("canceled", ""));
  table.finished(attempt_, net::Clock::time_point{});
  EXPECT_EQ(table.find(attempt_->id(), net::Clock::time_point{}), nullptr);
}

TEST(AttemptTableTest, keeps_no_more_than_its_limits) {
  boost::asio::io_context loop;
  AttemptTable table(5min, 1'000'000);
  const net::Clock::time_point now{};
  const auto add = [&](int i, std::size_t bytes) {
    auto attempt = std::make_shared<Attempt>(loop.get_executor(), "att_" + std::to_string(i), tasks::Accepted{});
    table.add(attempt);
    tasks::TaskResult result;
    result.outputs["x"] = std::string(bytes, 'x');
    attempt->finish(result);
    table.finished(attempt, now);
  };
  const int most = static_cast<int>(AttemptTable::kMaxKept);
  for (int i = 0; i <= most; ++i) add(i, 1);
  EXPECT_EQ(table.size(), AttemptTable::kMaxKept);
  EXPECT_EQ(table.find("att_0", now), nullptr);
  EXPECT_NE(table.find("att_1", now), nullptr);
  for (int i = 0; i < 3; ++i) add(most + 1 + i, 600'000);
  EXPECT_EQ(table.size(), 1U);
}

}  // namespace
}  // namespace kinora::worker
