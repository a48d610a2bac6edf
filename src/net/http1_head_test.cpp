#include "net/http1_head.hpp"

#include <gtest/gtest.h>

#include "net/http1_body.hpp"

namespace kinora::net {
namespace {

using Kind = BodyFraming::Kind;

int status_of(const std::string& head) {
  const auto parsed = parse_request_head(head, 128);
  return parsed ? 0 : parsed.error().status;
}

const std::string kHost = "Host: a\r\n";

TEST(RequestHead, is_read_with_its_fields_in_lower_case) {
  const auto head =
      parse_request_head("POST /a?b=c HTTP/1.1\r\nHost: x:1\r\nX-Thing:  some value \r\nContent-Length: 5\r\n\r\n", 128).value();
  EXPECT_EQ(head.message.method, "POST");
  EXPECT_EQ(head.message.target, "/a?b=c");
  EXPECT_EQ(head.message.version, 11);
  EXPECT_EQ(head.message.headers.get("x-thing"), "some value");
  EXPECT_EQ(head.message.headers.get("HOST"), "x:1");
  EXPECT_EQ(head.framing.kind, Kind::length);
  EXPECT_EQ(head.message.content_length, 5u);
  EXPECT_TRUE(head.keep_alive);
}

TEST(RequestHead, keeps_the_connection_as_the_version_and_the_field_say) {
  EXPECT_FALSE(parse_request_head("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n", 128).value().keep_alive);
  EXPECT_FALSE(parse_request_head("GET / HTTP/1.0\r\n\r\n", 128).value().keep_alive);
}

// RFC 9112 6.3, 11.2: readers that disagree on the framing let a request be smuggled inside another.
TEST(RequestHead, refuses_ambiguous_framing) {
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\n" + kHost + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\n" + kHost + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"), 400);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\n" + kHost + "Content-Length: 5\r\nContent-Length: 5\r\n\r\n"), 400);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\n" + kHost + "Content-Length: 5, 5\r\n\r\n"), 400);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\n" + kHost + "Content-Length: +5\r\n\r\n"), 400);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\n" + kHost + "Content-Length: 0x5\r\n\r\n"), 400);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\n" + kHost + "Content-Length: 18446744073709551616\r\n\r\n"), 400);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\n" + kHost + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\n" + kHost + "Transfer-Encoding: gzip, chunked\r\n\r\n"), 501);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\n" + kHost + "Transfer-Encoding: xchunked\r\n\r\n"), 501);
  EXPECT_EQ(status_of("POST / HTTP/1.0\r\n" + kHost + "Transfer-Encoding: chunked\r\n\r\n"), 400);
}

