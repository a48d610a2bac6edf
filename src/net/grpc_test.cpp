#include "net/grpc.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "net/grpc_text.hpp"
#include "net/testing.hpp"

namespace kinora::net {
namespace {

using namespace std::chrono_literals;
using testing::run;
using testing::TestServer;
using testing::trust;

TEST(GrpcFraming, is_a_flag_and_a_big_endian_length) {
  EXPECT_EQ(frame_grpc_message("abc"), std::string("\0\0\0\0\3abc", 8));
  EXPECT_EQ(frame_grpc_message(std::string(0x10203, 'x')).substr(0, 5), std::string("\0\0\1\2\3", 5));
}

TEST(GrpcFraming, is_undone_whatever_the_pieces) {
  const std::string stream = frame_grpc_message("first") + frame_grpc_message("") + frame_grpc_message("third");
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    GrpcDeframer deframer;
    std::vector<std::string> messages;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      ASSERT_TRUE(deframer.feed(std::string_view(stream).substr(at, piece)));
      while (auto message = deframer.next()) messages.push_back(std::move(*message));
    }
    EXPECT_EQ(messages, (std::vector<std::string>{"first", "", "third"}));
    EXPECT_FALSE(deframer.mid_message());
  }
}

TEST(GrpcFraming, refuses_compressed_unknown_and_too_large_messages_by_their_prefix) {
  EXPECT_EQ(GrpcDeframer().feed(std::string("\1\0\0\0\1x", 6)).error().code, base::ErrorCode::unsupported);
  EXPECT_EQ(GrpcDeframer().feed(std::string("\2\0\0\0\1x", 6)).error().code, base::ErrorCode::invalid);
  EXPECT_TRUE(GrpcDeframer(10).feed(frame_grpc_message(std::string(10, 'x'))));
  EXPECT_EQ(GrpcDeframer(10).feed(frame_grpc_message(std::string(11, 'x')).substr(0, 5)).error().code, base::ErrorCode::too_large);
  GrpcDeframer half;
  EXPECT_TRUE(half.feed(std::string("\0\0\0", 3)));
  EXPECT_TRUE(half.mid_message());
  EXPECT_FALSE(half.next());
}

// grpc doc/PROTOCOL-HTTP2.md, "Percent-Byte".
TEST(GrpcText, encodes_messages_as_the_protocol_says) {
  EXPECT_EQ(encode_grpc_message("all of it: ~!"), "all of it: ~!");
  EXPECT_EQ(encode_grpc_message("100% \xC3\xA9\r\n"), "100%25 %C3%A9%0D%0A");
  EXPECT_EQ(encode_grpc_message(" x "), "%20x%20");
  EXPECT_EQ(decode_grpc_message("100%25 %C3%A9%0D%0A"), "100% \xC3\xA9\r\n");
  EXPECT_EQ(decode_grpc_message("50% of %zz%4"), "50% of %zz%4") << "malformed parts are kept";
}

TEST(GrpcText, reads_timeouts_in_all_units) {
  EXPECT_EQ(parse_grpc_timeout("7999980u"), 7999980us);  // what go-livepeer's Ping sends
  EXPECT_EQ(parse_grpc_timeout("1H"), 1h);
  EXPECT_EQ(parse_grpc_timeout("2M"), 2min);
  EXPECT_EQ(parse_grpc_timeout("3S"), 3s);
  EXPECT_EQ(parse_grpc_timeout("4m"), 4ms);
  EXPECT_EQ(parse_grpc_timeout("5n"), 5ns);
  EXPECT_TRUE(parse_grpc_timeout("99999999H"));
  for (const char* text : {"", "S", "1", "1s", "-1S", "+1S", "123456789S", "1 S", "1.5S"}) EXPECT_FALSE(parse_grpc_timeout(text)) << text;
  EXPECT_EQ(format_grpc_timeout(1500ms), "1500m");
  EXPECT_EQ(format_grpc_timeout(std::chrono::hours(100)), "360000S");
}

