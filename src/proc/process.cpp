#include "proc/process.hpp"

#include <fcntl.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "proc/spawn.hpp"

namespace kinora::proc {
namespace asio = boost::asio;
namespace {

constexpr std::size_t kPieceBytes = 16 * 1024;
constexpr int kLastDrainReads = 64;  // a dead writer leaves at most a pipe's capacity, 64 KiB by default
constexpr auto kWhenDone = asio::as_tuple(asio::use_awaitable);
using Clock = std::chrono::steady_clock;

base::Error from(const boost::system::error_code& error, std::string_view doing) {
  const bool canceled = error == asio::error::operation_aborted;
  return {canceled ? base::ErrorCode::canceled : base::ErrorCode::io, std::string(doing) + ": " + error.message()};
}

}  // namespace

// Shared with the handlers that watch the process, so that it is reaped even when its owner has gone.
struct Process::State : std::enable_shared_from_this<State> {
  State(const asio::any_io_executor& executor, const ProcessOptions& options, Spawned spawned)
      : pid(spawned.pid),
        pidfd(executor, spawned.pidfd.release()),
        input(executor, spawned.input.release()),
        output(executor, spawned.output.release()),
        errors(executor, spawned.errors.release()),
        ended(executor, Clock::time_point::max()),
        kill_timer(executor, Clock::time_point::max()),
        line_bytes(options.line_bytes),
        tail_bytes(options.stderr_tail_bytes) {}

  // Reached without an exit only when the io_context goes away first: nobody else will reap the child then.
  ~State() {
    if (exit) return;
    signal_group(SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }

  // While the leader is not reaped its number, and so the group's, cannot be given to anybody else.
  void signal_group(int number) const {
    if (!exit) ::kill(-pid, number);
  }

  void watch() {
    pidfd.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](boost::system::error_code error) {
      if (!error) self->reap();
    });
    read_errors();
  }

  void reap() {
    signal_group(SIGKILL);  // what the child left behind
    int status = 0;
    if (::waitpid(pid, &status, 0) != pid) status = 0;
    exit = Exit{.status = WIFEXITED(status) ? WEXITSTATUS(status) : 0, .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0};
    boost::system::error_code ignored;
    pidfd.close(ignored);
    input.close(ignored);
    kill_timer.cancel();
    // A read may have its bytes already and only wait for its turn: what is still in the pipe comes after them.
    if (reading)
      errors.cancel(ignored);
    else
      finish();
  }

  void finish() {
    drain_errors();
    finished = true;
    ended.cancel();
  }

  void keep(const char* bytes, std::size_t size) {
    tail.append(bytes, size);
    if (tail.size() > tail_bytes) tail.erase(0, tail.size() - tail_bytes);
  }

  void read_errors() {
    reading = true;
    errors.async_read_some(asio::buffer(error_piece), [self = shared_from_this()](boost::system::error_code error, std::size_t size) {
      self->reading = false;
      self->keep(self->error_piece.data(), size);
      if (self->exit)
        self->finish();
      else if (!error)
        self->read_errors();
    });
  }

  void drain_errors() {
    if (!errors.is_open()) return;
    std::array<char, 4096> piece;
    for (int i = 0; i < kLastDrainReads; ++i) {
      const ssize_t got = ::read(errors.native_handle(), piece.data(), piece.size());
      if (got <= 0) break;
      keep(piece.data(), static_cast<std::size_t>(got));
    }
    boost::system::error_code ignored;
    errors.close(ignored);
  }

  void stop(std::chrono::milliseconds grace) {
    if (exit) return;
    if (grace <= grace.zero()) return signal_group(SIGKILL);
    signal_group(SIGTERM);
    const auto at = Clock::now() + grace;
    if (at >= kill_timer.expiry()) return;  // an earlier stop() was shorter
    kill_timer.expires_at(at);
    kill_timer.async_wait([self = shared_from_this()](boost::system::error_code error) {
      if (!error) self->signal_group(SIGKILL);
    });
  }

