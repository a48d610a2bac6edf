#include "proc/process.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "proc/coroutine_test.hpp"

namespace kinora::proc {
namespace {

using namespace std::chrono_literals;
using namespace boost::asio::experimental::awaitable_operators;
using base::ErrorCode;
using std::chrono::steady_clock;

class ProcessTest : public CoroutineTest {
 protected:
  base::Result<Process> shell(std::string script, ProcessOptions options = {.program = "/bin/sh"}) {
    options.arguments = {"-c", std::move(script)};
    return Process::start(executor_, options);
  }
  static Task<std::vector<std::string>> lines(Process& process) {
    std::vector<std::string> out;
    for (;;) {
      auto line = co_await process.read_line();
      if (!line || !*line) break;
      out.push_back(**line);
    }
    co_return out;
  }
  // A pid of a child's child that is not ours: gone, or a zombie that init has not collected yet.
  static bool runs(int pid) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string text((std::istreambuf_iterator<char>(stat)), {});
    const auto after_name = text.rfind(") ");
    return after_name != std::string::npos && text[after_name + 2] != 'Z' && text[after_name + 2] != 'X';
  }
  // Suspends until the condition holds; the test's own limit bounds it.
  Task<void> until(std::function<bool()> condition) {
    boost::asio::steady_timer timer(executor_);
    while (!condition()) {
      timer.expires_after(5ms);
      co_await timer.async_wait(boost::asio::use_awaitable);
    }
  }
};

TEST_F(ProcessTest, gives_lines_and_the_exit_status) {
  run([&]() -> Task<void> {
    auto process = shell("echo one; echo; printf last; exit 3");
    EXPECT_THAT(co_await lines(*process), ::testing::ElementsAre("one", "", "last"));
    const Exit exit = co_await process->wait();
    EXPECT_EQ(exit.status, 3);
    EXPECT_EQ(exit.signal, 0);
    EXPECT_FALSE(exit.success());
    EXPECT_EQ(exit.text(), "exited with status 3");
  });
}

TEST_F(ProcessTest, passes_input_and_its_end) {
  run([&]() -> Task<void> {
    auto process = shell("cat");
    EXPECT_TRUE(co_await process->write_input("a\nb"));
    process->close_input();
    EXPECT_THAT(co_await lines(*process), ::testing::ElementsAre("a", "b"));
    EXPECT_TRUE((co_await process->wait()).success());
  });
}

TEST_F(ProcessTest, passes_more_input_than_a_pipe_holds) {
  run([&]() -> Task<void> {
    auto process = shell("wc -c");
    EXPECT_TRUE(co_await process->write_input(std::string(3'000'000, 'x')));
    process->close_input();
    EXPECT_THAT(co_await lines(*process), ::testing::ElementsAre("3000000"));
  });
}

TEST_F(ProcessTest, writing_to_a_process_that_closed_its_input_is_an_error_not_a_signal) {
  run([&]() -> Task<void> {
    auto process = shell("exec <&-; echo closed; cat /dev/zero | head -c 1 >/dev/null; read nothing < /dev/null; exit 0");
    EXPECT_EQ(**(co_await process->read_line()), "closed");
    const auto written = co_await process->write_input(std::string(1'000'000, 'x'));
    EXPECT_FALSE(written.has_value());
    if (!written) {
      EXPECT_EQ(written.error().code, ErrorCode::io);
    }
  });
}

TEST_F(ProcessTest, keeps_only_the_end_of_standard_error) {
  run([&]() -> Task<void> {
    auto process = shell("head -c 200000 /dev/zero | tr '\\0' 'x' >&2; printf END >&2", {.program = "/bin/sh", .stderr_tail_bytes = 1000});
    co_await process->wait();
    EXPECT_EQ(process->stderr_tail(), std::string(997, 'x') + "END");
  });
}

TEST_F(ProcessTest, a_flood_of_standard_error_does_not_block_it) {
  run([&]() -> Task<void> {
    auto process = shell("head -c 5000000 /dev/zero >&2; echo done");
    EXPECT_THAT(co_await lines(*process), ::testing::ElementsAre("done"));
  });
}

TEST_F(ProcessTest, a_flood_of_output_waits_for_its_reader) {
  run([&]() -> Task<void> {
    auto process = shell("seq 1 200000");
    const auto all = co_await lines(*process);
    EXPECT_EQ(all.size(), 200000U);
    if (!all.empty()) {
      EXPECT_EQ(all.back(), "200000");
    }
  });
}

TEST_F(ProcessTest, refuses_a_line_past_its_limit) {
  run([&]() -> Task<void> {
    auto endless = shell("cat /dev/zero", {.program = "/bin/sh", .line_bytes = 100'000});
    const auto line = co_await endless->read_line();
    EXPECT_FALSE(line.has_value());
    if (!line) {
      EXPECT_EQ(line.error().code, ErrorCode::too_large);
    }

    auto exact = shell("printf 12345678; echo; printf 123456789; echo", {.program = "/bin/sh", .line_bytes = 8});
    EXPECT_EQ(**(co_await exact->read_line()), "12345678");
    EXPECT_FALSE((co_await exact->read_line()).has_value());
  });
}

TEST_F(ProcessTest, says_when_a_program_is_not_there) {
  const auto absent = Process::start(executor_, {.program = "/nonexistent/program"});
  ASSERT_FALSE(absent.has_value());
  EXPECT_EQ(absent.error().code, ErrorCode::not_found);
  const auto folder = Process::start(executor_, {.program = "/tmp"});
  ASSERT_FALSE(folder.has_value());
  EXPECT_EQ(folder.error().code, ErrorCode::io);
}

TEST_F(ProcessTest, refuses_bad_options) {
  const std::string with_nul("a\0b", 3);
  for (const ProcessOptions& bad :
       {ProcessOptions{.program = "sh"}, ProcessOptions{.program = "/bin/sh", .arguments = {with_nul}},
        ProcessOptions{.program = "/bin/sh", .environment = {with_nul}}, ProcessOptions{.program = "/bin/sh", .cpus = {-1}},
        ProcessOptions{.program = "/bin/sh", .cpus = {1024}}, ProcessOptions{.program = "/bin/sh", .nice = 20}}) {
    const auto process = Process::start(executor_, bad);
    ASSERT_FALSE(process.has_value());
    EXPECT_EQ(process.error().code, ErrorCode::invalid);
  }
}

TEST_F(ProcessTest, a_death_by_signal_is_told_apart_from_an_exit) {
  run([&]() -> Task<void> {
    auto process = shell("kill -SEGV $$");
    const Exit exit = co_await process->wait();
    EXPECT_EQ(exit.signal, SIGSEGV);
    EXPECT_EQ(exit.text(), "was killed by signal 11 (Segmentation fault)");
    EXPECT_EQ(process->exit()->signal, SIGSEGV);
  });
}

TEST_F(ProcessTest, terminate_lets_it_clean_up_within_the_grace) {
  run([&]() -> Task<void> {
    auto process = shell("trap 'echo cleaned; exit 7' TERM; echo ready; while :; do sleep 0.01; done");
    EXPECT_EQ(**(co_await process->read_line()), "ready");
    const Exit exit = co_await process->terminate(30s);
    EXPECT_EQ(exit.status, 7);
    EXPECT_THAT(co_await lines(*process), ::testing::ElementsAre("cleaned"));
  });
}

TEST_F(ProcessTest, terminate_kills_what_ignores_it) {
  run([&]() -> Task<void> {
    auto process = shell("trap '' TERM; echo ready; while :; do sleep 0.01; done");
    EXPECT_EQ(**(co_await process->read_line()), "ready");
    const auto before = steady_clock::now();
    const Exit exit = co_await process->terminate(50ms);
    EXPECT_EQ(exit.signal, SIGKILL);
    EXPECT_LT(steady_clock::now() - before, 5s);
  });
}

TEST_F(ProcessTest, a_shorter_stop_overtakes_a_longer_one) {
  run([&]() -> Task<void> {
    auto process = shell("trap '' TERM; echo ready; while :; do sleep 0.01; done");
    co_await process->read_line();
    process->stop(1h);
    process->stop(20ms);
    process->stop(1h);
    EXPECT_EQ((co_await process->wait()).signal, SIGKILL);
  });
}

TEST_F(ProcessTest, the_whole_group_dies_with_its_owner) {
  run([&]() -> Task<void> {
    int grandchild = 0;
    {
      auto process = shell("sleep 1000 & echo $!; wait");
      grandchild = std::atoi((co_await process->read_line())->value().c_str());
      EXPECT_TRUE(runs(grandchild));
    }
    co_await until([&] { return !runs(grandchild); });
  });
}

TEST_F(ProcessTest, what_a_process_leaves_behind_is_killed_when_it_ends) {
  run([&]() -> Task<void> {
    auto process = shell("sleep 1000 & echo $!; exit 0");
    const int grandchild = std::atoi((co_await process->read_line())->value().c_str());
    EXPECT_TRUE((co_await process->wait()).success());
    co_await until([&] { return !runs(grandchild); });
  });
}

TEST_F(ProcessTest, ends_without_zombies_when_the_context_goes_first) {
  int pid = 0;
  {
    boost::asio::io_context other;
    auto process = Process::start(other.get_executor(), {.program = "/bin/sleep", .arguments = {"1000"}});
    ASSERT_TRUE(process.has_value());
    pid = process->pid();
  }
  EXPECT_EQ(::kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

TEST_F(ProcessTest, waiting_can_be_cancelled_and_goes_on_later) {
  run([&]() -> Task<void> {
    auto process = shell("read line; exit 4");
    boost::asio::steady_timer timer(executor_, 20ms);
    const auto first = co_await (process->wait() || timer.async_wait(boost::asio::use_awaitable));
    EXPECT_EQ(first.index(), 1U);
    process->close_input();
    EXPECT_EQ((co_await process->wait()).status, 4);
  });
}

TEST_F(ProcessTest, several_may_wait_for_the_same_end) {
  run([&]() -> Task<void> {
    auto process = shell("exit 5");
    const auto [a, b] = co_await (process->wait() && process->wait());
    EXPECT_EQ(a.status, 5);
    EXPECT_EQ(b.status, 5);
  });
}

TEST_F(ProcessTest, inherits_no_descriptor_and_only_listed_names) {
  ::setenv("KINORA_TEST_SECRET", "do not tell", 1);
  const int leaked = ::fcntl(1, F_DUPFD, 100);  // deliberately without close-on-exec
  ASSERT_GE(leaked, 100);
  run([&]() -> Task<void> {
    auto process = shell("test -e /proc/$$/fd/" + std::to_string(leaked) + " && echo leaked; env");
    const auto all = co_await lines(*process);
    EXPECT_THAT(all, ::testing::Not(::testing::Contains("leaked")));
    for (const auto& line : all) EXPECT_EQ(line.find("KINORA_TEST_SECRET"), std::string::npos);
    EXPECT_THAT(all, ::testing::Contains(::testing::StartsWith("PATH=")));
  });
  ::close(leaked);
}

TEST_F(ProcessTest, leads_its_own_group_and_dies_with_the_thread_that_started_it) {
  run([&]() -> Task<void> {
    auto process = shell("cat /proc/self/stat; echo; read line");
    const std::string stat = **(co_await process->read_line());
    std::istringstream fields(stat.substr(stat.rfind(')') + 2));
    std::string state;
    int parent = 0;
    int group = 0;
    fields >> state >> parent >> group;
    EXPECT_EQ(parent, process->pid());
    EXPECT_EQ(group, process->pid());
  });
  // The death signal itself: a thread of ours starts a process and ends.
  int pid = 0;
  boost::asio::io_context other;
  std::optional<base::Result<Process>> process;
  std::thread([&] { process = Process::start(other.get_executor(), {.program = "/bin/sleep", .arguments = {"1000"}}); }).join();
  ASSERT_TRUE(process->has_value());
  pid = (*process)->pid();
  other.run_for(kLimit);
  ASSERT_TRUE((*process)->exit().has_value());
  EXPECT_EQ((*process)->exit()->signal, SIGKILL);
  EXPECT_EQ(::kill(pid, 0), -1);
}

TEST_F(ProcessTest, runs_where_and_how_it_is_told) {
  cpu_set_t ours;
  ASSERT_EQ(::sched_getaffinity(0, sizeof ours, &ours), 0);
  int cpu = 0;
  while (!CPU_ISSET(static_cast<std::size_t>(cpu), &ours)) ++cpu;
  const int priority = ::getpriority(PRIO_PROCESS, 0);
  run([&]() -> Task<void> {
    auto process =
        shell("pwd; nice; grep Cpus_allowed_list /proc/self/status; echo $A",
              {.program = "/bin/sh", .environment = {"A=b c", "PATH=/bin:/usr/bin"}, .working_dir = "/usr", .cpus = {cpu}, .nice = 3});
    const auto all = co_await lines(*process);
    EXPECT_THAT(all, ::testing::ElementsAre("/usr", std::to_string(std::min(priority + 3, 19)),
                                            "Cpus_allowed_list:\t" + std::to_string(cpu), "b c"));
  });
}

TEST_F(ProcessTest, signals_that_we_ignore_are_not_ignored_by_the_child) {
  run([&]() -> Task<void> {
    auto process = shell("kill -PIPE $$; echo survived");
    EXPECT_EQ((co_await process->wait()).signal, SIGPIPE);
  });
}

}  // namespace
}  // namespace kinora::proc
