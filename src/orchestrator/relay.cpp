#include "orchestrator/relay.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "orchestrator/balance_lines.hpp"

namespace kinora::orchestrator {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

// One writer at a time on a response that two coroutines of one handler share.
class SharedWriter {
 public:
  SharedWriter(net::Response& response, const asio::any_io_executor& executor) : response_(response), turn_(executor) {
    turn_.expires_at(Clock::time_point::max());
  }
  net::Task<base::Status> write(std::string chunk) {
    while (busy_) co_await turn_.async_wait(asio::as_tuple(asio::use_awaitable));
    busy_ = true;
    last_ = Clock::now();
    auto status = co_await response_.write(std::move(chunk));
    busy_ = false;
    turn_.cancel();
    co_return status;
  }
  bool busy() const { return busy_; }
  Clock::time_point last() const { return last_; }

 private:
  net::Response& response_;
  asio::steady_timer turn_;
  bool busy_ = false;
  Clock::time_point last_ = Clock::now();
};

net::Task<void> pump(net::ClientResponse& answer, SharedWriter& writer, BalanceLines& lines, bool events, Relayed& relayed) {
  for (;;) {
    auto piece = co_await answer.read();
    if (!piece) {
      relayed.reason = "worker: " + piece.error().message;
      relayed.worker_broke = true;
      co_return;
    }
    const bool end = piece->empty();
    if (events) {
      auto whole = end ? base::Result<std::string>(lines.finish()) : lines.feed(*piece);
      if (!whole) {
        relayed.reason = whole.error().message;
        relayed.worker_broke = true;
        co_return;
      }
      piece = std::move(*whole);
    }
    if (!piece->empty()) {
      if (const auto written = co_await writer.write(std::move(*piece)); !written) {
        relayed.reason = "gateway: " + written.error().message;
        co_return;
      }
    }
    if (end) {
      relayed.complete = true;
      co_return;
    }
  }
}

// Ends at the job's deadline; until then fills silence with comments.
net::Task<void> watch(SharedWriter& writer, const RelayRules& rules) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  while (Clock::now() < rules.deadline) {
    auto next = rules.deadline;
    if (rules.heartbeat) {
      // A gateway that reads slowly keeps the writer busy; look again one heartbeat later.
      const auto due = writer.last() + *rules.heartbeat;
      next = std::min(next, due > Clock::now() ? due : Clock::now() + *rules.heartbeat);
    }
    timer.expires_at(next);
    co_await timer.async_wait(asio::use_awaitable);
    const bool silent = rules.heartbeat && Clock::now() >= writer.last() + *rules.heartbeat;
    if (silent && !writer.busy() && !co_await writer.write(": hb\n\n")) co_return;
  }
}

net::Headers headers_of(const net::ClientResponse& answer, bool events) {
  net::Headers headers;
  headers.add("content-type", std::string(answer.headers().get("content-type").value_or("application/octet-stream")));
  if (events) headers.add("cache-control", "no-cache");
  headers.add(events ? "livepeer-payment-balance" : "livepeer-balance", "0");
  headers.add("x-metadata", std::string(answer.headers().get("x-metadata").value_or("")));
  const auto length = answer.headers().get("content-length");
  if (length && !events) headers.add("content-length", std::string(*length));
  return headers;
}

}  // namespace

net::Task<Relayed> relay(net::ClientResponse& answer, net::Response& response, const RelayRules& rules) {
  using namespace asio::experimental::awaitable_operators;
  Relayed relayed;
  if (const auto started = co_await response.start(answer.status(), headers_of(answer, rules.events)); !started) {
    relayed.reason = "gateway: " + started.error().message;
    co_return relayed;
  }
  SharedWriter writer(response, co_await asio::this_coro::executor);
  BalanceLines lines;
  relayed.reason = "timeout_seconds are over";
  co_await (pump(answer, writer, lines, rules.events, relayed) || watch(writer, rules));
  relayed.outcome_line = lines.outcome_line();
  if (relayed.complete || rules.events) co_await response.finish();
  co_return relayed;
}

}  // namespace kinora::orchestrator
