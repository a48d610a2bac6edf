#include "proc/media_tool.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/parse.hpp>
#include <fstream>

#include "proc/coroutine_test.hpp"

namespace kinora::proc {
namespace {

using namespace std::chrono_literals;
using namespace boost::asio::experimental::awaitable_operators;
using std::chrono::steady_clock;
namespace fs = std::filesystem;

// Shell scripts stand in for kinora-media where it must crash, hang or lie.
class MediaToolTest : public CoroutineTest {
 protected:
  fs::path folder_ = fs::temp_directory_path() / ("kinora-media-tool-" + std::to_string(::getpid()));

  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  MediaToolSettings script(const std::string& body) {
    const fs::path program = folder_ / "tool";
    std::ofstream(program) << "#!/bin/sh\n" << body << "\n";
    fs::permissions(program, fs::perms::owner_all);
    return {.program = program};
  }
  ToolOutcome outcome(const MediaToolSettings& settings, ProgressSink sink = {}) {
    std::optional<ToolOutcome> out;
    run([&]() -> Task<void> {
      MediaTool tool(executor_, settings);
      boost::json::object request{{"input", "in.mp4"}};
      out = co_await tool.run("probe", std::move(request), sink);
    });
    return std::move(*out);
  }
};

TEST_F(MediaToolTest, passes_the_request_and_returns_the_result) {
  std::vector<double> fractions;
  const auto done = outcome(script(R"(cat > )" + (folder_ / "request").string() + R"(
echo '{"type":"progress","fraction":0.5}'
echo '{"note":"no type"}'
echo '{"type":"result","operation":"'$1'"}')"),
                            [&](const boost::json::object& event) { fractions.push_back(event.at("fraction").as_double()); });
  ASSERT_NE(done.result(), nullptr) << done.error()->detail;
  EXPECT_EQ(done.result()->at("operation").as_string(), "probe");
  EXPECT_THAT(fractions, ::testing::ElementsAre(0.5));
  std::ifstream file(folder_ / "request");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const auto request = boost::json::parse(text);
  EXPECT_EQ(request.at("input").as_string(), "in.mp4");
  EXPECT_EQ(request.at("limits").at("memory_bytes").to_number<std::uint64_t>(), ToolLimits{}.memory_bytes);
}

TEST_F(MediaToolTest, passes_an_error_on_as_it_was_said) {
  const auto done = outcome(script(
      R"(echo '{"type":"error","error":{"code":"unsupported_media","fault":"client","retryable":false,"detail":"no decoder"}}'; exit 1)"));
  ASSERT_NE(done.error(), nullptr);
  EXPECT_EQ(*done.error(), (ToolError{.code = "unsupported_media", .fault = "client", .retryable = false, .detail = "no decoder"}));
}

TEST_F(MediaToolTest, a_crash_is_a_retryable_fault_of_the_worker) {
  const auto done = outcome(script(R"(echo '{"type":"progress","fraction":0.1}'; kill -SEGV $$)"));
  ASSERT_NE(done.error(), nullptr);
  EXPECT_EQ(done.error()->code, "worker_error");
  EXPECT_EQ(done.error()->fault, "worker");
  EXPECT_TRUE(done.error()->retryable);
  EXPECT_EQ(done.error()->detail, "tool was killed by signal 11 (Segmentation fault)");
}

TEST_F(MediaToolTest, an_end_without_a_result_is_a_fault) {
  EXPECT_EQ(outcome(script("exit 0")).error()->detail, "tool exited with status 0");
  EXPECT_EQ(outcome(script("exit 3")).error()->detail, "tool exited with status 3");
}

TEST_F(MediaToolTest, a_result_followed_by_a_crash_does_not_count) {
  const auto done = outcome(script(R"(echo '{"type":"result"}'; kill -ABRT $$)"));
  ASSERT_NE(done.error(), nullptr);
  EXPECT_EQ(done.error()->detail, "tool was killed by signal 6 (Aborted)");
}

TEST_F(MediaToolTest, the_first_last_word_counts) {
  const auto done = outcome(script(R"(echo '{"type":"result","n":1}'; echo '{"type":"result","n":2}')"));
  ASSERT_NE(done.result(), nullptr);
  EXPECT_EQ(done.result()->at("n").as_int64(), 1);
}

TEST_F(MediaToolTest, a_missing_program_is_a_fault_of_the_worker) {
  const auto done = outcome({.program = folder_ / "absent"});
  ASSERT_NE(done.error(), nullptr);
  EXPECT_EQ(done.error()->code, "worker_error");
}

TEST_F(MediaToolTest, a_hang_is_killed_after_the_silence) {
  auto settings = script("trap '' TERM; echo '{\"type\":\"progress\"}'; while :; do sleep 0.01; done");
  settings.silence = 100ms;
  const auto before = steady_clock::now();
  const auto done = outcome(settings);
  ASSERT_NE(done.error(), nullptr);
  EXPECT_EQ(done.error()->detail, "tool made no sign of life and was stopped");
  EXPECT_TRUE(done.error()->retryable);
  EXPECT_LT(steady_clock::now() - before, 10s);
}

TEST_F(MediaToolTest, signs_of_life_do_not_stretch_the_wall_clock) {
  auto settings = script("while :; do echo '{\"type\":\"progress\"}'; sleep 0.02; done");
  settings.limits.wall_clock = 1s;
  const auto done = outcome(settings);
  ASSERT_NE(done.error(), nullptr);
  EXPECT_EQ(done.error()->code, "worker_timeout");
}

TEST_F(MediaToolTest, nonsense_and_floods_are_stopped) {
  EXPECT_THAT(outcome(script("echo 'Hello, world'; sleep 1000")).error()->detail,
              ::testing::StartsWith("tool wrote something that is no event"));
  EXPECT_THAT(outcome(script("cat /dev/zero")).error()->detail, ::testing::HasSubstr("too long a line"));
}

TEST_F(MediaToolTest, cpu_and_file_size_limits_are_named) {
  EXPECT_EQ(outcome(script("kill -XCPU $$")).error()->detail, "tool passed its limit of CPU time");
  EXPECT_EQ(outcome(script("kill -XFSZ $$")).error()->detail, "tool passed its limit of file size");
}

TEST_F(MediaToolTest, cancelling_asks_first_and_waits_for_the_end) {
  const auto settings = script("trap 'rm -f " + (folder_ / "partial").string() + "; exit 1' TERM\ntouch " + (folder_ / "partial").string() +
                               "\necho '{\"type\":\"progress\"}'\nwhile :; do sleep 0.01; done");
  run([&]() -> Task<void> {
    MediaTool tool(executor_, settings);
    boost::asio::steady_timer started(executor_, steady_clock::time_point::max());
    auto wait_for_start = [&]() -> Task<void> { co_await started.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable)); };
    const auto before = steady_clock::now();
    const auto first = co_await (tool.run("probe", {}, [&](const auto&) { started.cancel(); }) || wait_for_start());
    EXPECT_EQ(first.index(), 1U);
    EXPECT_FALSE(fs::exists(folder_ / "partial"));
    EXPECT_LT(steady_clock::now() - before, 5s);
  });
}

TEST_F(MediaToolTest, cancelling_kills_what_does_not_listen) {
  auto settings = script("trap '' TERM; echo '{\"type\":\"progress\"}'; while :; do sleep 0.01; done");
  settings.grace = 50ms;
  boost::asio::cancellation_signal signal;
  std::exception_ptr thrown;
  MediaTool tool(executor_, settings);
  boost::asio::co_spawn(executor_, tool.run("probe", {}, [&](const auto&) { signal.emit(boost::asio::cancellation_type::terminal); }),
                        boost::asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr error, ToolOutcome) { thrown = error; }));
  context_.run_for(kLimit);
  ASSERT_TRUE(thrown);
  EXPECT_THROW(std::rethrow_exception(thrown), boost::system::system_error);
}

}  // namespace
}  // namespace kinora::proc
