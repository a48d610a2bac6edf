#include "kinora_media/sandbox.hpp"

#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

namespace kinora::media_app {
namespace {

// Runs the check inside a sandboxed child: walls cannot be taken down again.
int in_sandbox(int (*check)()) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto entered = enter_sandbox({});
    ::_exit(entered ? check() : 99);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

TEST(Sandbox, refuses_sockets_processes_programs_and_tracing) {
  EXPECT_EQ(in_sandbox([] { return ::socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM ? 0 : 1; }), 0);
  EXPECT_EQ(in_sandbox([] {
              int pair[2];
              return ::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 && errno == EPERM ? 0 : 1;
            }),
            0);
  EXPECT_EQ(in_sandbox([] {
              const pid_t child = ::fork();
              if (child == 0) ::_exit(0);
              return child < 0 && errno == EPERM ? 0 : 1;
            }),
            0);
  EXPECT_EQ(in_sandbox([] { return ::execl("/bin/true", "true", nullptr) < 0 && errno == EPERM ? 0 : 1; }), 0);
  EXPECT_EQ(in_sandbox([] { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) < 0 && errno == EPERM ? 0 : 1; }), 0);
}

TEST(Sandbox, allows_threads) {
  EXPECT_EQ(in_sandbox([] {
              int value = 1;
              std::thread([&value] { value = 0; }).join();
              return value;
            }),
            0);
}

TEST(Sandbox, puts_limits_on_the_process) {
  EXPECT_EQ(in_sandbox([] {
              rlimit core{}, cpu{}, size{};
              ::getrlimit(RLIMIT_CORE, &core);
              ::getrlimit(RLIMIT_CPU, &cpu);
              ::getrlimit(RLIMIT_FSIZE, &size);
              return core.rlim_cur == 0 && cpu.rlim_cur <= 4 * 3600 && size.rlim_cur <= (rlim_t{64} << 30) ? 0 : 1;
            }),
            0);
}

}  // namespace
}  // namespace kinora::media_app
