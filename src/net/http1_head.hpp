#pragma once
// HTTP/1.1 message heads (RFC 9112): parsed by Boost.Beast, judged here. Stricter than Beast where two readers of the
// same bytes could disagree (request smuggling): no obs-fold, one Content-Length, never both framings, "chunked" alone.
#include <string_view>

#include "net/exchange.hpp"

namespace kinora::net {

// How the end of a message's body is found.
struct BodyFraming {
  enum class Kind { none, length, chunked, until_close };
  Kind kind = Kind::none;
  std::uint64_t length = 0;
};

struct Http1Head {
  MessageHead message;
  BodyFraming framing;
  bool keep_alive = true;
};

// What is wrong with a request, as the status to answer with.
struct Refusal {
  int status = 400;
  std::string reason;
};

// `text` is the whole head including the empty line.
tl::expected<Http1Head, Refusal> parse_request_head(std::string_view text, std::size_t max_fields);
base::Result<Http1Head> parse_response_head(std::string_view text, std::size_t max_fields, bool answers_head_request);

// RFC 9110 5.6.2 and 5.5: what may be sent as a name or a value.
bool is_field_name(std::string_view name);
bool is_field_value(std::string_view value);

// "name: value" lines for what we send. Leaves out the fields that belong to the connection, which the engine sets.
void append_fields(std::string& out, const Headers& headers);

}  // namespace kinora::net
