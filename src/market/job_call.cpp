#include "market/job_call.hpp"

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "net/sse.hpp"
#include "wire/byoc.hpp"

namespace kinora::market {
namespace {

namespace asio = boost::asio;
using Steady = std::chrono::steady_clock;
constexpr std::size_t kMaxRefusalBytes = 4096;          // of a refusal's text that is read
constexpr std::chrono::milliseconds kEndOfStream{500};  // from the result to the end of its stream

std::int64_t whole_seconds_left(Steady::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::seconds>(deadline - Steady::now()).count();
  return std::clamp<std::int64_t>(left, 1, wire::kMaxJobSeconds);
}

net::ClientRequest request_for(const JobCall& call) {
  const wire::JobHeader header{.id = call.order->attempt,
                               .request = base::json::serialize(base::json::object{{"attempt", call.order->attempt}}),
                               .parameters = "{}",
                               .capability = call.capability,
                               .sender = std::string(wire::kZeroAddress),
                               .sig = {},
                               .timeout_s = whole_seconds_left(call.deadline)};
  net::ClientRequest request;
  request.method = "POST";
  request.url = call.service_url + "/process/request/" + call.order->task;
  request.headers = {{"livepeer", wire::format_job_header(header)}, {"content-type", "application/json"}, {"accept", "text/event-stream"}};
  request.body = base::json::serialize(tasks::to_json(*call.order));
  request.trust = call.trust;
  request.deadline = call.answer_timeout;
  request.idle = call.silence_timeout * (call.on_silent ? 1 + kLatePatience : 1);
  return request;
}

CallEnd ended(CallEnd::Kind kind, std::string detail) {
  CallEnd end;
  end.kind = kind;
  end.detail = std::move(detail);
  return end;
}

// Takes one event in. True: it was the last one that matters.
bool take(const tasks::TaskEvent& event, CallEnd& end, const OnEvent& on_event) {
  if (const auto* result = std::get_if<tasks::TaskResult>(&event)) {
    end.kind = CallEnd::Kind::succeeded;
    end.result = *result;
    return true;
  }
  if (const auto* failure = std::get_if<tasks::TaskFailure>(&event)) {
    end.kind = CallEnd::Kind::failed;
    end.failure = *failure;
    return true;
  }
  if (const auto* accepted = std::get_if<tasks::Accepted>(&event)) end.worker = accepted->worker;
  if (on_event) on_event(event);
  return false;
}

Task<void> wait_until(Steady::time_point deadline) {
  asio::steady_timer timer(co_await asio::this_coro::executor, deadline);
  co_await timer.async_wait(asio::use_awaitable);
}

Task<void> read_to_end(net::ClientResponse& answer) {
  for (;;) {
    const auto piece = co_await answer.read();
    if (!piece || piece->empty()) co_return;
  }
}

// After the result: lets the stream end by itself, so that the node has freed the slot when we count it as free.
Task<void> let_end(net::ClientResponse& answer) {
  using namespace asio::experimental::awaitable_operators;
  co_await (read_to_end(answer) || wait_until(Steady::now() + kEndOfStream));
}

// When something last came; none before the stream has begun.
using LastHeard = std::optional<Steady::time_point>;

// Tells of the stream's first silence, and then waits to be cancelled.
Task<void> watch_silence(const JobCall& call, const LastHeard& heard) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  for (;;) {
    const auto due = heard.value_or(Steady::now()) + call.silence_timeout;
    if (heard && Steady::now() >= due) break;
    timer.expires_at(due);
    co_await timer.async_wait(asio::use_awaitable);
  }
  if (call.on_silent) call.on_silent();
  co_await wait_until(Steady::time_point::max());
}

// The events of the stream until its result. A stream that ends without one, or holds nonsense, is a lost worker.
Task<void> follow(net::ClientResponse& answer, CallEnd& end, const OnEvent& on_event, LastHeard& heard) {
  net::SseParser parser(tasks::kMaxEventBytes);
  for (;;) {
    heard = Steady::now();
    auto piece = co_await answer.read();
    if (!piece || piece->empty()) {
      end.detail = piece ? "the stream ended without a result" : piece.error().message;
      co_return;
    }
    const auto events = parser.feed(*piece);
    if (!events) {
      end.detail = events.error().message;
      co_return;
    }
    for (const auto& event : *events) {
      if (event.data == "[DONE]") continue;
      const auto parsed = tasks::parse_event(event.data);
      if (!parsed) {
        end.detail = parsed.error().message;
        co_return;
      }
      if (*parsed && take(**parsed, end, on_event)) co_return co_await let_end(answer);
    }
  }
}

Task<CallEnd> refusal(net::ClientResponse& answer) {
  const auto text = co_await answer.read_all(kMaxRefusalBytes);
  auto detail = std::to_string(answer.status()) + ": " + text.value_or("");
  while (!detail.empty() && (detail.back() == '\n' || detail.back() == ' ')) detail.pop_back();
  if (answer.status() == 400 || answer.status() == 413 || answer.status() == 422) {
    // The request itself is found wrong: every node would say so, and none of them is to blame.
    CallEnd end = ended(CallEnd::Kind::failed, detail);
    end.failure = tasks::failure("internal", "the orchestrator refuses the request: " + detail);
    co_return end;
  }
  co_return ended(answer.status() == 503 ? CallEnd::Kind::no_capacity : CallEnd::Kind::rejected, detail);
}

Task<void> send_and_follow(net::Client& client, const JobCall& call, const OnEvent& on_event, CallEnd& end, LastHeard& heard) {
  auto answer = co_await client.send(request_for(call));
  if (!answer) {
    // After a timeout nobody knows whether the work was begun; everything else failed before or was cut off at once.
    const bool unknown = answer.error().code == base::ErrorCode::timeout;
    end = ended(unknown ? CallEnd::Kind::lost : CallEnd::Kind::unreachable, answer.error().message);
    end.error = answer.error().code;
    co_return;
  }
  const auto type = answer->headers().get("content-type").value_or("");
  if (answer->status() != 200 || !type.starts_with("text/event-stream")) {
    end = co_await refusal(*answer);
    co_return;
  }
  co_await follow(*answer, end, on_event, heard);
}

}  // namespace

Task<CallEnd> call_job(net::Client& client, JobCall call, const OnEvent& on_event) {
  using namespace asio::experimental::awaitable_operators;
  const auto begun = Steady::now();
  CallEnd end = ended(CallEnd::Kind::lost, "no result in time");
  LastHeard heard;
  co_await (send_and_follow(client, call, on_event, end, heard) || wait_until(call.deadline) || watch_silence(call, heard));
  end.seconds = std::chrono::duration<double>(Steady::now() - begun).count();
  co_return end;
}

}  // namespace kinora::market
