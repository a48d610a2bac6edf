#include "net/server_stream.hpp"

#include <charconv>
#include <ctime>

#include "net/http1_head.hpp"

namespace kinora::net {
namespace {

using base::ErrorCode;
using base::fail;

// RFC 9110 5.6.7, e.g. "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date(std::time_t now) {
  static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[64];
  std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[utc.tm_wday], utc.tm_mday, months[utc.tm_mon],
                utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
  return text;
}

base::Status check_fields(const Headers& headers) {
  for (const auto& [name, value] : headers) {
    if (!is_field_name(name) || !is_field_value(value)) return fail(ErrorCode::invalid, "a header field that must not be sent: " + name);
  }
  return {};
}

}  // namespace

void ServerExchange::notify() {
  changed.notify();
  if (!gone || !handler) return;
  const auto task = std::exchange(handler, nullptr);
  task->cancel();
}

Task<base::Result<std::string>> ServerBody::read() {
  const auto ready = [this] { return !exchange_.in.empty() || exchange_.in_error || exchange_.in_end; };
  if (!ready()) {
    static_cast<ServerEngine&>(connection_.engine()).want_body(exchange_);
    connection_.wake();
    const bool moved = co_await wait_while_moving(exchange_.changed, idle_, ready, [this] { return exchange_.in_total; });
    if (!moved) exchange_.in_error = base::Error{ErrorCode::timeout, "the rest of the body did not come"};
  }
  if (!exchange_.in.empty()) {
    std::string piece = exchange_.in.pop(kMaxQueuedBytes);
    connection_.engine().consumed(exchange_, piece.size());
    connection_.wake();
    co_return piece;
  }
  if (exchange_.in_error) co_return fail(*exchange_.in_error);
  co_return std::string();
}

base::Status ServerResponse::usable() const {
  if (exchange_.closed) return fail(ErrorCode::unavailable, "the peer has gone");
  return {};
}

Task<base::Status> ServerResponse::start(int status, Headers headers) {
  if (started_) co_return fail(ErrorCode::invalid, "a response is started once");
  if (status < 200 || status > 599) co_return fail(ErrorCode::invalid, "not a status of a response: " + std::to_string(status));
  KINORA_CO_OK(check_fields(headers));
  bodyless_ = exchange_.head_only || status == 204 || status == 304;
  if (status == 204) headers.erase("content-length");  // RFC 9110 8.6
  if (const auto length = headers.get("content-length")) {
    std::uint64_t value = 0;
    const auto [end, failed] = std::from_chars(length->data(), length->data() + length->size(), value);
    if (failed != std::errc() || end != length->data() + length->size()) co_return fail(ErrorCode::invalid, "a malformed content-length");
    left_ = value;
  }
  started_ = true;
  KINORA_CO_OK(usable());
  if (!headers.contains("date")) headers.add("date", http_date(std::time(nullptr)));
  engine().respond(exchange_, status, headers);
  connection_.wake();
  co_return base::Status();
}

Task<base::Status> ServerResponse::upgrade(std::string protocol, Headers headers) {
  if (started_) co_return fail(ErrorCode::invalid, "a response is started once");
  KINORA_CO_OK(check_fields(headers));
  KINORA_CO_OK(usable());
  if (!engine().switch_protocols(exchange_, protocol, headers)) co_return co_await Response::upgrade(std::move(protocol), {});
  started_ = true;
  connection_.wake();
  co_return base::Status();
}

Task<base::Status> ServerResponse::write(std::string chunk) {
  if (!started_ || finished_) co_return fail(ErrorCode::invalid, "the response is not open");
  KINORA_CO_OK(usable());
  if (bodyless_) co_return base::Status();
  if (left_) {
    if (chunk.size() > *left_) co_return fail(ErrorCode::invalid, "more body than the content-length says");
    *left_ -= chunk.size();
  }
  exchange_.out.push(std::move(chunk));
  engine().out_changed(exchange_);
  connection_.wake();
  const bool moved = co_await wait_while_moving(
      exchange_.changed, idle_, [this] { return exchange_.out.size() <= kMaxQueuedBytes || exchange_.closed; },
      [this] { return exchange_.out.size(); });
  if (!moved) {
    engine().abort(exchange_, {ErrorCode::timeout, "the peer does not read"});
    connection_.wake();
    co_return fail(ErrorCode::timeout, "the peer does not read");
  }
  co_return usable();
}

Task<base::Status> ServerResponse::finish(Headers trailers) {
  if (!started_ || finished_) co_return fail(ErrorCode::invalid, "the response is not open");
  KINORA_CO_OK(usable());
  KINORA_CO_OK(check_fields(trailers));
  if (left_.value_or(0) > 0 && !bodyless_) co_return fail(ErrorCode::invalid, "less body than the content-length says");
  finished_ = true;
  exchange_.out_trailers = std::move(trailers);
  exchange_.out_end = true;
  engine().out_changed(exchange_);
  connection_.wake();
  co_return base::Status();
}

}  // namespace kinora::net
