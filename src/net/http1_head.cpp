#include "net/http1_head.hpp"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <charconv>

namespace kinora::net {
namespace {

namespace beast = boost::beast;
using beast::http::error;
using ErrorCode = beast::error_code;
using Text = beast::string_view;

// Beast's parser, asked for the head only.
template <bool is_request>
class HeadParser final : public beast::http::basic_parser<is_request> {
 public:
  HeadParser(MessageHead& head, std::size_t max_fields) : head_(head), max_fields_(max_fields) {
    this->skip(true);
    this->header_limit(UINT32_MAX);  // the caller has bounded the head already
  }
  bool too_many_fields() const { return too_many_; }

 private:
  void on_request_impl(beast::http::verb, Text method, Text target, int version, ErrorCode&) override {
    head_.method = method;
    head_.target = target;
    head_.version = version;
  }
  void on_response_impl(int status, Text, int version, ErrorCode&) override {
    head_.status = status;
    head_.version = version;
  }
  void on_field_impl(beast::http::field, Text name, Text value, ErrorCode& failed) override {
    if (head_.headers.size() >= max_fields_) {
      too_many_ = true;
      failed = error::header_limit;
      return;
    }
    head_.headers.add({name.data(), name.size()}, std::string(value));
  }
  void on_header_impl(ErrorCode&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode&) override {}
  std::size_t on_body_impl(Text, ErrorCode&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, Text, ErrorCode&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, Text, ErrorCode&) override { return 0; }
  void on_finish_impl(ErrorCode&) override {}

  MessageHead& head_;
  std::size_t max_fields_;
  bool too_many_ = false;
};

template <bool is_request>
std::optional<Refusal> parse(std::string_view text, std::size_t max_fields, MessageHead& head) {
  if (text.find("\r\n ") != text.npos || text.find("\r\n\t") != text.npos) return Refusal{400, "a header line is folded"};
  HeadParser<is_request> parser(head, max_fields);
  ErrorCode failed;
  const auto used = parser.put({text.data(), text.size()}, failed);
  if (parser.too_many_fields()) return Refusal{431, "too many header fields"};
  if (failed == error::bad_version) return Refusal{505, "not HTTP/1.0 or HTTP/1.1"};
  if (failed) return Refusal{400, failed.message()};
  if (used != text.size() || !parser.is_header_done()) return Refusal{400, "a malformed message head"};
  return std::nullopt;
}

bool same_word(std::string_view text, std::string_view lower_case) {
  return std::ranges::equal(text, lower_case, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a | 32 : a) == b; });
}

bool connection_has(const Headers& headers, std::string_view token) {
  for (const auto value : headers.all("connection"))
    for (const auto item : beast::http::token_list(Text(value.data(), value.size())))
      if (same_word({item.data(), item.size()}, token)) return true;
  return false;
}

// Reads the framing fields. Empty: neither is there.
tl::expected<std::optional<BodyFraming>, Refusal> explicit_framing(MessageHead& head) {
  const auto lengths = head.headers.all("content-length");
  const auto codings = head.headers.all("transfer-encoding");
  if (!lengths.empty() && !codings.empty()) return tl::unexpected(Refusal{400, "both Content-Length and Transfer-Encoding"});
  if (lengths.size() > 1 || codings.size() > 1) return tl::unexpected(Refusal{400, "the body's framing is given twice"});
  if (!codings.empty()) {
    if (head.version < 11) return tl::unexpected(Refusal{400, "Transfer-Encoding in HTTP/1.0"});
    if (!same_word(codings[0], "chunked")) return tl::unexpected(Refusal{501, "a transfer coding other than chunked"});
    return BodyFraming{BodyFraming::Kind::chunked, 0};
  }
  if (lengths.empty()) return std::nullopt;
  std::uint64_t length = 0;
  const auto text = lengths[0];
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (failed != std::errc() || end != text.data() + text.size()) return tl::unexpected(Refusal{400, "a malformed Content-Length"});
  head.content_length = length;
  return BodyFraming{length == 0 ? BodyFraming::Kind::none : BodyFraming::Kind::length, length};
}

bool token_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

}  // namespace

tl::expected<Http1Head, Refusal> parse_request_head(std::string_view text, std::size_t max_fields) {
  Http1Head out;
  MessageHead& head = out.message;
  if (auto refusal = parse<true>(text, max_fields, head)) return tl::unexpected(std::move(*refusal));
  const auto framing = explicit_framing(head);
  if (!framing) return tl::unexpected(framing.error());
  out.framing = framing->value_or(BodyFraming{});
  const auto hosts = head.headers.all("host").size();
  if (hosts > 1 || (hosts == 0 && head.version >= 11)) return tl::unexpected(Refusal{400, "not exactly one Host field"});
  if (const auto expectation = head.headers.get("expect"); expectation && head.version >= 11) {
    if (!same_word(*expectation, "100-continue")) return tl::unexpected(Refusal{417, "an unknown expectation"});
    head.expect_continue = out.framing.kind != BodyFraming::Kind::none;
  }
  out.keep_alive = head.version >= 11 && !connection_has(head.headers, "close");
  return out;
}

base::Result<Http1Head> parse_response_head(std::string_view text, std::size_t max_fields, bool answers_head_request) {
  Http1Head out;
  MessageHead& head = out.message;
  if (const auto refusal = parse<false>(text, max_fields, head))
    return base::fail(base::ErrorCode::unavailable, "bad answer: " + refusal->reason);
  if (head.status < 100 || head.status > 599) return base::fail(base::ErrorCode::unavailable, "bad answer: its status is not in 100..599");
  const auto framing = explicit_framing(head);
  if (!framing) return base::fail(base::ErrorCode::unavailable, "bad answer: " + framing.error().reason);
  out.keep_alive = head.version >= 11 && !connection_has(head.headers, "close");
  // RFC 9112 6.3: these never have a body, whatever their fields say.
  const bool bodyless = answers_head_request || head.status < 200 || head.status == 204 || head.status == 304;
  if (!bodyless) out.framing = framing->value_or(BodyFraming{BodyFraming::Kind::until_close, 0});
  if (out.framing.kind == BodyFraming::Kind::until_close) out.keep_alive = false;
  return out;
}

bool is_field_name(std::string_view name) { return !name.empty() && std::ranges::all_of(name, token_character); }

bool is_field_value(std::string_view value) {
  if (!value.empty() && (value.front() == ' ' || value.back() == ' ' || value.front() == '\t' || value.back() == '\t')) return false;
  return std::ranges::all_of(value, [](char c) { return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f); });
}

void append_fields(std::string& out, const Headers& headers) {
  for (const auto& [name, value] : headers) {
    if (name == "connection" || name == "transfer-encoding" || name == "keep-alive" || name == "upgrade") continue;
    out += name;
    out += ": ";
    out += value;
    out += "\r\n";
  }
}

}  // namespace kinora::net
