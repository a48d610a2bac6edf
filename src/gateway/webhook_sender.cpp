#include "gateway/webhook_sender.hpp"

#include <openssl/rand.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>

#include "base/log.hpp"
#include "base/printable.hpp"
#include "gateway/webhook_result.hpp"

namespace kinora::gateway {

namespace asio = boost::asio;
using std::chrono::milliseconds;

WebhookSender::WebhookSender(asio::any_io_executor executor, store::Database& database, jobs::Engine& engine, const WebhookKeys& keys,
                             const jobs::Links& links, NewId new_id, Clock clock, WebhookSenderSettings settings)
    : executor_(executor),
      database_(database),
      engine_(engine),
      keys_(keys),
      links_(links),
      new_id_(std::move(new_id)),
      clock_(std::move(clock)),
      settings_(settings),
      client_(executor, {.connections_per_host = static_cast<std::size_t>(settings.at_once_per_endpoint), .connect = milliseconds(5000)}),
      changed_(executor),
      random_(std::random_device{}()),
      tries_(executor) {}

void WebhookSender::wake() {
  ++changes_;
  changed_.notify();
}

net::Task<void> WebhookSender::run() {
  using namespace asio::experimental::awaitable_operators;
  constexpr milliseconds kLongest{60'000};
  constexpr milliseconds kAgain{1000};  // after the disk refused
  std::exception_ptr why;
  try {
    for (;;) {
      const auto seen = changes_;
      milliseconds wait = kLongest;
      const auto cursor = co_await expand();
      const auto started = cursor ? co_await start_due() : base::Status(base::fail(cursor.error()));
      if (started) {
        const auto now = clock_();
        const auto due = co_await database_.read([now](store::Connection& db) { return next_due(db, now); });
        if (due && *due) wait = std::clamp<milliseconds>(**due - now, milliseconds(1), kLongest);
      } else {
        base::log::error("webhooks", "the store refused", {{"error", started.error().message}});
        wait = kAgain;
      }
      if (clock_() >= next_clearing_) {
        next_clearing_ = clock_() + std::chrono::hours(1);
        (void)co_await database_.write(
            [before = clock_() - kDeliveriesKept](store::Connection& db) { return expire_deliveries(db, before); });
      }
      const auto until = net::Clock::now() + wait;
      if (cursor)
        co_await (engine_.feed().wait("", *cursor, wait) || wait_for_change(seen, until));
      else
        co_await wait_for_change(seen, until);
    }
  } catch (...) {
    why = std::current_exception();
  }
  // What is being tried refers to this: it ends first.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  tries_.cancel();
  co_await tries_.wait();
  std::rethrow_exception(why);
}

// Looks itself, for it may begin a turn after it was called.
net::Task<void> WebhookSender::wait_for_change(std::uint64_t seen, net::Clock::time_point until) {
  while (changes_ == seen && net::Clock::now() < until) co_await changed_.wait(until);
}

net::Task<base::Result<std::int64_t>> WebhookSender::expand() {
  for (;;) {
    const auto now = clock_();
    // A look on the reader's thread first: most events are nobody's, and the writer is for those who submit.
    KINORA_CO_TRY(const auto unwatched, co_await database_.read([](store::Connection& db) { return unwatched_until(db); }));
    if (unwatched) {
      // Written down now and then, so that the first endpoint does not begin with all that nobody wanted.
      constexpr std::int64_t kWrittenEvery = 10'000;
      if (*unwatched >= written_ + kWrittenEvery) {
        written_ = *unwatched;
        KINORA_CO_OK(co_await database_.write([this](store::Connection& db) { return set_webhook_cursor(db, written_); }));
      }
      co_return *unwatched;
    }
    KINORA_CO_TRY(const Expanded batch,
                  co_await database_.write([this, now](store::Connection& db) { return expand_outbox(db, now, new_id_); }));
    if (!batch.more) co_return batch.cursor;
  }
}

json::array WebhookSender::saturated() const {
  json::array out;
  for (const auto& [endpoint, count] : busy_)
    if (count >= (throttled_.contains(endpoint) ? 1 : settings_.at_once_per_endpoint)) out.emplace_back(endpoint);
  return out;
}

net::Task<base::Status> WebhookSender::start_due() {
  for (;;) {
    const int room = settings_.at_once - static_cast<int>(in_flight_.size());
    if (room <= 0) co_return base::Status();
    const auto now = clock_();
    json::array flying;
    for (const std::string& id : in_flight_) flying.emplace_back(id);
    KINORA_CO_TRY(const auto due, co_await database_.read([now, room, full = saturated(), flying](store::Connection& db) {
      return due_deliveries(db, now, full, flying, room);
    }));
    bool started = false;
    for (const WebhookDelivery& delivery : due) {
      int& busy = busy_[delivery.endpoint];
      if (busy >= (throttled_.contains(delivery.endpoint) ? 1 : settings_.at_once_per_endpoint) || in_flight_.contains(delivery.id))
        continue;
      ++busy;
      in_flight_.insert(delivery.id);
      started = true;
      tries_.spawn(deliver(delivery));
    }
    if (!started) co_return base::Status();
  }
}

net::Task<void> WebhookSender::deliver(WebhookDelivery delivery) {
  struct Landed {
    ~Landed() {
      self.in_flight_.erase(id);
      if (--self.busy_[endpoint] == 0) self.busy_.erase(endpoint);
      self.wake();
    }
    WebhookSender& self;
    std::string id, endpoint;
  } const landed{*this, delivery.id, delivery.endpoint};
  auto what = co_await load(delivery);
  Outcome outcome;
  if (what) {
    outcome = co_await call(*what);
  } else {
    outcome.error = what.error().message;
    outcome.status = kNothingToSend;
  }
  if (outcome.status && judge_webhook(static_cast<int>(*outcome.status)) == WebhookVerdict::throttled) throttled_.insert(delivery.endpoint);
  if (outcome.status && judge_webhook(static_cast<int>(*outcome.status)) == WebhookVerdict::delivered) throttled_.erase(delivery.endpoint);
  const auto noted = co_await note(delivery.id, std::move(outcome));
  // The row is as it was, so the try will be repeated.
  if (!noted) base::log::error("webhooks", "what came of a try was not stored", {{"error", noted.error().message}});
}

net::Task<base::Result<WebhookSender::Try>> WebhookSender::load(WebhookDelivery delivery) {
  co_return co_await database_.read([&delivery](store::Connection& db) -> base::Result<Try> {
    Try out;
    KINORA_TRY(out.endpoint, find_webhook(db, delivery.endpoint));
    KINORA_TRY(out.secret, secret_generation(db, out.endpoint.secret_owner()));
    KINORA_TRY(out.event, jobs::find_event(db, delivery.event_offset));
    out.delivery = std::move(delivery);
    return out;
  });
}

net::Task<std::string> WebhookSender::body_of(const Try& what, std::string& traceparent) {
  json::object envelope = jobs::to_json(what.event);
  if (base::is_id("job", what.event.subject)) {
    const auto job = co_await engine_.get(what.event.project, what.event.subject);
    if (job && what.endpoint.detailed) envelope["data"] = jobs::to_json(*job, links_, clock_());
    if (job && job->trace_id) traceparent = child_traceparent(*job->trace_id);
  }
  if (!traceparent.empty()) envelope["traceparent"] = traceparent;
  json::value value(std::move(envelope));
  jobs::add_urls(value, links_);
  std::string body = json::serialize(value);
  if (body.size() <= (what.endpoint.detailed ? kMaxDetailedBytes : kMaxThinBytes)) co_return body;
  // Too much for a webhook: the id leads to the rest.
  const json::object* data = what.event.data.if_object();
  json::object thin{{"id", what.event.subject}, {"truncated", true}};
  if (data != nullptr && data->contains("status")) thin["status"] = data->at("status");
  value.as_object()["data"] = std::move(thin);
  co_return json::serialize(value);
}

net::Headers WebhookSender::headers_of(const Try& what, const WebhookMessage& message) const {
  const std::string& owner = what.endpoint.secret_owner();
  std::string signatures = sign_v1(keys_.secret(owner, what.secret.number), message);
  if (what.secret.rotated_at && clock_() - *what.secret.rotated_at < kSecretOverlap)
    signatures += " " + sign_v1(keys_.secret(owner, what.secret.number - 1), message);
  if (what.endpoint.v1a) signatures += " " + keys_.sign_v1a(message);
  net::Headers headers{{"content-type", "application/json"}, {"user-agent", "Kinora-Webhooks/1"}};
  for (const auto& [name, value] : what.endpoint.headers) headers.set(name, value);
  headers.set("webhook-id", std::string(message.id));
  headers.set("webhook-timestamp", std::to_string(message.timestamp));
  headers.set("webhook-signature", std::move(signatures));
  return headers;
}

net::Task<WebhookSender::Outcome> WebhookSender::call(const Try& what) {
  Outcome out;
  const auto began = net::Clock::now();
  std::string traceparent;
  const std::string body = co_await body_of(what, traceparent);
  const auto now = clock_();
  net::ClientRequest request;
  request.method = "POST";
  request.url = what.endpoint.url;
  request.headers = headers_of(what, {what.event.id, std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count(), body});
  if (!traceparent.empty()) request.headers.set("traceparent", traceparent);
  request.body = body;
  request.reach = settings_.reach;
  request.deadline = kWebhookTimeout;
  request.idle = milliseconds(2000);
  auto answer = co_await client_.send(std::move(request));
  if (answer) {
    out.status = answer->status();
    if (const auto text = answer->headers().get("retry-after")) out.retry_after = parse_retry_after(*text, now);
    while (out.excerpt.size() < kWebhookExcerptBytes && net::Clock::now() - began < kWebhookTimeout) {
      auto piece = co_await answer->read();
      if (!piece || piece->empty()) break;
      out.excerpt += *piece;
    }
    out.excerpt = base::printable(out.excerpt, kWebhookExcerptBytes);
  } else {
    out.error = answer.error().message;
  }
  out.took = std::chrono::duration_cast<milliseconds>(net::Clock::now() - began);
  co_return out;
}

net::Task<base::Status> WebhookSender::note(std::string delivery, Outcome outcome) {
  WebhookTryResult result;
  result.status = outcome.status;
  result.excerpt = std::move(outcome.excerpt);
  result.error = std::move(outcome.error);
  result.took = outcome.took;
  result.retry_after = outcome.retry_after;
  result.now = clock_();
  result.random = std::uniform_real_distribution<double>(0, 1)(random_);
  KINORA_CO_TRY(const auto announced,
                co_await database_.write([&](store::Connection& db) { return store_try(db, delivery, result, new_id_); }));
  if (announced) engine_.feed().announce(announced->subject, announced->offset);
  co_return base::Status();
}

net::Task<void> WebhookSender::wait_for_try(std::string delivery, milliseconds time) {
  const auto until = net::Clock::now() + time;
  for (;;) {
    const auto row = co_await database_.read([&](store::Connection& db) { return find_delivery(db, delivery); });
    if (!row || row->tries > 0 || row->state != "pending" || net::Clock::now() >= until) co_return;
    co_await changed_.wait(until);
  }
}

}  // namespace kinora::gateway
