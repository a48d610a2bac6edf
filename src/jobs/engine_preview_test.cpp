// Previews on their way from a worker's progress to artifacts, events and the job.
#include <gtest/gtest.h>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/bytes.hpp"
#include "jobs/progress.hpp"
#include "jobs/testing.hpp"

namespace kinora::jobs {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using testing::World;

std::string picture(char mark) { return base::to_base64(base::as_bytes(std::string("\xff\xd8\xff\xe0 small ") + mark)); }

class PreviewTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(world_.recover()); }
  // A job whose worker sends these previews, `pause` apart, and is done when `kept` of them are artifacts.
  std::string run(std::vector<std::string> sent, std::chrono::milliseconds pause, std::size_t kept) {
    asio::steady_timer done(*world_.context, asio::steady_timer::time_point::max());
    world_.network.script = [&](AttemptRequest, AttemptObserver observer) -> Task<AttemptOutcome> {
      observer.on_event(tasks::Accepted{"worker-1", "cpu", 0});
      std::int64_t step = 0;
      for (const auto& preview : sent) {
        world_.now += pause;
        ++step;
        tasks::Progress progress{static_cast<double>(step) / 100, "run", step, 100, "step", std::nullopt, std::nullopt};
        progress.preview = preview;
        observer.on_event(progress);
      }
      boost::system::error_code canceled;
      co_await done.async_wait(asio::redirect_error(asio::use_awaitable, canceled));
      co_return outcome::Succeeded{tasks::TaskResult{.outputs = {{"ping", json::object()}}, .files = {}, .seconds = 0, .units = 0},
                                   "node-a"};
    };
    const std::string id = world_.submit_ok({{"task", "ping"}});
    EXPECT_TRUE(world_.until([&] { return world_.network.runs == 1 && previews(id).size() == kept; }));
    done.cancel();
    EXPECT_TRUE(world_.until_idle());
    return id;
  }
  std::vector<Event> previews(const std::string& id) {
    std::vector<Event> out;
    for (const Event& event : world_.events(id))
      if (event.type == "job.preview") out.push_back(event);
    return out;
  }
  World world_;
};

TEST_F(PreviewTest, become_artifacts_that_events_and_the_job_name) {
  const auto id = run({picture('a'), picture('b')}, 1100ms, 2);
  const auto events = previews(id);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[1].data.at("mime"), "image/jpeg");
  EXPECT_EQ(events[1].data.at("step"), 2);
  EXPECT_NEAR(events[1].data.at("at").as_double(), 0.02, 1e-9);
  const Links links{[](std::string_view path) { return std::string(path); },
                    [](std::string_view, std::string_view) { return SignedUrl{}; }};
  const auto shown = to_json(world_.job(id), links, world_.now, 0, {});
  ASSERT_EQ(shown.at("previews").as_array().size(), 2U);
  EXPECT_EQ(shown.at("previews").at(0).at("artifact"), events[0].data.at("artifact"));
  EXPECT_FALSE(shown.at("progress").as_object().contains("previews"));
}

TEST_F(PreviewTest, come_at_most_once_a_second) {
  // After 250, 500 ... 2000 ms: the first, and the one a second later.
  const auto events = previews(run(std::vector(8, picture('a')), 250ms, 2));
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].data.at("step"), 1);
  EXPECT_EQ(events[1].data.at("step"), 5);
}

TEST_F(PreviewTest, that_are_no_pictures_are_left_out_and_the_job_goes_on) {
  const auto id = run({base::to_base64(base::as_bytes(std::string("<html>"))), "no base64!"}, 1100ms, 0);
  EXPECT_TRUE(previews(id).empty());
  EXPECT_EQ(world_.job(id).status, Status::succeeded);
}

TEST_F(PreviewTest, are_still_the_jobs_after_a_restart) {
  world_.network.script = [&](AttemptRequest, AttemptObserver observer) -> Task<AttemptOutcome> {
    observer.on_event(tasks::Accepted{"worker-1", "cpu", 0});
    tasks::Progress progress{0.5, "run", 1, 2, "step", std::nullopt, std::nullopt};
    progress.preview = picture('a');
    observer.on_event(progress);
    asio::steady_timer forever(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    co_await forever.async_wait(asio::use_awaitable);
    co_return outcome::Refused{};
  };
  const auto id = world_.submit_ok({{"task", "ping"}});
  ASSERT_TRUE(world_.until([&] { return previews(id).size() == 1; }));
  world_.kill();
  world_.network.script = [](AttemptRequest, AttemptObserver) -> Task<AttemptOutcome> {
    co_return outcome::Succeeded{tasks::TaskResult{.outputs = {{"ping", json::object()}}, .files = {}, .seconds = 0, .units = 0}, "node-a"};
  };
  world_.start();
  ASSERT_TRUE(world_.recover());
  world_.advance(1min);
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(id).status, Status::succeeded);
  EXPECT_EQ(world_.job(id).progress.at("previews").as_array().size(), 1U);
}

TEST(Previews, of_a_job_have_a_limit) {
  JobProgress progress;
  base::UnixMillis now{};
  int kept = 0;
  for (int i = 0; i < 200; ++i) kept += progress.preview_due(now += kPreviewEvery);
  EXPECT_EQ(kept, kMaxPreviews);
}

}  // namespace
}  // namespace kinora::jobs