TEST(RequestHead, refuses_malformed_lines) {
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n"), 400) << "obs-fold";
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n"), 400) << "space before the colon (RFC 9112 5.1)";
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"), 400) << "bare LF";
  EXPECT_EQ(status_of(std::string("GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 35)), 400) << "NUL";
  EXPECT_EQ(status_of("GET  / HTTP/1.1\r\n" + kHost + "\r\n"), 400);
  EXPECT_EQ(status_of("GET /\r\n" + kHost + "\r\n"), 400);
  EXPECT_EQ(status_of("G@T / HTTP/1.1\r\n" + kHost + "\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/2.0\r\n" + kHost + "\r\n"), 505);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nExpect: magic\r\n\r\n"), 417);
}

TEST(RequestHead, needs_exactly_one_host_in_http_1_1) {
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.0\r\n\r\n"), 0);
}

TEST(RequestHead, counts_its_fields) {
  std::string text = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 127; ++i) text += "X: y\r\n";
  EXPECT_EQ(status_of(text + "\r\n"), 0);
  EXPECT_EQ(status_of(text + "X: y\r\n\r\n"), 431);
}

TEST(ResponseHead, finds_the_framing_of_rfc_9112_6_3) {
  const auto kind = [](const char* text, bool head_request = false) {
    return parse_response_head(text, 128, head_request).value().framing.kind;
  };
  EXPECT_EQ(kind("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"), Kind::length);
  EXPECT_EQ(kind("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", true), Kind::none);
  EXPECT_EQ(kind("HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n"), Kind::none);
  EXPECT_EQ(kind("HTTP/1.1 204 No Content\r\n\r\n"), Kind::none);
  EXPECT_EQ(kind("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), Kind::chunked);
  EXPECT_EQ(kind("HTTP/1.1 200 OK\r\n\r\n"), Kind::until_close);
  EXPECT_FALSE(parse_response_head("HTTP/1.1 200 OK\r\n\r\n", 128, false).value().keep_alive);
  EXPECT_FALSE(parse_response_head("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 128, false));
  EXPECT_FALSE(parse_response_head("HTTP/1.1 OK\r\n\r\n", 128, false));
}

TEST(FieldRules, are_those_of_rfc_9110) {
  EXPECT_TRUE(is_field_name("x-Thing_1.~"));
  for (const char* name : {"", "a b", "a:", "a\r\n", "ä"}) EXPECT_FALSE(is_field_name(name)) << name;
  EXPECT_TRUE(is_field_value("a\tb \xC3\xA4"));
  EXPECT_TRUE(is_field_value(""));
  for (const char* value : {"a\r\nb", "a\n", " a", "a ", "\x7f", "\x01"}) EXPECT_FALSE(is_field_value(value)) << value;
}

struct Decoded {
  bool sound = true;
  bool ended = false;
  std::string body;
  std::string rest;
  Exchange exchange;
};

std::unique_ptr<Decoded> decode(BodyFraming framing, std::string_view text, std::size_t piece) {
  auto out = std::make_unique<Decoded>();
  Http1Body body(framing);
  while (!text.empty() && !body.ended() && out->sound) {
    const auto part = text.substr(0, piece);
    const auto used = body.feed(part, out->exchange);
    out->sound = used.has_value();
    text.remove_prefix(used.value_or(0));
  }
  out->ended = body.ended();
  out->rest = text;
  while (!out->exchange.in.empty()) out->body += out->exchange.in.pop(1000);
  return out;
}

TEST(ChunkedBody, is_joined_whatever_the_pieces) {
  const std::string text = "5\r\nhello\r\nA;ext=\"v\"\r\n0123456789\r\n0\r\nX-T: v \r\n\r\nnext";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    const auto out = decode({Kind::chunked, 0}, text, piece);
    EXPECT_TRUE(out->sound && out->ended) << piece;
    EXPECT_EQ(out->body, "hello0123456789");
    EXPECT_EQ(out->rest, "next");
    EXPECT_EQ(out->exchange.in_trailers.get("x-t"), "v");
  }
}

TEST(ChunkedBody, refuses_what_is_malformed) {
  for (const char* text : {"\r\n", "g\r\n", "-1\r\n", "0x5\r\n", "5\nhello", "5\r\nhelloX\r\n", "5 5\r\n", "10000000000000000\r\n",
                           "1\r\na\r\n0\r\nno colon\r\n\r\n", "0\r\na b: c\r\n\r\n", "3\r\nabc\n\r\n"}) {
    for (const std::size_t piece : {1, 100}) EXPECT_FALSE(decode({Kind::chunked, 0}, text, piece)->sound) << text;
  }
}

TEST(ChunkedBody, bounds_chunk_lines_and_trailers) {
  EXPECT_TRUE(decode({Kind::chunked, 0}, "1;" + std::string(kMaxChunkLineBytes - 4, 'x') + "\r\na", 7)->sound);
  EXPECT_FALSE(decode({Kind::chunked, 0}, "1;" + std::string(kMaxChunkLineBytes, 'x'), 7)->sound);
  std::string many = "0\r\n";
  for (std::size_t i = 0; i < kMaxTrailerFields; ++i) many += "a: b\r\n";
  EXPECT_TRUE(decode({Kind::chunked, 0}, many + "\r\n", 99)->ended);
  EXPECT_FALSE(decode({Kind::chunked, 0}, many + "a: b\r\n\r\n", 99)->sound);
  EXPECT_FALSE(decode({Kind::chunked, 0}, "0\r\na: " + std::string(kMaxTrailerBytes, 'x'), 999)->sound);
}

TEST(SizedBody, ends_at_its_length) {
  const auto out = decode({Kind::length, 5}, "helloNEXT", 2);
  EXPECT_EQ(out->body, "hello");
  EXPECT_TRUE(out->ended);
  EXPECT_TRUE(decode({Kind::none, 0}, "x", 1)->ended);
}

TEST(Body, over_its_limit_is_an_error_of_reading) {
  Exchange exchange;
  exchange.in_limit = 4;
  Http1Body body({Kind::length, 5});
  EXPECT_TRUE(body.feed("hello", exchange));
  EXPECT_EQ(exchange.in_error->code, base::ErrorCode::too_large);
}

}  // namespace
}  // namespace kinora::net
