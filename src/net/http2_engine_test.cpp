// The HTTP/2 engines without sockets: against each other, and the server against frames written by hand (RFC 9113).
#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include "net/http2_client.hpp"
#include "net/http2_server.hpp"
#include "net/http2_session.hpp"

namespace kinora::net {
namespace {

struct ServerSide {
  explicit ServerSide(EngineLimits limits = {}) {
    engine = make_http2_server(
        limits,
        [this](MessageHead head) {
          heads.push_back(std::move(head));
          exchanges.push_back(std::make_shared<Exchange>());
          return exchanges.back();
        },
        [this] { return now; });
  }
  std::chrono::steady_clock::time_point now{};
  std::vector<MessageHead> heads;
  std::vector<std::shared_ptr<Exchange>> exchanges;
  std::unique_ptr<ServerEngine> engine;
};

struct Pair {
  explicit Pair(EngineLimits server_limits = {}, EngineLimits client_limits = {})
      : server(server_limits), client(make_http2_client(client_limits)) {
    settle();
  }
  // Carries bytes to and fro until nothing moves.
  void settle() {
    for (bool moved = true; moved;) {
      const auto up = client->take_output();
      server.engine->feed(up);
      const auto down = server.engine->take_output();
      client->feed(down);
      moved = !up.empty() || !down.empty();
    }
  }
  std::shared_ptr<Exchange> send(std::string method, Headers more = {}, std::string body = {}, bool end = true) {
    auto exchange = std::make_shared<Exchange>();
    MessageHead head;
    head.method = std::move(method);
    head.target = "/p?q=1";
    head.scheme = "https";
    head.headers = {{"host", "node:1"}};
    for (const auto& [name, value] : more) head.headers.add(name, value);
    exchange->out.push(std::move(body));
    exchange->out_end = end;
    client->submit(exchange, head);
    settle();
    return exchange;
  }
  void answer(std::size_t i, int status, Headers headers, std::string body, Headers trailers = {}) {
    auto& exchange = *server.exchanges.at(i);
    server.engine->respond(exchange, status, headers);
    exchange.out.push(std::move(body));
    exchange.out_trailers = std::move(trailers);
    exchange.out_end = true;
    server.engine->out_changed(exchange);
    settle();
  }
  ServerSide server;
  std::unique_ptr<ClientEngine> client;
};

std::string take(Exchange& exchange) {
  std::string all;
  while (!exchange.in.empty()) all += exchange.in.pop(1 << 20);
  return all;
}

TEST(Http2, carries_heads_bodies_and_trailers_both_ways) {
  Pair pair;
  const auto asked = pair.send("POST", {{"x-a", "1"}, {"connection", "close"}, {"cookie", "a=1"}, {"cookie", "b=2"}}, "request");
  ASSERT_EQ(pair.server.heads.size(), 1u);
  const auto& head = pair.server.heads[0];
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/p?q=1");
  EXPECT_EQ(head.version, 20);
  EXPECT_EQ(head.headers.get("host"), "node:1");
  EXPECT_EQ(head.headers.get("x-a"), "1");
  EXPECT_EQ(head.headers.get("cookie"), "a=1; b=2");
  EXPECT_FALSE(head.headers.contains("connection")) << "RFC 9113 8.2.2";
  EXPECT_EQ(take(*pair.server.exchanges[0]), "request");
  EXPECT_TRUE(pair.server.exchanges[0]->in_end);
  pair.answer(0, 201, {{"x-b", "2"}}, "response", {{"grpc-status", "0"}});
  EXPECT_EQ(asked->response->status, 201);
  EXPECT_EQ(asked->response->headers.get("x-b"), "2");
  EXPECT_EQ(take(*asked), "response");
  EXPECT_EQ(asked->in_trailers.get("grpc-status"), "0");
  EXPECT_TRUE(asked->closed && asked->in_end && !asked->gone);
  EXPECT_TRUE(pair.server.exchanges[0]->closed && !pair.server.exchanges[0]->gone);
  EXPECT_FALSE(pair.client->busy());
}

TEST(Http2, sends_no_more_than_is_read) {
  Pair pair;
  const auto asked = pair.send("PUT", {}, std::string(3 << 20, 'x'));
  auto& received = *pair.server.exchanges[0];
  EXPECT_EQ(received.in.size(), kMaxQueuedBytes) << "exactly the stream's window";
  const auto other = pair.send("GET");
  EXPECT_EQ(pair.server.heads.size(), 2u) << "one slow reader holds back its own stream only";
  std::size_t total = 0;
  while (!received.in_end || !received.in.empty()) {
    const auto piece = received.in.pop(1 << 20);
    ASSERT_FALSE(piece.empty());
    total += piece.size();
    pair.server.engine->consumed(received, piece.size());
    pair.settle();
  }
  EXPECT_EQ(total, 3u << 20);
  EXPECT_TRUE(asked->out_flushed);
}

TEST(Http2, tells_both_sides_of_a_given_up_stream) {
  Pair pair;
  const auto asked = pair.send("GET");
  pair.client->abort(*asked, {base::ErrorCode::canceled, "enough"});
  pair.settle();
  EXPECT_EQ(pair.server.exchanges[0]->gone->code, base::ErrorCode::canceled);
  const auto again = pair.send("GET");
  pair.server.engine->abort(*pair.server.exchanges[1], {base::ErrorCode::internal, "broken"});
  pair.settle();
  EXPECT_EQ(again->gone->code, base::ErrorCode::unavailable);
  EXPECT_TRUE(pair.client->can_submit()) << "the connection lives on";
}

TEST(Http2, answers_before_the_request_is_complete) {
  Pair pair;
  const auto asked = pair.send("POST", {}, "part", false);
  pair.answer(0, 413, {}, "too much");
  EXPECT_EQ(asked->response->status, 413);
  EXPECT_EQ(take(*asked), "too much");
  EXPECT_TRUE(asked->closed && !asked->gone);
  EXPECT_TRUE(pair.server.exchanges[0]->closed && !pair.server.exchanges[0]->gone);
}

TEST(Http2, says_100_where_it_is_asked_for_only) {
  Pair pair;
  const auto asked = pair.send("POST", {{"expect", "100-continue"}}, "", false);
  pair.server.engine->want_body(*pair.server.exchanges[0]);
  const auto output = pair.server.engine->take_output();
  EXPECT_FALSE(output.empty());
  pair.client->feed(output);
  EXPECT_FALSE(asked->response) << "an interim answer is not the answer";
  pair.send("POST", {}, "", false);
  pair.server.engine->want_body(*pair.server.exchanges[1]);
  EXPECT_TRUE(pair.server.engine->take_output().empty());
}

TEST(Http2, refuses_headers_and_bodies_past_the_limits) {
  EngineLimits limits;
  limits.header_bytes = 2000;
  limits.header_count = 10;
  limits.body_bytes = 100;
  Pair pair(limits);
  EXPECT_EQ(pair.send("GET", {{"x", std::string(2000, 'x')}})->response->status, 431);
  Headers many;
  for (int i = 0; i < 11; ++i) many.add("x" + std::to_string(i), "y");
  EXPECT_EQ(pair.send("GET", many)->response->status, 431);
  EXPECT_EQ(pair.send("POST", {{"content-length", "101"}}, std::string(101, 'x'))->response->status, 413);
  EXPECT_TRUE(pair.server.heads.empty());
  pair.send("POST", {}, std::string(101, 'x'));
  EXPECT_EQ(pair.server.exchanges.at(0)->in_error->code, base::ErrorCode::too_large);
}

TEST(Http2, drops_an_answer_with_too_large_a_header) {
  EngineLimits client_limits;
  client_limits.header_bytes = 1000;
  Pair pair({}, client_limits);
  const auto asked = pair.send("GET");
  pair.answer(0, 200, {{"x", std::string(2000, 'x')}}, "");
  EXPECT_EQ(asked->gone->code, base::ErrorCode::too_large);
}

TEST(Http2, ends_the_connection_of_a_peer_that_resets_rapidly) {
  EngineLimits limits;
  limits.resets_per_minute = 50;
  Pair pair(limits);
  const auto open_and_reset = [&] {
    const auto asked = pair.send("GET");
    pair.client->abort(*asked, {base::ErrorCode::canceled, ""});
    pair.settle();
  };
  for (int i = 0; i < 50; ++i) open_and_reset();
  EXPECT_FALSE(pair.server.engine->done());
  pair.server.now += std::chrono::minutes(1);
  for (int i = 0; i < 50; ++i) open_and_reset();
  EXPECT_FALSE(pair.server.engine->done()) << "fifty in each minute are allowed";
  open_and_reset();
  EXPECT_TRUE(pair.server.engine->done());
}

TEST(Http2, shuts_down_after_the_running_streams) {
  Pair pair;
  const auto asked = pair.send("GET");
  pair.server.engine->shut_down();
  pair.settle();
  EXPECT_FALSE(pair.client->can_submit());
  EXPECT_FALSE(pair.server.engine->done());
  pair.answer(0, 200, {}, "last");
  EXPECT_EQ(take(*asked), "last");
  EXPECT_TRUE(asked->closed && !asked->gone);
  EXPECT_TRUE(pair.server.engine->done());
  EXPECT_TRUE(pair.client->done());
}

TEST(Http2, ends_every_exchange_when_the_connection_is_lost) {
  Pair pair;
  const auto asked = pair.send("GET");
  pair.client->input_ended();
  pair.server.engine->input_ended();
  EXPECT_EQ(asked->gone->code, base::ErrorCode::unavailable);
  EXPECT_TRUE(pair.server.exchanges[0]->gone.has_value());
  EXPECT_TRUE(pair.client->done() && pair.server.engine->done());
}

// ---- frames by hand ----

std::string frame(int type, int flags, std::uint32_t stream, const std::string& payload) {
  std::string out;
  for (int shift = 16; shift >= 0; shift -= 8) out += static_cast<char>(payload.size() >> shift);
  out += static_cast<char>(type);
  out += static_cast<char>(flags);
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(stream >> shift);
  return out + payload;
}

const std::string kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(NGHTTP2_SETTINGS, 0, 0, "");
// RFC 7541 appendix A: 0x82 :method GET, 0x87 :scheme https, 0x84 :path /, 0x41 :authority literal.
const std::string kGetBlock = std::string("\x82\x87\x84\x41\x01", 5) + "a";
constexpr int kEndStream = 1;
constexpr int kEndHeaders = 4;

struct Frame {
  int type;
  std::uint32_t stream;
  std::uint32_t code;  // the payload's first four bytes
};

std::vector<Frame> frames(std::string_view bytes) {
  const auto number = [&](std::size_t at, std::size_t size) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
    return value;
  };
  std::vector<Frame> out;
  while (bytes.size() >= 9) {
    const std::size_t size = number(0, 3);
    const std::size_t code_at = bytes[3] == NGHTTP2_GOAWAY ? 13 : 9;
    out.push_back({bytes[3], number(5, 4), size >= 4 ? number(code_at, 4) : 0});
    bytes.remove_prefix(9 + size);
  }
  return out;
}

std::size_t count(const std::vector<Frame>& all, int type, std::uint32_t code) {
  return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const Frame& f) { return f.type == type && f.code == code; }));
}

