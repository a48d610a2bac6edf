#include "proc/spawn.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <mutex>

namespace kinora::proc {
namespace {

using base::ErrorCode;
using base::fail;

// What a program of ours may need from the environment; secrets never travel this way.
constexpr std::array kInheritedNames = {"PATH",
                                        "HOME",
                                        "TMPDIR",
                                        "LANG",
                                        "LC_ALL",
                                        "LC_CTYPE",
                                        "TZ",
                                        "USER",
                                        "LOGNAME",
                                        "XDG_CACHE_HOME",
                                        "LD_LIBRARY_PATH",
                                        "CUDA_VISIBLE_DEVICES",
                                        "NVIDIA_VISIBLE_DEVICES",
                                        "NVIDIA_DRIVER_CAPABILITIES",
                                        "OMP_NUM_THREADS",
                                        "MKL_NUM_THREADS",
                                        "ASAN_OPTIONS",
                                        "LSAN_OPTIONS",
                                        "UBSAN_OPTIONS",
                                        "TSAN_OPTIONS"};

std::string reason(int error) { return std::error_code(error, std::generic_category()).message(); }

// Everything the child touches between vfork and exec, prepared before: no allocation happens in the child.
struct Plan {
  const char* program;
  char* const* arguments;
  char* const* environment;
  const char* working_dir;  // null: stay
  const cpu_set_t* cpus;    // null: all
  int nice;
  int input, output, errors;  // >= 3
  int failure;                // write end of the pipe that tells why exec failed; close-on-exec
  pid_t parent;
};

[[noreturn]] void give_up(int failure) {
  const int error = errno;
  [[maybe_unused]] const auto written = ::write(failure, &error, sizeof error);
  ::_exit(127);
}

// Runs in the child, on the parent's stack and memory (vfork): system calls only, nothing of the parent is changed.
[[noreturn]] void become(const Plan& plan) {
  struct sigaction usual{};
  usual.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &usual, nullptr);  // KILL, STOP refuse: fine
  if (::setpgid(0, 0) != 0) give_up(plan.failure);
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) give_up(plan.failure);
  if (::getppid() != plan.parent) ::_exit(127);  // the parent died before the line above took effect
  if (::dup2(plan.input, 0) < 0 || ::dup2(plan.output, 1) < 0 || ::dup2(plan.errors, 2) < 0) give_up(plan.failure);
#ifdef SYS_close_range
  // For descriptors that some library opened without close-on-exec. An old kernel lacks it; ours are all marked anyway.
  constexpr unsigned kCloseRangeCloexec = 4;
  ::syscall(SYS_close_range, 3U, ~0U, kCloseRangeCloexec);
#endif
  if (plan.working_dir != nullptr && ::chdir(plan.working_dir) != 0) give_up(plan.failure);
  if (plan.cpus != nullptr && ::sched_setaffinity(0, sizeof *plan.cpus, plan.cpus) != 0) give_up(plan.failure);
  if (plan.nice > 0) {
    errno = 0;
    const int current = ::getpriority(PRIO_PROCESS, 0);
    if (errno == 0) ::setpriority(PRIO_PROCESS, 0, current + plan.nice);  // lower priority is never refused
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(plan.program, plan.arguments, plan.environment);
  give_up(plan.failure);
}

[[gnu::noinline]] pid_t launch(const Plan& plan) {
  // Not posix_spawn: it sets no limits and closes no inherited descriptors. NOLINTNEXTLINE(bugprone-unsafe-functions)
  const pid_t pid = ::vfork();
  if (pid == 0) become(plan);
  return pid;
}

struct Pipe {
  Descriptor read;
  Descriptor write;
};

// A close-on-exec pipe whose ends are above 2, so that dup2 onto 0..2 in the child never meets its own source.
base::Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(ErrorCode::io, "cannot make a pipe: " + reason(errno));
  Pipe pipe{Descriptor(ends[0]), Descriptor(ends[1])};
  for (Descriptor* end : {&pipe.read, &pipe.write}) {
    if (end->get() > 2) continue;
    const int moved = ::fcntl(end->get(), F_DUPFD_CLOEXEC, 3);
    if (moved < 0) return fail(ErrorCode::io, "cannot move a pipe: " + reason(errno));
    *end = Descriptor(moved);
  }
  return pipe;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));  // execve's historical type
  out.push_back(nullptr);
  return out;
}

