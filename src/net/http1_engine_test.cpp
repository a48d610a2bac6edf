// The HTTP/1.1 engines without sockets: bytes in, bytes out.
#include <gtest/gtest.h>

#include "net/http1_client.hpp"
#include "net/http1_server.hpp"

namespace kinora::net {
namespace {

struct ServerSide {
  explicit ServerSide(EngineLimits limits = {}) {
    engine = make_http1_server(limits, [this](MessageHead head) {
      heads.push_back(std::move(head));
      exchanges.push_back(std::make_shared<Exchange>());
      return exchanges.back();
    });
  }
  std::string drain() {
    std::string all;
    for (std::string some; !(some = engine->take_output()).empty();) all += some;
    return all;
  }
  void answer(std::size_t i, int status, Headers headers, std::string body) {
    engine->respond(*exchanges[i], status, headers);
    exchanges[i]->out.push(std::move(body));
    exchanges[i]->out_end = true;
  }
  std::string body(std::size_t i) {
    std::string all;
    while (!exchanges[i]->in.empty()) {
      const auto piece = exchanges[i]->in.pop(1 << 20);
      all += piece;
      engine->consumed(*exchanges[i], piece.size());
    }
    return all;
  }
  std::vector<MessageHead> heads;
  std::vector<std::shared_ptr<Exchange>> exchanges;
  std::unique_ptr<ServerEngine> engine;
};

const std::string kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

TEST(Http1Server, answers_pipelined_requests_in_order) {
  ServerSide server;
  server.engine->feed(kGet + "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi" + kGet);
  ASSERT_EQ(server.heads.size(), 1u) << "the next request waits for the answer";
  server.answer(0, 200, {{"content-length", "3"}}, "one");
  EXPECT_EQ(server.drain(), "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\none");
  ASSERT_EQ(server.heads.size(), 2u);
  EXPECT_EQ(server.body(1), "hi");
  server.answer(1, 404, {}, "two");
  EXPECT_EQ(server.drain(), "HTTP/1.1 404 Not Found\r\ntransfer-encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n");
  ASSERT_EQ(server.heads.size(), 3u);
  EXPECT_FALSE(server.engine->done());
}

TEST(Http1Server, reads_a_request_that_comes_byte_by_byte) {
  ServerSide server;
  for (const char c : std::string("\r\nPOST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")) {
    server.engine->feed(std::string_view(&c, 1));
  }
  ASSERT_EQ(server.heads.size(), 1u);
  EXPECT_EQ(server.body(0), "abc");
  EXPECT_TRUE(server.exchanges[0]->in_end);
}

TEST(Http1Server, sends_no_body_where_there_must_be_none) {
  ServerSide server;
  server.engine->feed("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + kGet);
  server.answer(0, 200, {{"content-length", "3"}}, "one");
  EXPECT_EQ(server.drain(), "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n");
  server.answer(1, 304, {}, "none");
  EXPECT_EQ(server.drain(), "HTTP/1.1 304 Not Modified\r\n\r\n");
}

TEST(Http1Server, ends_the_body_by_closing_for_http_1_0) {
  ServerSide server;
  server.engine->feed("GET / HTTP/1.0\r\n\r\n");
  server.answer(0, 200, {}, "text");
  EXPECT_EQ(server.drain(), "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\ntext");
  EXPECT_TRUE(server.engine->done());
}

TEST(Http1Server, closes_when_the_client_asks_for_it) {
  ServerSide server;
  server.engine->feed("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + kGet);
  server.answer(0, 200, {{"content-length", "0"}}, "");
  EXPECT_EQ(server.drain(), "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
  EXPECT_TRUE(server.engine->done());
  EXPECT_EQ(server.heads.size(), 1u);
}

TEST(Http1Server, says_100_when_the_body_is_wanted_and_not_before) {
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
  ServerSide wanted;
  wanted.engine->feed(post);
  EXPECT_EQ(wanted.drain(), "");
  wanted.engine->want_body(*wanted.exchanges[0]);
  wanted.engine->want_body(*wanted.exchanges[0]);
  EXPECT_EQ(wanted.drain(), "HTTP/1.1 100 Continue\r\n\r\n");

  ServerSide refused;
  refused.engine->feed(post);
  refused.answer(0, 413, {{"content-length", "0"}}, "");
  EXPECT_EQ(refused.drain(), "HTTP/1.1 413 Content Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");

  ServerSide plain;
  plain.engine->feed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n");
  plain.engine->want_body(*plain.exchanges[0]);
  EXPECT_EQ(plain.drain(), "") << "nobody waits for it";
}

TEST(Http1Server, refuses_and_closes) {
  const auto status = [](const std::string& bytes, EngineLimits limits = {}) {
    ServerSide server(limits);
    server.engine->feed(bytes);
    const std::string out = server.drain();
    EXPECT_TRUE(server.engine->done());
    EXPECT_NE(out.find("\r\nconnection: close\r\n"), std::string::npos);
    EXPECT_TRUE(server.heads.empty());
    return out.substr(9, 3);
  };
  EXPECT_EQ(status("nonsense\r\n\r\n"), "400");
  EXPECT_EQ(status("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "400") << "h2c";
  EXPECT_EQ(status("GET / HTTP/1.1\r\n\r\n"), "400");
  EngineLimits limits;
  limits.header_bytes = 1000;
  limits.body_bytes = 10;
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(1000, 'x') + "\r\n\r\n", limits), "431");
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(1000, 'x'), limits), "431") << "before the end of the head";
  EXPECT_EQ(status("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n", limits), "413");
}

TEST(Http1Server, tells_the_reader_that_a_chunked_body_is_too_large_or_malformed) {
  EngineLimits limits;
  limits.body_bytes = 10;
  ServerSide large(limits);
  large.engine->feed("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\nhello!\r\n");
  EXPECT_EQ(large.exchanges[0]->in_error->code, base::ErrorCode::too_large);
  large.answer(0, 413, {{"content-length", "0"}}, "");
  EXPECT_NE(large.drain().find("connection: close"), std::string::npos);
  EXPECT_TRUE(large.engine->done());

  ServerSide malformed;
  malformed.engine->feed("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
  EXPECT_EQ(malformed.exchanges[0]->in_error->code, base::ErrorCode::invalid);
}

TEST(Http1Server, takes_no_more_input_than_is_read) {
  ServerSide server;
  server.engine->feed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n");
  const std::string some(16 * 1024, 'x');
  std::size_t fed = 0;
  for (; server.engine->wants_input() && fed < 10'000'000; fed += some.size()) server.engine->feed(some);
  EXPECT_LE(fed, kMaxQueuedBytes + some.size());
  EXPECT_EQ(server.body(0).size(), fed);
  EXPECT_TRUE(server.engine->wants_input());

  ServerSide pipelined;
  for (fed = 0; pipelined.engine->wants_input() && fed < 10'000'000; fed += kGet.size()) pipelined.engine->feed(kGet);
  EXPECT_LE(fed, kMaxPipelinedBytes + 2 * kGet.size());
}

TEST(Http1Server, drains_a_small_unread_body_and_closes_over_a_large_one) {
  ServerSide small;
  small.engine->feed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + std::string(500, 'x'));
  small.answer(0, 200, {{"content-length", "0"}}, "");
  small.drain();
  EXPECT_TRUE(small.exchanges[0]->closed);
  small.engine->feed(std::string(500, 'x') + kGet);
  EXPECT_EQ(small.heads.size(), 2u);

  ServerSide large;
  large.engine->feed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
  large.answer(0, 200, {{"content-length", "0"}}, "");
  EXPECT_NE(large.drain().find("connection: close"), std::string::npos);
  EXPECT_TRUE(large.engine->done());

  ServerSide endless;
  endless.engine->feed("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  endless.answer(0, 200, {{"content-length", "0"}}, "");
  endless.drain();
  const std::string chunk = "4000\r\n" + std::string(0x4000, 'x') + "\r\n";
  std::size_t fed = 0;
  for (; !endless.engine->done() && fed < 10'000'000; fed += chunk.size()) endless.engine->feed(chunk);
  EXPECT_LE(fed, kMaxDrainedBytes + 2 * chunk.size());
}

TEST(Http1Server, tells_the_handler_when_the_peer_has_gone) {
  ServerSide server;
  server.engine->feed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
  server.engine->input_ended();
  EXPECT_TRUE(server.exchanges[0]->gone.has_value());
  EXPECT_EQ(server.exchanges[0]->in_error->code, base::ErrorCode::unavailable);
  EXPECT_TRUE(server.engine->done());
}

TEST(Http1Server, finishes_the_running_request_when_it_shuts_down) {
  ServerSide server;
  server.engine->feed(kGet);
  server.engine->shut_down();
  EXPECT_FALSE(server.engine->done());
  server.answer(0, 200, {{"content-length", "0"}}, "");
  EXPECT_NE(server.drain().find("connection: close"), std::string::npos);
  EXPECT_TRUE(server.engine->done());
  ServerSide idle;
  idle.engine->shut_down();
  EXPECT_TRUE(idle.engine->done());
}

struct ClientSide {
  ClientSide() : engine(make_http1_client({})) {}
  std::shared_ptr<Exchange> send(std::string method, std::string body = {}, bool chunked = false) {
    auto exchange = std::make_shared<Exchange>();
    MessageHead head;
    head.method = std::move(method);
    head.target = "/x";
    head.headers = {{"host", "a"}};
    if (!chunked && !body.empty()) head.content_length = body.size();
    exchange->out.push(std::move(body));
    exchange->out_end = !chunked;
    engine->submit(exchange, head);
    return exchange;
  }
  std::unique_ptr<ClientEngine> engine;
};

TEST(Http1Client, writes_requests_with_the_right_framing) {
  ClientSide get;
  get.send("GET");
  EXPECT_EQ(get.engine->take_output(), "GET /x HTTP/1.1\r\nhost: a\r\n\r\n");
  ClientSide post;
  post.send("POST", "hello");
  EXPECT_EQ(post.engine->take_output(), "POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello");
  ClientSide empty;
  empty.send("POST");
  EXPECT_EQ(empty.engine->take_output(), "POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n");
  ClientSide stream;
  const auto exchange = stream.send("PUT", "hi", true);
  EXPECT_EQ(stream.engine->take_output(), "PUT /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n");
  exchange->out_end = true;
  EXPECT_EQ(stream.engine->take_output(), "0\r\n\r\n");
}

TEST(Http1Client, is_free_again_after_a_whole_answer) {
  ClientSide client;
  const auto first = client.send("GET");
  client.engine->take_output();
  EXPECT_FALSE(client.engine->can_submit());
  client.engine->feed("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_EQ(first->response->status, 200);
  EXPECT_EQ(first->in.pop(10), "ok");
  EXPECT_TRUE(first->closed && !first->gone);
  EXPECT_TRUE(client.engine->can_submit());
  const auto second = client.send("HEAD");
  client.engine->take_output();
  client.engine->feed("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
  EXPECT_TRUE(second->closed && second->in_end);
}

TEST(Http1Client, is_not_used_again_after_close_or_an_early_answer) {
  ClientSide closing;
  closing.send("GET");
  closing.engine->take_output();
  closing.engine->feed("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(closing.engine->done());
  ClientSide early;
  const auto exchange = early.send("POST", "part", true);
  early.engine->take_output();
  early.engine->feed("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(exchange->response->status, 401);
  EXPECT_TRUE(early.engine->done());
}

TEST(Http1Client, knows_a_cut_body_from_a_whole_one) {
  ClientSide cut;
  const auto lost = cut.send("GET");
  cut.engine->take_output();
  cut.engine->feed("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
  cut.engine->input_ended();
  EXPECT_EQ(lost->in_error->code, base::ErrorCode::unavailable);
  ClientSide until_close;
  const auto whole = until_close.send("GET");
  until_close.engine->take_output();
  until_close.engine->feed("HTTP/1.1 200 OK\r\n\r\nab");
  until_close.engine->input_ended();
  EXPECT_TRUE(whole->in_end && whole->closed);
  EXPECT_FALSE(whole->in_error);
}

TEST(Http1Client, refuses_bad_answers) {
  for (const std::string& answer :
       {std::string("nonsense\r\n\r\n"), std::string("HTTP/1.1 101 Switching\r\n\r\n"), "HTTP/1.1 200 OK\r\nX: " + std::string(40'000, 'x'),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")}) {
    ClientSide client;
    const auto exchange = client.send("GET");
    client.engine->take_output();
    client.engine->feed(answer);
    EXPECT_TRUE(exchange->gone.has_value()) << answer.substr(0, 50);
    EXPECT_TRUE(client.engine->done());
  }
  ClientSide unasked;
  unasked.engine->feed("HTTP/1.1 200 OK\r\n\r\n");
  EXPECT_TRUE(unasked.engine->done());
}

}  // namespace
}  // namespace kinora::net