TEST(Http2Server, refuses_streams_over_the_announced_number) {
  EngineLimits limits;
  limits.streams = 10;
  ServerSide server(limits);
  server.engine->feed(kPreface);
  server.engine->take_output();
  server.engine->feed(frame(NGHTTP2_SETTINGS, 1, 0, ""));
  std::string many;
  for (std::uint32_t i = 0; i < 12; ++i) many += frame(NGHTTP2_HEADERS, kEndStream | kEndHeaders, 2 * i + 1, kGetBlock);
  server.engine->feed(many);
  EXPECT_EQ(server.heads.size(), 10u);
  const auto out = frames(server.engine->take_output());
  // RFC 9113 5.1.2: PROTOCOL_ERROR or REFUSED_STREAM, on the stream or on the connection.
  EXPECT_GE(count(out, NGHTTP2_RST_STREAM, NGHTTP2_REFUSED_STREAM) + count(out, NGHTTP2_GOAWAY, NGHTTP2_PROTOCOL_ERROR), 1u);
}

TEST(Http2Server, ends_connections_that_break_the_protocol) {
  const auto ends = [](const std::string& bytes) {
    ServerSide server;
    server.engine->feed(kPreface + bytes);
    const auto out = frames(server.engine->take_output());
    const bool goaway = std::any_of(out.begin(), out.end(), [](const Frame& f) { return f.type == NGHTTP2_GOAWAY && f.code != 0; });
    return goaway && server.engine->done();
  };
  EXPECT_TRUE(ends(frame(NGHTTP2_HEADERS, kEndStream | kEndHeaders, 2, kGetBlock))) << "even stream number";
  EXPECT_TRUE(ends(frame(NGHTTP2_DATA, 0, 1, "x"))) << "data on an idle stream";
  EXPECT_TRUE(ends(frame(NGHTTP2_HEADERS, kEndStream | kEndHeaders, 1, "\xff\xff\xff\xff\xff"))) << "bad HPACK";
  EXPECT_TRUE(ends(frame(NGHTTP2_WINDOW_UPDATE, 0, 0, std::string(4, '\0')))) << "window update of zero";
  EXPECT_TRUE(ends(frame(NGHTTP2_PING, 0, 0, "short")));
  std::string settings;
  for (int i = 0; i < 40; ++i) settings += std::string("\x00\x03\x00\x00\x00\x01", 6);
  EXPECT_TRUE(ends(frame(NGHTTP2_SETTINGS, 0, 0, settings))) << "a settings flood";
}

