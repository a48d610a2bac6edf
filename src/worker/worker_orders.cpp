// How an order goes through a Worker: refused, attached, or begun, worked on, told.
#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "base/time.hpp"
#include "base/ulid.hpp"
#include "worker/media_call.hpp"
#include "worker/worker_core.hpp"

namespace kinora::worker {
namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;

namespace {

constexpr std::string_view kNoCapacity = "No capacity available for capability";  // Livepeer's words

net::Task<void> refuse(net::Response& response, int status, std::string text) {
  net::Headers headers{{"content-type", "text/plain; charset=utf-8"}};  // GCC 12 cannot keep an initializer list over a suspension
  co_await response.send(status, std::move(headers), std::move(text));
}

net::Task<void> pass(std::chrono::seconds time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace

// An attempt's followers wait for a last word, whatever happens to its coroutine: even when that is cancelled before its first step.
struct Worker::Core::Ending {
  std::shared_ptr<Core> core;
  std::shared_ptr<Attempt> attempt;
  ~Ending() { tell(tasks::failure("canceled", "the order was withdrawn")); }
  void tell(const tasks::TaskEvent& last) {
    if (attempt->finished()) return;
    attempt->finish(last);
    core->attempts.finished(attempt, net::Clock::now());
  }
};

bool Worker::Core::authorized(const net::Request& request) const {
  const auto header = request.headers.get("authorization");
  const std::string expected = "Bearer " + settings.token;
  return header && base::equal_secret(base::as_bytes(*header), base::as_bytes(expected));
}

net::Task<void> Worker::Core::handle(net::Request& request, net::Response& response) {
  if (!authorized(request)) co_return co_await refuse(response, 401, "invalid token");
  const auto body = co_await request.body->read_all(tasks::kMaxOrderBytes);
  if (!body) {
    const bool too_large = body.error().code == base::ErrorCode::too_large;
    co_return co_await refuse(response, too_large ? 413 : 400, body.error().message);
  }
  auto order = tasks::parse_order(*body);
  if (!order) co_return co_await refuse(response, 400, order.error().message);
  if (!base::is_id("att", order->attempt)) co_return co_await refuse(response, 400, "the order has no attempt id");
  if (order->task != request.param("task")) co_return co_await refuse(response, 400, "the order is for another task than its address");

  std::shared_ptr<Attempt> attempt = attempts.find(order->attempt, net::Clock::now());
  // The gateway that withdrew it (it was killed, say) asks again while the programs are still being stopped.
  if (attempt && attempt->withdrawn()) co_return co_await refuse(response, 503, std::string(kNoCapacity));
  if (!attempt) {
    auto free_place = draining || (order->task != "ping" && disk_is_full()) ? std::nullopt : place(*order);
    if (!free_place) co_return co_await refuse(response, 503, std::string(kNoCapacity));
    attempt = begin(std::move(*order), std::move(*free_place));
  }
  co_await Attempt::follow(std::move(attempt), response, settings.timings.heartbeat);
}

bool Worker::Core::disk_is_full() const {
  std::error_code error;
  const auto space = std::filesystem::space(settings.work_dir, error);
  return !error && space.available < settings.disk_reserve_bytes;
}

std::optional<Place> Worker::Core::place(const tasks::TaskOrder& order) {
  if (order.task == "ping") {
    auto slot = ping_slots.take();
    if (!slot) return std::nullopt;
    return Place{settings.name, std::move(*slot), {}};
  }
  if (is_media_task(order.task)) {
    auto slot = media ? media_slots.take() : std::nullopt;
    if (!slot) return std::nullopt;
    return Place{"media", std::move(*slot),
                 [this](const tasks::TaskOrder& what, const LocalInputs& inputs, std::filesystem::path output_dir, ProgressReport report) {
                   return call_media(*media, what, inputs, std::move(output_dir), std::move(report));
                 }};
  }
  for (const auto& device : devices) {
    const auto& models = device->runner.models();
    const bool has = std::any_of(models.begin(), models.end(), [&](const RunnerModel& model) {
      return model.task == order.task && (!order.model || model.id == *order.model);
    });
    if (!has || !device->runner.ready()) continue;
    auto slot = device->slots.take();
    if (!slot) continue;
    Device* const chosen = device.get();
    return Place{
        chosen->runner.device(), std::move(*slot),
        [this, chosen](const tasks::TaskOrder& what, const LocalInputs& inputs, std::filesystem::path output_dir, ProgressReport report) {
          return call_runner(chosen->runner, client, what, inputs, std::move(output_dir), settings.timings.runner_silence,
                             std::move(report));
        }};
  }
  return std::nullopt;
}

std::shared_ptr<Attempt> Worker::Core::begin(tasks::TaskOrder order, Place place) {
  auto attempt = std::make_shared<Attempt>(executor, order.attempt, tasks::Accepted{settings.name, place.device, 0});
  attempts.add(attempt);
  base::log::debug("worker", "order accepted", {{"attempt", order.attempt}, {"task", order.task}, {"device", place.device}});
  auto ending = std::make_shared<Ending>(shared_from_this(), attempt);
  auto member = orders.spawn(work(std::move(order), attempt, std::move(place), std::move(ending)));
  attempt->on_abandoned([member] { member->cancel(); });
  return attempt;
}

net::Task<void> Worker::Core::work(tasks::TaskOrder order, std::shared_ptr<Attempt> attempt, Place place, std::shared_ptr<Ending> ending) {
  const auto self = shared_from_this();
  std::optional<tasks::TaskEvent> last;
  if (!place.program) {
    last = answer_ping(place.device);
  } else {
    const auto report = [&attempt](const tasks::Progress& progress) { attempt->report(progress); };
    try {
      auto first = co_await (execute(order, place.program, report) || pass(std::chrono::seconds(order.deadline_s)));
      if (first.index() == 1) {
        last = tasks::failure("worker_timeout", "the order's deadline passed");
      } else if (auto& outcome = std::get<0>(first)) {
        last = std::move(*outcome);
      } else {
        last = std::move(outcome).error();
      }
    } catch (const boost::system::system_error&) {
    } catch (const asio::multiple_exceptions&) {
    }
    if (!last)
      last =
          draining ? tasks::failure("worker_lost", "the worker is shutting down") : tasks::failure("canceled", "the order was withdrawn");
  }
  if (const auto* failure = std::get_if<tasks::TaskFailure>(&*last)) {
    base::log::info("worker", "order failed",
                    {{"attempt", order.attempt}, {"task", order.task}, {"code", failure->code}, {"detail", failure->detail}});
  }
  // The place is free before the outcome is told: the next order may come at once.
  place.slot.give_back();
  ending->tell(*last);
  if (!place.program) co_return;
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await disk.run([this, &order] {
    folder->remove_attempt(order.attempt);
    return true;
  });
}

net::Task<Outcome<tasks::TaskResult>> Worker::Core::execute(const tasks::TaskOrder& order, const Program& program, ProgressReport report) {
  JobContext context{disk,
                     client,
                     *cache,
                     *folder,
                     settings.max_input_bytes,
                     settings.timings.transfer_retry,
                     settings.media_reach,
                     settings.own_gateways};
  co_return co_await do_job(context, order, program, std::move(report));
}

tasks::TaskResult Worker::Core::answer_ping(const std::string& device) const {
  tasks::TaskResult result;
  result.outputs["ping"] = {{"worker", settings.name}, {"device", device}, {"time", base::to_rfc3339(base::wall_clock())}};
  return result;
}

}  // namespace kinora::worker