  void abandon() {
    signal_group(SIGKILL);
    boost::system::error_code ignored;
    input.close(ignored);
    output.close(ignored);
    errors.close(ignored);
    kill_timer.cancel();
  }

  pid_t pid;
  asio::posix::stream_descriptor pidfd, input, output, errors;
  asio::steady_timer ended;  // never expires; cancelled once finished
  asio::steady_timer kill_timer;
  std::optional<Exit> exit;
  bool reading = false;   // of standard error
  bool finished = false;  // exit and all of standard error are known
  std::size_t line_bytes;
  std::string buffer;       // output that was read but not yet handed out
  std::size_t scanned = 0;  // so far without a line end
  bool output_ended = false;
  std::size_t tail_bytes;
  std::string tail;
  std::array<char, 4096> error_piece;
};

std::string Exit::text() const {
  if (signal == 0) return "exited with status " + std::to_string(status);
  const char* about = ::sigdescr_np(signal);
  return "was killed by signal " + std::to_string(signal) + (about ? " (" + std::string(about) + ")" : "");
}

base::Result<Process> Process::start(asio::any_io_executor executor, const ProcessOptions& options) {
  KINORA_TRY(Spawned spawned, spawn(options));
  auto state = std::make_shared<State>(executor, options, std::move(spawned));
  state->watch();
  return Process(std::move(state));
}

Process::Process(std::shared_ptr<State> state) : state_(std::move(state)) {}
Process::Process(Process&&) noexcept = default;
Process& Process::operator=(Process&& other) noexcept {
  if (this != &other) {
    if (state_) state_->abandon();
    state_ = std::move(other.state_);
  }
  return *this;
}
Process::~Process() {
  if (state_) state_->abandon();
}

int Process::pid() const { return state_->pid; }
std::optional<Exit> Process::exit() const { return state_->finished ? state_->exit : std::nullopt; }
std::string Process::stderr_tail() const { return state_->tail; }
void Process::stop(std::chrono::milliseconds grace) { state_->stop(grace); }

Task<base::Status> Process::write_input(std::string bytes) {
  const auto state = state_;
  if (!state->input.is_open()) co_return base::fail(base::ErrorCode::io, "the process's input is closed");
  const auto [error, size] = co_await asio::async_write(state->input, asio::buffer(bytes), kWhenDone);
  if (error) co_return base::fail(from(error, "write to the process"));
  co_return base::Status{};
}

void Process::close_input() {
  boost::system::error_code ignored;
  state_->input.close(ignored);
}

Task<base::Result<std::optional<std::string>>> Process::read_line() {
  const auto state = state_;
  std::string& buffer = state->buffer;
  for (;;) {
    const std::size_t end = buffer.find('\n', state->scanned);
    const std::size_t length = end == std::string::npos ? buffer.size() : end;
    if (length > state->line_bytes) co_return base::fail(base::ErrorCode::too_large, "the process wrote too long a line");
    if (end != std::string::npos) {
      std::string line = buffer.substr(0, end);
      buffer.erase(0, end + 1);
      state->scanned = 0;
      co_return std::optional(std::move(line));
    }
    state->scanned = buffer.size();
    if (state->output_ended) {
      state->scanned = 0;
      if (buffer.empty()) co_return std::optional<std::string>();
      co_return std::optional(std::exchange(buffer, {}));
    }
    std::array<char, kPieceBytes> piece;
    const auto [error, size] = co_await state->output.async_read_some(asio::buffer(piece), kWhenDone);
    buffer.append(piece.data(), size);
    if (error == asio::error::eof) {
      state->output_ended = true;
    } else if (error) {
      co_return base::fail(from(error, "read from the process"));
    }
  }
}

Task<Exit> Process::wait() {
  const auto state = state_;
  while (!state->finished) co_await state->ended.async_wait(kWhenDone);
  co_return *state->exit;
}

Task<Exit> Process::terminate(std::chrono::milliseconds grace) {
  stop(grace);
  co_return co_await wait();
}

}  // namespace kinora::proc
