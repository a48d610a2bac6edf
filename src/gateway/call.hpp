#pragma once
// One request on its way through the public API: who asks, and the conventions that every answer follows
// (developer-api 5.1, 5.14): X-Request-Id, Api-Version, traceparent, problem+json with stable codes.
//
// An endpoint either returns an Answer (a reply or a problem, sent by serve()), or streams by start() and returns Reply::sent().
#include <functional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "gateway/api_key.hpp"
#include "net/server.hpp"
#include "net/url.hpp"
#include "tasks/error_codes.hpp"

namespace kinora::gateway {

namespace json = base::json;
using net::Task;
using tasks::Problem;

inline constexpr std::string_view kApiVersion = "2026-11-01";
inline constexpr std::size_t kMaxJsonBytes = 1 << 20;
inline constexpr std::size_t kMaxRequestIdBytes = 64;

struct Reply {
  int status = 200;
  net::Headers headers;
  std::string body;
  bool streamed = false;
  static Reply of(int status, const json::value& body, net::Headers headers = {});
  static Reply empty(int status, net::Headers headers = {});
  static Reply sent();  // the endpoint has written the answer itself
};
using Answer = tl::expected<Reply, Problem>;

// The problem of that code with its detail for a person.
tl::unexpected<Problem> refuse(std::string_view code, std::string detail);
tl::unexpected<Problem> refuse(
    base::FieldErrors errors);  // unknown_field, schema_invalid (all inside /input), missing_field or invalid_field
tl::unexpected<Problem> refuse(const base::Error& error);
// `status` overrides the code's own, where HTTP has one that the table has not (405, 416).
Reply to_reply(const Problem& problem, int status = 0);

class Call {
 public:
  Call(net::Request& request_, net::Response& response_, std::string request_id_);
  net::Request& request;
  net::Response& response;
  const std::string request_id;
  std::string api_version{kApiVersion};
  std::string traceparent;  // of the caller, or a new one
  Caller caller;            // empty on routes that need no key

  std::string_view trace_id() const;
  // Adds the headers that every answer carries.
  net::Headers with_conventions(net::Headers headers) const;
  Task<base::Status> start(int status, net::Headers headers);
  // The body as JSON. body_too_large, unsupported_media (another Content-Type), invalid_json. An empty body is an empty object.
  Task<tl::expected<json::value, Problem>> read_json(std::size_t max_bytes = kMaxJsonBytes);
  Task<base::Status> send(Reply reply);
};

using Endpoint = std::function<Task<Answer>(Call&)>;

// Reads a query: values by name, errors collected with the pointer "?name", unknown names refused with the nearest one.
class QueryReader {
 public:
  QueryReader(std::string_view query, base::FieldErrors& errors);
  std::optional<std::string> text(std::string_view name, std::size_t max_bytes = 512);
  std::optional<std::int64_t> integer(std::string_view name, std::int64_t min, std::int64_t max);
  std::optional<std::string> choice(std::string_view name, std::initializer_list<std::string_view> allowed);
  void finish();

 private:
  net::Query query_;
  base::FieldErrors* errors_;
  std::vector<std::string> known_;
};

// A W3C traceparent (version 00), or "" when malformed.
std::string parse_traceparent(std::string_view text);

}  // namespace kinora::gateway
