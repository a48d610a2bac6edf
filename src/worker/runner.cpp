#include "worker/runner.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/log.hpp"
#include "worker/retry.hpp"

#include <algorithm>
#include <fstream>

namespace kinora::worker {
namespace asio = boost::asio;
using base::ErrorCode;
using base::fail;
using namespace asio::experimental::awaitable_operators;

namespace {

constexpr int kMissedPolls = 3;
constexpr int kModelsEveryPolls = 12;  // somebody may have added a model folder
constexpr std::chrono::seconds kStopGrace{2};
constexpr std::size_t kLoggedTailBytes = 1000;

}  // namespace

Runner::Runner(asio::any_io_executor executor, RunnerSettings settings, net::Client& client, net::Signal& changed)
    : executor_(executor), settings_(std::move(settings)), client_(client), changed_(changed), restart_(executor) {}

void Runner::become(State state, std::string detail) {
  state_ = state;
  detail_ = std::move(detail);
  if (state != State::ready) url_.clear();
  changed_.notify();
}

net::Task<void> Runner::run() {
  Backoff backoff(settings_.timings.runner_backoff, settings_.timings.runner_backoff_max);
  for (;;) {
    was_ready_ = false;
    co_await run_once();
    if (was_ready_) backoff.reset();
    co_await backoff.wait();
  }
}

net::Task<void> Runner::run_once() {
  restart_why_.reset();
  if (state_ != State::starting) become(State::starting, detail_);
  proc::ProcessOptions options;
  options.program = settings_.program;
  options.arguments = {"--listen", "127.0.0.1:0", "--work-dir", settings_.work_dir.string(), "--device", settings_.device.name};
  for (const auto& folder : settings_.models) options.arguments.insert(options.arguments.end(), {"--models", folder.string()});
  options.cpus = settings_.device.cpus;
  options.nice = 5;
  // Threads of the network that wait must leave the processor to decoder and encoder: libgomp spins otherwise.
  options.environment.emplace_back("OMP_WAIT_POLICY=passive");
  auto started = proc::Process::start(executor_, options);
  ++generation_;
  if (!started) {
    base::log::error("worker", "a runner does not start", {{"device", device()}, {"error", started.error().message}});
    become(State::down, started.error().message);
    co_return;
  }
  proc::Process process = std::move(*started);
  pid_ = process.pid();

  std::string why;
  bool canceled = false;
  try {
    const auto begun = co_await begin(process);
    if (!begun) {
      why = begun.error().message;
    } else {
      was_ready_ = true;
      become(State::ready, {});
      base::log::info("worker", "a runner is ready", {{"device", device()}, {"models", models_.usable.size()}});
      const auto ended = co_await (drain_output(process) || watch_health());
      if (ended.index() == 1) why = std::get<1>(ended);
    }
  } catch (const boost::system::system_error&) {
    canceled = true;
  } catch (const asio::multiple_exceptions&) {
    canceled = true;
  }
  co_await asio::this_coro::throw_if_cancelled(false);
  // A process that ends by itself is given the time to do so; one that hangs is not.
  const bool by_itself = why.empty() && !canceled;
  const proc::Exit exit = co_await process.terminate(canceled || by_itself ? kStopGrace : std::chrono::milliseconds(0));
  co_await asio::this_coro::throw_if_cancelled(true);
  pid_ = 0;
  std::error_code ignored;
  std::filesystem::remove(url_file(), ignored);
  if (why.empty()) why = "kinora-runner " + exit.text();
  if (canceled) {
    become(State::down, "stopped");
    throw boost::system::system_error(asio::error::operation_aborted);
  }
  const std::string tail = process.stderr_tail();
  base::log::warn("worker", "a runner ended",
                  {{"device", device()},
                   {"why", why},
                   {"stderr", std::string_view(tail).substr(tail.size() - std::min(tail.size(), kLoggedTailBytes))}});
  become(State::down, why);
}

net::Task<base::Status> Runner::begin(proc::Process& process) {
  process.close_input();
  const auto late = [this]() -> net::Task<void> {
    asio::steady_timer timer(executor_, settings_.timings.runner_start);
    co_await timer.async_wait(asio::use_awaitable);
  };
  auto first = co_await (process.read_line() || late());
  if (first.index() == 1) co_return fail(ErrorCode::timeout, "kinora-runner did not start in time");
  KINORA_CO_TRY(const auto line, std::move(std::get<0>(first)));
  if (!line) co_return fail(ErrorCode::unavailable, "");  // it ended: its exit says why
  KINORA_CO_TRY(url_, parse_ready_line(*line));
  std::ofstream(url_file()) << url_ << '\n';
  co_return co_await refresh_models();
}

net::Task<void> Runner::drain_output(proc::Process& process) {
  for (;;) {
    const auto line = co_await process.read_line();
    if (!line && line.error().code == ErrorCode::canceled) throw boost::system::system_error(asio::error::operation_aborted);
    if (!line || !*line) co_return;
  }
}

net::Task<std::string> Runner::watch_health() {
  int missed = 0;
  int quiet_polls = 0;
  for (;;) {
    const auto poll_at = net::Clock::now() + settings_.timings.runner_health;
    while (!restart_why_ && net::Clock::now() < poll_at) co_await restart_.wait(poll_at);
    if (restart_why_) co_return *restart_why_;
    net::ClientRequest get;
    get.url = url_ + "/health";
    get.deadline = settings_.timings.runner_health;
    auto answer = co_await client_.send(std::move(get));
    const bool well = answer && answer->status() == 200 && co_await answer->read_all(64 * 1024);
    missed = well ? 0 : missed + 1;
    if (missed == kMissedPolls) co_return "kinora-runner stopped answering";
    // It reads their weights when it is first asked, and can tell the digests soon after.
    const bool unread = std::ranges::any_of(models_.usable, [](const RunnerModel& model) { return model.weights.empty(); });
    if (well && (models_stale_ || unread || ++quiet_polls >= kModelsEveryPolls)) {
      models_stale_ = false;
      quiet_polls = 0;
      co_await refresh_models();
    }
  }
}

net::Task<base::Status> Runner::refresh_models() {
  net::ClientRequest get;
  get.url = url_ + "/models";
  get.deadline = settings_.timings.runner_health;
  KINORA_CO_TRY(net::ClientResponse answer, co_await client_.send(std::move(get)));
  KINORA_CO_TRY(const std::string body, co_await answer.read_all(kMaxModelsBytes));
  if (answer.status() != 200) co_return fail(ErrorCode::unavailable, "kinora-runner answered " + std::to_string(answer.status()));
  KINORA_CO_TRY(auto models, parse_models(body));
  if (models != models_) {
    models_ = std::move(models);
    changed_.notify();
  }
  co_return base::Status{};
}

std::filesystem::path Runner::url_file() const { return settings_.work_dir / ("runner-" + device() + ".url"); }

void Runner::restart(std::string why) {
  restart_why_ = std::move(why);
  restart_.notify();
}

net::Task<void> Runner::wait_for_end(unsigned generation, std::chrono::milliseconds most) {
  const auto until = net::Clock::now() + most;
  while (generation_ == generation && pid_ != 0 && net::Clock::now() < until) co_await changed_.wait(until);
}

}  // namespace kinora::worker
