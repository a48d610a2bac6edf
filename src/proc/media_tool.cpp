#include "proc/media_tool.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/serialize.hpp>
#include <csignal>
#include <optional>

#include "base/log.hpp"

namespace kinora::proc {
namespace asio = boost::asio;
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kLoggedTailBytes = 1000;

ToolError worker_error(std::string detail) {
  return {.code = "worker_error", .fault = "worker", .retryable = true, .detail = std::move(detail)};
}

// One run: what the reader and the watchdog share. Lives in run()'s frame, both end before it does.
struct Run {
  Process process;
  const ProgressSink& on_progress;
  std::string program_name;
  Clock::time_point last_line = Clock::now();

  Task<ToolOutcome> talk(std::string request);
  ToolOutcome judge(std::optional<ToolOutcome> last, const Exit& exit) const;
};

Task<ToolOutcome> Run::talk(std::string request) {
  // A process that died early closes its input: what it wrote and how it ended says more than the failed write.
  [[maybe_unused]] const auto written = co_await process.write_input(std::move(request));
  process.close_input();
  std::optional<ToolOutcome> last;
  for (;;) {
    auto line = co_await process.read_line();
    if (!line && line.error().code == base::ErrorCode::canceled) throw boost::system::system_error(asio::error::operation_aborted);
    if (!line) co_return ToolOutcome{worker_error(program_name + ": " + line.error().message)};
    if (!*line) break;
    last_line = Clock::now();
    auto event = parse_tool_event(**line);
    if (!event) co_return ToolOutcome{worker_error(program_name + " wrote something that is no event: " + event.error().message)};
    if (last) continue;  // a result or an error is the last word
    if (auto* progress = std::get_if<ToolProgress>(&*event)) {
      if (on_progress) on_progress(progress->object);
    } else if (auto* result = std::get_if<ToolResult>(&*event)) {
      last = ToolOutcome{std::move(*result)};
    } else if (auto* error = std::get_if<ToolError>(&*event)) {
      last = ToolOutcome{std::move(*error)};
    }
  }
  const Exit exit = co_await process.wait();
  co_return judge(std::move(last), exit);
}

ToolOutcome Run::judge(std::optional<ToolOutcome> last, const Exit& exit) const {
  if (last && (last->error() || exit.success())) return std::move(*last);
  const std::string tail = process.stderr_tail();
  base::log::warn("proc", program_name + " " + exit.text(),
                  {{"stderr", std::string_view(tail).substr(tail.size() - std::min(tail.size(), kLoggedTailBytes))}});
  if (exit.signal == SIGXCPU) return {worker_error(program_name + " passed its limit of CPU time")};
  if (exit.signal == SIGXFSZ) return {worker_error(program_name + " passed its limit of file size")};
  return {worker_error(program_name + " " + exit.text())};
}

// Ends when the run must be given up; says why.
Task<ToolError> watch(const Run& run, const MediaToolSettings& settings) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  const auto end = Clock::now() + settings.limits.wall_clock;
  for (;;) {
    const auto silent = run.last_line + settings.silence;
    const auto now = Clock::now();
    if (now >= end) {
      co_return ToolError{.code = "worker_timeout", .fault = "worker", .retryable = true, .detail = run.program_name + " ran out of time"};
    }
    if (now >= silent) co_return worker_error(run.program_name + " made no sign of life and was stopped");
    timer.expires_at(std::min(end, silent));
    co_await timer.async_wait(asio::use_awaitable);
  }
}

boost::json::object limits_json(const ToolLimits& limits) {
  return {{"memory_bytes", limits.memory_bytes}, {"cpu_s", limits.cpu_s}, {"file_bytes", limits.file_bytes}};
}

}  // namespace

const boost::json::object* ToolOutcome::result() const {
  const auto* found = std::get_if<ToolResult>(&value);
  return found ? &found->object : nullptr;
}
const ToolError* ToolOutcome::error() const { return std::get_if<ToolError>(&value); }

MediaTool::MediaTool(asio::any_io_executor executor, MediaToolSettings settings)
    : executor_(std::move(executor)), settings_(std::move(settings)) {}

Task<ToolOutcome> MediaTool::run(std::string operation, boost::json::object request, ProgressSink on_progress) const {
  using namespace asio::experimental::awaitable_operators;
  if (!request.contains("limits")) request["limits"] = limits_json(settings_.limits);
  auto process = Process::start(executor_, {.program = settings_.program,
                                            .arguments = {operation},
                                            .cpus = settings_.cpus,
                                            .nice = settings_.nice,
                                            .line_bytes = kMaxEventBytes});
  if (!process) co_return ToolOutcome{worker_error(process.error().message)};
  Run run{.process = *std::move(process), .on_progress = on_progress, .program_name = settings_.program.filename().string()};

  std::optional<ToolOutcome> outcome;
  bool canceled = false;
  try {
    auto first = co_await (run.talk(boost::json::serialize(request) + "\n") || watch(run, settings_));
    if (first.index() == 0) {
      outcome = std::move(std::get<0>(first));
    } else {
      outcome = ToolOutcome{std::move(std::get<1>(first))};
    }
  } catch (const boost::system::system_error&) {
    canceled = true;
  } catch (const asio::multiple_exceptions&) {  // reader and watchdog were both cancelled
    canceled = true;
  }
  if (!run.process.exit()) {
    // Waits also while cancelled: afterwards nothing writes to the request's folders any more.
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await run.process.terminate(canceled ? settings_.grace : std::chrono::milliseconds(0));
    co_await asio::this_coro::throw_if_cancelled(true);
  }
  if (canceled) throw boost::system::system_error(asio::error::operation_aborted);
  co_return std::move(*outcome);
}

}  // namespace kinora::proc