base::Status check(const ProcessOptions& options) {
  const auto has_nul = [](const std::string& text) { return text.find('\0') != std::string::npos; };
  if (!options.program.is_absolute()) return fail(ErrorCode::invalid, "the program's path is not absolute: " + options.program.string());
  if (has_nul(options.program.string()) || has_nul(options.working_dir.string()))
    return fail(ErrorCode::invalid, "a path holds a NUL byte");
  for (const auto* list : {&options.arguments, &options.environment}) {
    for (const std::string& text : *list) {
      if (has_nul(text)) return fail(ErrorCode::invalid, "an argument or environment value holds a NUL byte");
    }
  }
  for (const int cpu : options.cpus) {
    if (cpu < 0 || cpu >= CPU_SETSIZE) return fail(ErrorCode::invalid, "no such CPU: " + std::to_string(cpu));
  }
  if (options.nice < 0 || options.nice > 19) return fail(ErrorCode::invalid, "nice must be 0..19");
  return {};
}

// A write to a pipe whose reader is gone must be an error, not the end of our process.
void ignore_sigpipe() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction now{};
    if (::sigaction(SIGPIPE, nullptr, &now) == 0 && now.sa_handler == SIG_DFL) ::signal(SIGPIPE, SIG_IGN);
  });
}

}  // namespace

std::vector<std::string> inherited_environment() {
  std::vector<std::string> out;
  for (const char* name : kInheritedNames) {
    if (const char* value = std::getenv(name)) out.push_back(std::string(name) + "=" + value);
  }
  return out;
}

base::Result<Spawned> spawn(const ProcessOptions& options) {
  KINORA_OK(check(options));
  ignore_sigpipe();
  KINORA_TRY(Pipe input, make_pipe());
  KINORA_TRY(Pipe output, make_pipe());
  KINORA_TRY(Pipe errors, make_pipe());
  KINORA_TRY(Pipe failure, make_pipe());

  const std::string program = options.program.string();
  const std::string working_dir = options.working_dir.string();
  std::vector<std::string> words{program};
  words.insert(words.end(), options.arguments.begin(), options.arguments.end());
  const std::vector<char*> arguments = pointers(words);
  const std::vector<char*> environment = pointers(options.environment);
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  for (const int cpu : options.cpus) CPU_SET(static_cast<std::size_t>(cpu), &cpus);
  const Plan plan{.program = program.c_str(),
                  .arguments = arguments.data(),
                  .environment = environment.data(),
                  .working_dir = working_dir.empty() ? nullptr : working_dir.c_str(),
                  .cpus = options.cpus.empty() ? nullptr : &cpus,
                  .nice = options.nice,
                  .input = input.read.get(),
                  .output = output.write.get(),
                  .errors = errors.write.get(),
                  .failure = failure.write.get(),
                  .parent = ::getpid()};

  // No signal handler of ours may run in the child while it shares our memory.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = launch(plan);
  const int launch_error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return fail(ErrorCode::io, "cannot start a process: " + reason(launch_error));

  failure.write.reset();
  int error = 0;
  ssize_t got = 0;
  do got = ::read(failure.read.get(), &error, sizeof error);
  while (got < 0 && errno == EINTR);
  if (got == static_cast<ssize_t>(sizeof error)) {
    ::waitpid(pid, nullptr, 0);
    const bool absent = error == ENOENT || error == ENOTDIR;
    return fail(absent ? ErrorCode::not_found : ErrorCode::io, "cannot start " + program + ": " + reason(error));
  }

  Spawned spawned{.pid = pid,
                  .pidfd = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))),
                  .input = std::move(input.write),
                  .output = std::move(output.read),
                  .errors = std::move(errors.read)};
  if (!spawned.pidfd) {
    const int open_error = errno;
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return fail(ErrorCode::io, "cannot watch a process (needs Linux 5.3 or later): " + reason(open_error));
  }
  for (const Descriptor* end : {&spawned.input, &spawned.output, &spawned.errors}) ::fcntl(end->get(), F_SETFL, O_NONBLOCK);
  return spawned;
}

}  // namespace kinora::proc
