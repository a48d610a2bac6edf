#pragma once
// A child process: spawned without a shell, talked to through pipes, awaited, and never left behind.
//
//   KINORA_CO_TRY(Process process, Process::start(executor, {.program = "/bin/sh", .arguments = {"-c", "cat"}}));
//   KINORA_CO_OK(co_await process.write_input("hello\n"));  process.close_input();
//   while (true) { KINORA_CO_TRY(auto line, co_await process.read_line()); if (!line) break; ... }
//   const Exit exit = co_await process.wait();
//
// Ownership: the child leads its own process group. Destroying the Process kills the whole group at once; when the child
// ends by itself, what is left of its group is killed before it is reaped. Linux kills the child when the thread that
// started it ends (PR_SET_PDEATHSIG), so start() belongs on a thread that lives as long as the program.
// Threading: one executor run by one thread; nothing is locked. One read_line() and one write_input() at a time.
// Errors: io (the operating system refused), not_found (no such program), invalid (bad options), too_large (line limit).
// Needs Linux 5.4 (pidfd).
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace kinora::proc {

template <class T>
using Task = boost::asio::awaitable<T>;

// Names that a child inherits from our environment; nothing else goes through.
std::vector<std::string> inherited_environment();

struct ProcessOptions {
  std::filesystem::path program;                                   // absolute; no search in PATH
  std::vector<std::string> arguments{};                            // without argv[0]
  std::vector<std::string> environment = inherited_environment();  // "NAME=value", complete
  std::filesystem::path working_dir{};                             // empty: ours
  std::vector<int> cpus{};                                         // empty: all that we may use
  int nice = 0;                                                    // 0..19 added to ours
  std::size_t line_bytes = 1 << 20;                                // longest line of standard output, without its end
  std::size_t stderr_tail_bytes = 16 * 1024;                       // how much of the end of standard error is kept
};

// How a process ended.
struct Exit {
  int status = 0;  // exit status when signal is 0
  int signal = 0;  // the signal that killed it
  bool success() const { return status == 0 && signal == 0; }
  std::string text() const;  // "exited with status 1", "was killed by signal 9 (Killed)"
};

class Process {
 public:
  static base::Result<Process> start(boost::asio::any_io_executor executor, const ProcessOptions& options);
  Process(Process&&) noexcept;
  Process& operator=(Process&&) noexcept;
  ~Process();

  int pid() const;
  std::optional<Exit> exit() const;  // nullopt while it runs

  // Writes all bytes; io when the child closed its end (SIGPIPE never reaches us).
  Task<base::Status> write_input(std::string bytes);
  void close_input();
  // The next line without "\n" (a last line may lack it), nullopt at the end of output. After too_large the stream is
  // unusable: stop the process.
  Task<base::Result<std::optional<std::string>>> read_line();
  // The end of what it wrote to standard error so far, for logs. Complete after wait().
  std::string stderr_tail() const;

  // Suspends until the process has ended and was reaped. Any number of waiters.
  Task<Exit> wait();
  // SIGTERM to the group now and, if it has not ended, SIGKILL after `grace`. Returns at once; zero grace kills now.
  void stop(std::chrono::milliseconds grace);
  Task<Exit> terminate(std::chrono::milliseconds grace);  // stop() and wait()

 private:
  struct State;
  explicit Process(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace kinora::proc
