#include "net/http1_body.hpp"

#include <algorithm>
#include <charconv>

namespace kinora::net {
namespace {

using base::ErrorCode;
using base::fail;
using Kind = BodyFraming::Kind;

}  // namespace

Http1Body::Http1Body(BodyFraming framing) : remaining_(framing.length) {
  switch (framing.kind) {
    case Kind::none: state_ = State::ended; break;
    case Kind::length: state_ = framing.length == 0 ? State::ended : State::length; break;
    case Kind::chunked: state_ = State::chunk_line; break;
    case Kind::until_close: state_ = State::until_close; break;
  }
}

base::Result<std::size_t> Http1Body::feed(std::string_view bytes, Exchange& exchange) {
  const std::size_t given = bytes.size();
  while (!bytes.empty() && state_ != State::ended) {
    if (state_ == State::until_close) {
      take_body(exchange, bytes);
      return given;
    }
    if (state_ == State::length || state_ == State::chunk_data) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), remaining_));
      take_body(exchange, bytes.substr(0, n));
      bytes.remove_prefix(n);
      remaining_ -= n;
      if (remaining_ == 0) state_ = state_ == State::length ? State::ended : State::chunk_end;
      continue;
    }
    const auto end = bytes.find('\n');
    line_ += bytes.substr(0, end == bytes.npos ? end : end + 1);
    bytes.remove_prefix(end == bytes.npos ? bytes.size() : end + 1);
    const auto limit = state_ == State::trailers ? kMaxTrailerBytes : kMaxChunkLineBytes;
    if (line_.size() > limit) return fail(ErrorCode::invalid, "a chunk's header is too long");
    if (end == bytes.npos) break;
    if (!line_.ends_with("\r\n")) return fail(ErrorCode::invalid, "a line does not end in CR LF");
    line_.resize(line_.size() - 2);
    KINORA_OK(line(exchange));
    line_.clear();
  }
  return given - bytes.size();
}

base::Status Http1Body::line(Exchange& exchange) {
  if (state_ == State::trailers) return trailer(exchange);
  if (state_ == State::chunk_end) {
    if (!line_.empty()) return fail(ErrorCode::invalid, "a chunk is longer than it says");
    state_ = State::chunk_line;
    return {};
  }
  const auto [end, failed] = std::from_chars(line_.data(), line_.data() + line_.size(), remaining_, 16);
  auto rest = std::string_view(line_).substr(static_cast<std::size_t>(end - line_.data()));
  while (rest.starts_with(' ') || rest.starts_with('\t')) rest.remove_prefix(1);
  if (failed != std::errc() || (!rest.empty() && rest.front() != ';') || !is_field_value(rest)) {
    return fail(ErrorCode::invalid, "a malformed chunk size");
  }
  state_ = remaining_ == 0 ? State::trailers : State::chunk_data;
  return {};
}

base::Status Http1Body::trailer(Exchange& exchange) {
  if (line_.empty()) {
    state_ = State::ended;
    return {};
  }
  trailer_bytes_ += line_.size();
  const auto colon = line_.find(':');
  const auto name = std::string_view(line_).substr(0, colon);
  if (colon == std::string::npos || !is_field_name(name)) return fail(ErrorCode::invalid, "a malformed trailer field");
  if (trailer_bytes_ > kMaxTrailerBytes || exchange.in_trailers.size() >= kMaxTrailerFields)
    return fail(ErrorCode::invalid, "too many trailers");
  auto value = std::string_view(line_).substr(colon + 1);
  while (value.starts_with(' ') || value.starts_with('\t')) value.remove_prefix(1);
  while (value.ends_with(' ') || value.ends_with('\t')) value.remove_suffix(1);
  if (!is_field_value(value)) return fail(ErrorCode::invalid, "a malformed trailer field");
  exchange.in_trailers.add(name, std::string(value));
  return {};
}

}  // namespace kinora::net