TEST(Http2Server, gives_up_a_header_of_endless_continuations) {
  ServerSide server;
  std::string bytes = kPreface + frame(NGHTTP2_HEADERS, kEndStream, 1, kGetBlock);
  for (int i = 0; i < 100; ++i) bytes += frame(NGHTTP2_CONTINUATION, 0, 1, std::string(1000, '\x82'));
  server.engine->feed(bytes);
  server.engine->take_output();
  EXPECT_TRUE(server.engine->done());
  EXPECT_TRUE(server.heads.empty());
}

TEST(Http2Server, counts_streams_that_it_must_reset_for_the_peers_faults) {
  EngineLimits limits;
  limits.resets_per_minute = 20;
  ServerSide server(limits);
  server.engine->feed(kPreface);
  server.engine->take_output();
  for (std::uint32_t i = 0; i < 100 && !server.engine->done(); ++i) {
    const std::uint32_t stream = 2 * i + 1;
    // A window update of zero on a stream is an error of that stream (RFC 9113 6.9; CVE-2025-8671).
    server.engine->feed(frame(NGHTTP2_HEADERS, kEndStream | kEndHeaders, stream, kGetBlock) +
                        frame(NGHTTP2_WINDOW_UPDATE, 0, stream, std::string(4, '\0')));
    server.engine->take_output();
  }
  EXPECT_TRUE(server.engine->done());
  EXPECT_LE(server.heads.size(), 22u);
}

TEST(Http2Server, refuses_what_is_no_http2_at_all) {
  ServerSide server;
  server.engine->feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  server.engine->take_output();
  EXPECT_TRUE(server.engine->done());
}

}  // namespace
}  // namespace kinora::net
