// Nodes that go silent and come back, over a scripted network: whose result counts.
#include <gtest/gtest.h>

#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

#include "jobs/testing.hpp"

namespace kinora::jobs {
namespace {

using namespace std::chrono_literals;
using testing::World;
namespace asio = boost::asio;

// Attempt 1 goes silent at once and delivers when it is told to; attempt 2 delivers when it is told to.
class LateResults : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(world_.recover());
    for (auto& gate : gates_) gate = std::make_unique<asio::steady_timer>(*world_.context, asio::steady_timer::time_point::max());
    world_.network.script = [this](AttemptRequest request, AttemptObserver observer) -> Task<AttemptOutcome> {
      co_await asio::post(*world_.context, asio::use_awaitable);  // as the way to a node is
      const std::size_t number = ids_.size();
      ids_.push_back(request.order.attempt);
      observer.on_node("node-" + std::to_string(number));
      observer.on_event(tasks::Accepted{"worker-" + std::to_string(number), "cpu", 0});
      if (number == 0) observer.on_event(tasks::failure("worker_lost", "the node has gone silent"));
      boost::system::error_code opened;
      co_await gates_.at(number)->async_wait(asio::redirect_error(asio::use_awaitable, opened));
      observer.on_node = [](std::string_view) {};  // work() names a node of its own
      co_return co_await world_.work(std::move(request), std::move(observer), {{"image", "from-" + std::to_string(number) + ".jpg"}}, {},
                                     "image/jpeg");
    };
  }
  std::string submit(int max_attempts = 2, int back_off_ms = 0) {
    const std::string clip = world_.artifact("video/mp4");
    return world_.submit_ok({{"task", "thumbnail"},
                             {"input", {{"video", {{"artifact", clip}}}}},
                             {"retry", {{"max_attempts", max_attempts}, {"initial_ms", back_off_ms}}}});
  }
  void deliver(std::size_t number) { gates_.at(number)->cancel(); }
  bool begun(std::size_t count) {
    return world_.until([&] { return ids_.size() == count; });
  }
  // States of the attempts by number.
  std::vector<std::string> states(const std::string& id) {
    std::vector<std::string> out;
    const std::vector<Attempt> rows = *world_.run(world_.engine->attempts("proj_1", id));
    for (const std::string& attempt : ids_)
      for (const Attempt& row : rows)
        if (row.id == attempt) out.push_back(row.state);
    return out;
  }
  std::string made(const std::string& id) { return std::string(world_.job(id).output.at("image").at("filename").as_string()); }

  World world_;
  std::vector<std::string> ids_;
  std::array<std::unique_ptr<asio::steady_timer>, 3> gates_;
};

TEST_F(LateResults, count_when_no_other_attempt_has_delivered) {
  const std::string id = submit();
  ASSERT_TRUE(begun(2));
  ASSERT_TRUE(world_.until([&] { return states(id).size() == 2 && states(id)[0] == "lost"; }));
  deliver(0);
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(id).status, Status::succeeded);
  EXPECT_EQ(made(id), "from-0.jpg");
  ASSERT_TRUE(world_.until([&] { return world_.engine->counts().running_attempts == 0; })) << "the one in its place goes on";
  EXPECT_EQ(states(id), (std::vector<std::string>{"delivered", "canceled"}));
  EXPECT_EQ(world_.history(id), "job.created job.queued job.preparing job.retrying job.preparing job.started job.succeeded");
}

TEST_F(LateResults, come_too_late_when_another_attempt_has_delivered) {
  const std::string id = submit();
  ASSERT_TRUE(begun(2));
  deliver(1);
  ASSERT_TRUE(world_.until_idle());
  deliver(0);
  EXPECT_EQ(made(id), "from-1.jpg");
  EXPECT_EQ(states(id), (std::vector<std::string>{"lost", "delivered"}));
  const auto refused = world_.run(world_.engine->add_attempt_file(ids_[0], "image.jpg", world_.put("late")));
  EXPECT_EQ(refused.error().code, "not_found");
}

TEST_F(LateResults, must_verify_as_any_other) {
  world_.verifier.verdict = [&](const tasks::TaskOrder& order) -> base::Status {
    if (order.attempt == ids_[0]) return base::fail(base::ErrorCode::invalid, "black");
    return {};
  };
  const std::string id = submit();
  ASSERT_TRUE(begun(2));
  deliver(0);
  ASSERT_TRUE(world_.until([&] { return world_.verifier.asked == 1; }));
  deliver(1);
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(made(id), "from-1.jpg");
  EXPECT_EQ(states(id), (std::vector<std::string>{"lost", "delivered"}));
}

TEST_F(LateResults, spare_the_next_attempt_when_it_has_not_begun) {
  const std::string id = submit(2, 60'000);
  ASSERT_TRUE(world_.until([&] { return world_.job(id).phase == Phase::retry_wait; }));
  deliver(0);
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(made(id), "from-0.jpg");
  world_.advance(60s);
  EXPECT_EQ(ids_.size(), 1u);
}

TEST_F(LateResults, change_nothing_of_a_job_that_has_failed) {
  const std::string id = submit(1);
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(id).error.at("code"), "worker_lost");
  deliver(0);
  ASSERT_TRUE(world_.until([&] { return world_.network.busy == 0; }));
  EXPECT_EQ(world_.job(id).status, Status::failed);
  EXPECT_EQ(states(id), std::vector<std::string>{"lost"});
}

TEST_F(LateResults, are_not_awaited_by_a_stop_or_a_cancel) {
  const std::string id = submit();
  ASSERT_TRUE(begun(2));
  ASSERT_TRUE(world_.run(world_.engine->cancel("proj_1", id, std::nullopt)));
  ASSERT_TRUE(world_.until_idle());
  ASSERT_TRUE(world_.until([&] { return world_.network.busy == 0; })) << "a stream of a canceled job is open";
  ids_.clear();
  submit();
  ASSERT_TRUE(begun(2));
  world_.run([](Engine& engine) -> Task<bool> {
    co_await engine.stop();
    co_return true;
  }(*world_.engine));
  EXPECT_EQ(world_.network.busy, 0u);
}

}  // namespace
}  // namespace kinora::jobs
