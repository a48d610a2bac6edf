#include "gateway/call.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/nearest.hpp"

namespace kinora::gateway {
namespace {

std::string new_traceparent() {
  std::array<std::uint8_t, 24> random{};
  RAND_bytes(random.data(), static_cast<int>(random.size()));
  const std::string hex = base::to_hex(random);
  return "00-" + hex.substr(0, 32) + "-" + hex.substr(32) + "-01";
}

bool is_json_type(std::string_view type) {
  const auto bare = type.substr(0, std::min(type.find(';'), type.size()));
  return bare == "application/json" || bare == "application/json " || (bare.starts_with("application/") && bare.ends_with("+json"));
}

}  // namespace

Reply Reply::of(int status, const json::value& body, net::Headers headers) {
  headers.set("content-type", "application/json");
  return {status, std::move(headers), json::serialize(body), false};
}

Reply Reply::empty(int status, net::Headers headers) { return {status, std::move(headers), {}, false}; }

Reply Reply::sent() {
  Reply reply;
  reply.streamed = true;
  return reply;
}

tl::unexpected<Problem> refuse(std::string_view code, std::string detail) {
  Problem problem;
  problem.code = code;
  problem.detail = std::move(detail);
  return tl::unexpected(std::move(problem));
}

tl::unexpected<Problem> refuse(base::FieldErrors errors) {
  const auto any_of = [&](std::string_view code) {
    return std::ranges::any_of(errors, [&](const base::FieldError& error) { return error.code == code; });
  };
  const bool all_in_input = !errors.empty() && std::ranges::all_of(errors, [](const base::FieldError& error) {
    return error.pointer == "/input" || error.pointer.starts_with("/input/");
  });
  Problem problem;
  if (any_of("unknown_field"))
    problem.code = "unknown_field";
  else if (all_in_input)
    problem.code = "schema_invalid";  // well-formed, but not what the task's schema allows
  else
    problem.code = any_of("missing_field") ? "missing_field" : "invalid_field";
  problem.detail = errors.size() == 1 ? errors.front().pointer + ": " + errors.front().detail
                                      : std::to_string(errors.size()) + " things are wrong with the request; see errors";
  problem.errors = std::move(errors);
  return tl::unexpected(std::move(problem));
}

tl::unexpected<Problem> refuse(const base::Error& error) { return refuse(tasks::code_for(error.code), error.message); }

Reply to_reply(const Problem& problem, int status) {
  net::Headers headers;
  headers.set("content-type", "application/problem+json");
  if (problem.retry_after_ms) {
    headers.set("retry-after", std::to_string((*problem.retry_after_ms + 999) / 1000));
    headers.set("retry-after-ms", std::to_string(*problem.retry_after_ms));
  }
  json::object body = tasks::to_json(problem);
  if (status == 0) {
    status = tasks::http_status(problem.code);
  } else {
    body["status"] = status;
    body["title"] = net::reason_phrase(status);
  }
  if (status == 401) headers.set("www-authenticate", "Bearer");
  return {status, std::move(headers), json::serialize(body), false};
}

Call::Call(net::Request& request_, net::Response& response_, std::string request_id_)
    : request(request_), response(response_), request_id(std::move(request_id_)) {
  if (const auto given = request.headers.get("traceparent")) traceparent = parse_traceparent(*given);
  if (traceparent.empty()) traceparent = new_traceparent();
}

std::string_view Call::trace_id() const { return std::string_view(traceparent).substr(3, 32); }

net::Headers Call::with_conventions(net::Headers headers) const {
  headers.set("x-request-id", request_id);
  headers.set("api-version", api_version);
  headers.set("traceparent", traceparent);
  headers.set("x-content-type-options", "nosniff");
  if (!headers.contains("cache-control")) headers.set("cache-control", "no-store");
  return headers;
}

Task<base::Status> Call::start(int status, net::Headers headers) { return response.start(status, with_conventions(std::move(headers))); }

Task<tl::expected<json::value, Problem>> Call::read_json(std::size_t max_bytes) {
  if (const auto type = request.headers.get("content-type"); type && !is_json_type(*type))
    co_return refuse("unsupported_media", "this route takes application/json");
  const auto text = co_await request.body->read_all(max_bytes);
  if (!text) {
    if (text.error().code == base::ErrorCode::too_large)
      co_return refuse("body_too_large", "a JSON body holds at most " + std::to_string(max_bytes) + " bytes; send media as an upload");
    co_return refuse(text.error());
  }
  if (text->empty()) co_return json::object{};
  auto value = base::parse_json(*text, {.bytes = max_bytes});
  if (!value) co_return refuse("invalid_json", value.error().message);
  co_return std::move(*value);
}

Task<base::Status> Call::send(Reply reply) {
  if (reply.streamed) co_return base::Status{};
  co_return co_await response.send(reply.status, with_conventions(std::move(reply.headers)), std::move(reply.body));
}

QueryReader::QueryReader(std::string_view query, base::FieldErrors& errors) : errors_(&errors) {
  auto parsed = net::parse_query(query);
  if (parsed)
    query_ = std::move(*parsed);
  else
    errors.push_back({"?", "invalid_field", parsed.error().message});
}

std::optional<std::string> QueryReader::text(std::string_view name, std::size_t max_bytes) {
  known_.emplace_back(name);
  auto value = net::query_value(query_, name);
  if (value && value->size() > max_bytes) {
    errors_->push_back({"?" + std::string(name), "invalid_field", "at most " + std::to_string(max_bytes) + " bytes"});
    return std::nullopt;
  }
  return value;
}

std::optional<std::int64_t> QueryReader::integer(std::string_view name, std::int64_t min, std::int64_t max) {
  const auto value = text(name, 20);
  if (!value) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), number);
  if (error != std::errc{} || end != value->data() + value->size() || number < min || number > max) {
    errors_->push_back(
        {"?" + std::string(name), "invalid_field", "a whole number from " + std::to_string(min) + " to " + std::to_string(max)});
    return std::nullopt;
  }
  return number;
}

std::optional<std::string> QueryReader::choice(std::string_view name, std::initializer_list<std::string_view> allowed) {
  auto value = text(name, 64);
  if (!value || std::ranges::find(allowed, *value) != allowed.end()) return value;
  std::string detail = "one of";
  for (const auto item : allowed) detail += " " + std::string(item);
  errors_->push_back({"?" + std::string(name), "invalid_field", std::move(detail)});
  return std::nullopt;
}

void QueryReader::finish() {
  for (const auto& [name, value] : query_) {
    if (std::ranges::find(known_, name) != known_.end()) continue;
    const auto near = base::nearest(name, known_);
    errors_->push_back({"?" + name, "unknown_field", near ? "unknown; did you mean " + *near + "?" : "unknown parameter"});
  }
}

std::string parse_traceparent(std::string_view text) {
  // 00-<32 hex>-<16 hex>-<2 hex>, lower case, ids not all zero (W3C Trace Context 3.2).
  if (text.size() != 55 || !text.starts_with("00-") || text[35] != '-' || text[52] != '-') return {};
  const auto hex = [](std::string_view part) { return part.find_first_not_of("0123456789abcdef") == std::string_view::npos; };
  const auto zero = [](std::string_view part) { return part.find_first_not_of('0') == std::string_view::npos; };
  const auto trace = text.substr(3, 32);
  const auto span = text.substr(36, 16);
  if (!hex(trace) || !hex(span) || !hex(text.substr(53)) || zero(trace) || zero(span)) return {};
  return std::string(text);
}

}  // namespace kinora::gateway