struct Node {
  Node() {
    service.unary("/test.Echo/Echo", [](std::string message, const Request&) -> Task<GrpcReply> { co_return message; });
    service.unary("/test.Echo/Fail", [](std::string, const Request&) -> Task<GrpcReply> {
      co_return tl::unexpected(GrpcStatus{GrpcCode::permission_denied, "no: 100% \xC3\xA9"});
    });
    service.unary("/test.Echo/Slow", [this](std::string message, const Request&) -> Task<GrpcReply> {
      struct Left {
        ~Left() { left = true; }
        bool& left;
      };
      const Left guard{slow_left};
      boost::asio::steady_timer never(co_await boost::asio::this_coro::executor, std::chrono::steady_clock::time_point::max());
      co_await never.async_wait(boost::asio::use_awaitable);
      co_return message;
    });
  }
  base::Result<GrpcAnswer> call(std::string path, std::string message, std::chrono::milliseconds timeout = 10s) {
    return run(loop, grpc_call(client, server.url(""), std::move(path), std::move(message), trust(), timeout));
  }
  bool slow_left = false;
  boost::asio::io_context loop;
  GrpcService service;
  TestServer server{loop, [this](Request& request, Response& response) { return service.handle(request, response); }};
  Client client{loop.get_executor()};
};

TEST(Grpc, carries_a_message_there_and_back) {
  Node node;
  const auto answer = node.call("/test.Echo/Echo", "hello").value();
  EXPECT_EQ(answer.message, "hello");
  EXPECT_EQ(answer.peer_pin, testing::identity().pin);
  EXPECT_EQ(node.call("/test.Echo/Echo", std::string(kMaxGrpcMessageBytes, 'x')).value().message.size(), kMaxGrpcMessageBytes);
  EXPECT_EQ(node.call("/test.Echo/Echo", std::string(kMaxGrpcMessageBytes + 1, 'x')).error().code, base::ErrorCode::exhausted);
}

TEST(Grpc, gives_the_servers_own_words_as_the_error) {
  Node node;
  const auto failed = node.call("/test.Echo/Fail", "").error();
  EXPECT_EQ(failed.code, base::ErrorCode::forbidden);
  EXPECT_EQ(failed.message, "no: 100% \xC3\xA9");
  EXPECT_EQ(node.call("/test.Echo/None", "").error().code, base::ErrorCode::unsupported);
}

TEST(Grpc, cancels_the_method_when_the_callers_time_is_over) {
  Node node;
  EXPECT_EQ(node.call("/test.Echo/Slow", "", 50ms).error().code, base::ErrorCode::timeout);
  EXPECT_EQ(node.call("/test.Echo/Echo", "x").value().message, "x");
  EXPECT_TRUE(node.slow_left);
}

// The header facts that were recorded on a go-livepeer node: headers then trailers, for errors too.
TEST(Grpc, answers_with_the_headers_of_a_livepeer_node) {
  Node node;
  for (const bool good : {true, false}) {
    ClientRequest request;
    request.method = "POST";
    request.url = node.server.url(good ? "/test.Echo/Echo" : "/test.Echo/Fail");
    request.headers = {{"content-type", "application/grpc"}, {"te", "trailers"}};
    request.body = frame_grpc_message("x");
    request.trust = trust();
    auto response = run(node.loop, node.client.send(std::move(request))).value();
    EXPECT_EQ(response.status(), 200);
    EXPECT_EQ(response.headers().get("content-type"), "application/grpc");
    EXPECT_EQ(response.headers().all("trailer"), (std::vector<std::string_view>{"Grpc-Status", "Grpc-Message", "Grpc-Status-Details-Bin"}));
    EXPECT_FALSE(response.headers().contains("grpc-status"));
    EXPECT_EQ(run(node.loop, response.read_all(100)).value(), good ? frame_grpc_message("x") : "");
    EXPECT_EQ(response.trailers().get("grpc-status"), good ? "0" : "7");
    EXPECT_EQ(response.trailers().contains("grpc-message"), !good);
  }
}

TEST(Grpc, needs_tls_and_a_grpc_answer) {
  Node node;
  EXPECT_EQ(run(node.loop, grpc_call(node.client, node.server.url("", false), "/x", "", {}, 1s)).error().code,
            base::ErrorCode::unsupported);
  TestServer web(node.loop, [](Request&, Response& response) -> Task<void> { (void)co_await response.send(503, {}, "busy"); });
  EXPECT_EQ(run(node.loop, grpc_call(node.client, web.url(""), "/x", "", trust(), 1s)).error().code, base::ErrorCode::unavailable);
}

}  // namespace
}  // namespace kinora::net
