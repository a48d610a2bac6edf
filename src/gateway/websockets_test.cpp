// GET /v1/ws as a client sees it (developer-api 5.7).
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "base/bytes.hpp"
#include "gateway/test_gateway.hpp"

namespace kinora::gateway {
namespace {

namespace asio = boost::asio;

// A client of its own, with a mask of zeros: text frames out, JSON in.
class WsClient {
 public:
  WsClient(asio::io_context& loop, std::uint16_t port, std::string key) : loop_(loop), socket_(loop) {
    run_to_end(loop_, open(port, std::move(key)));
  }
  void send(const json::value& message) { run_to_end(loop_, write(json::serialize(message))); }
  json::value next() { return run_to_end(loop_, read()); }
  std::vector<std::string> binary;  // frames that came between the texts
  // Messages until one with that op.
  std::vector<json::value> until(std::string_view op) {
    std::vector<json::value> out;
    do out.push_back(next());
    while (out.back().at("op").as_string() != op);
    return out;
  }
  int status = 0;

 private:
  net::Task<void> open(std::uint16_t port, std::string key) {
    co_await socket_.async_connect({asio::ip::make_address("127.0.0.1"), port}, asio::use_awaitable);
    const std::string head = "GET /v1/ws HTTP/1.1\r\nhost: x\r\nauthorization: " + key +
                             "\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: "
                             "dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    co_await asio::async_write(socket_, asio::buffer(head), asio::use_awaitable);
    while (in_.find("\r\n\r\n") == std::string::npos) co_await more();
    status = std::stoi(in_.substr(9, 3));
    in_.erase(0, in_.find("\r\n\r\n") + 4);
  }
  net::Task<void> write(std::string text) {
    std::string frame = "\x81";
    if (text.size() < 126)
      frame += static_cast<char>(0x80 | text.size());
    else
      frame += {'\xfe', static_cast<char>(text.size() >> 8), static_cast<char>(text.size())};
    frame += std::string(4, '\0') + text;
    co_await asio::async_write(socket_, asio::buffer(frame), asio::use_awaitable);
  }
  net::Task<json::value> read() {
    for (;;) {
      const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(in_[i]); };
      if (in_.size() >= 2) {
        const std::size_t head = at(1) < 126 ? 2 : 4;
        if (in_.size() >= head) {
          const std::size_t size = at(1) < 126 ? at(1) : static_cast<std::size_t>(at(2)) << 8 | at(3);
          if (in_.size() >= head + size) {
            const auto kind = at(0);
            std::string payload = in_.substr(head, size);
            in_.erase(0, head + size);
            if (kind == 0x81) co_return json::parse(payload);
            if (kind == 0x82) binary.push_back(std::move(payload));
            continue;
          }
        }
      }
      co_await more();
    }
  }
  net::Task<void> more() {
    std::array<char, 4096> some;
    in_.append(some.data(), co_await socket_.async_read_some(asio::buffer(some), asio::use_awaitable));
  }
  asio::io_context& loop_;
  asio::ip::tcp::socket socket_;
  std::string in_;
};

class WebSocketEvents : public GatewayTest {
 protected:
  WsClient connect() { return {context, server->port(), "Bearer " + key}; }
  std::string submit() {
    const auto made = post("/v1/jobs", json::object{{"task", "ping"}});
    EXPECT_EQ(made.status, 202) << made.body;
    return std::string(made["id"].as_string());
  }
  // Until it is called the job stays at work.
  std::function<void()> hold_jobs() {
    auto gate = std::make_shared<net::Signal>(context.get_executor());
    auto open = std::make_shared<bool>(false);
    *work = [gate, open](jobs::AttemptRequest, jobs::AttemptObserver) -> net::Task<jobs::AttemptOutcome> {
      while (!*open) co_await gate->wait();
      co_return pinged();
    };
    return [gate, open] {
      *open = true;
      gate->notify();
    };
  }
};

TEST_F(WebSocketEvents, of_a_job_come_after_a_snapshot_without_a_gap_to_its_end) {
  const auto release = hold_jobs();
  const auto job = submit();
  auto client = connect();
  ASSERT_EQ(client.status, 101);
  client.send(json::object{{"op", "sub"}, {"id", "a"}, {"topics", json::array{"job:" + job}}});
  const auto ack = client.next();
  EXPECT_EQ(ack.at("op"), "ack");
  EXPECT_EQ(ack.at("id"), "a");
  const auto snapshot = client.next();
  EXPECT_EQ(snapshot.at("event").at("type"), "snapshot");
  EXPECT_EQ(snapshot.at("event").at("data").at("id").as_string(), job);
  release();
  const auto messages = client.until("end");
  std::int64_t seq = 0;
  for (const auto& one : messages) {
    if (one.at("op") != "event") continue;
    EXPECT_EQ(one.at("sub"), "a");
    const auto now = one.at("event").at("seq").as_int64();
    if (seq > 0) EXPECT_EQ(now, seq + 1);
    seq = now;
  }
  EXPECT_EQ(messages.at(messages.size() - 2).at("event").at("type"), "job.succeeded");
  EXPECT_EQ(messages.back().at("topic").as_string(), "job:" + job);
}

TEST_F(WebSocketEvents, of_a_preview_are_followed_by_its_picture_as_a_binary_frame) {
  const std::string picture("\xff\xd8\xff\xe0\0small", 10);
  auto gate = std::make_shared<net::Signal>(context.get_executor());
  auto open = std::make_shared<bool>(false);
  *work = [=](jobs::AttemptRequest, jobs::AttemptObserver observer) -> net::Task<jobs::AttemptOutcome> {
    observer.on_event(tasks::Accepted{"worker-1", "cpu", 0});
    tasks::Progress progress{0.5, "denoise", 3, 6, "step", std::nullopt, std::nullopt};
    progress.preview = base::to_base64(base::as_bytes(picture));
    observer.on_event(progress);
    while (!*open) co_await gate->wait();
    co_return pinged();
  };
  auto client = connect();
  client.send(json::object{{"op", "sub"}, {"id", "all"}, {"topics", json::array{"account"}}});
  client.next();
  const auto job = submit();
  json::value preview;
  while (preview.is_null())
    if (const auto one = client.next().at("event"); one.at("type") == "job.preview") preview = one.at("data");
  *open = true;
  gate->notify();
  while (client.next().at("event").at("type") != "job.succeeded") continue;
  ASSERT_EQ(client.binary.size(), 1u);
  const std::string& frame = client.binary[0];
  const std::size_t length = static_cast<std::uint8_t>(frame.at(2)) << 8 | static_cast<std::uint8_t>(frame.at(3));  // big-endian u32, small
  EXPECT_EQ(frame.substr(0, 2), std::string(2, '\0'));
  EXPECT_EQ(json::parse(frame.substr(4, length)),
            json::value(json::object{{"subject", job}, {"mime", "image/jpeg"}, {"step", 3}, {"at", preview.at("at")}}));
  EXPECT_EQ(frame.substr(4 + length), picture);
  EXPECT_EQ(get("/v1/artifacts/" + std::string(preview.at("artifact").as_string()) + "/content").body, picture);
  EXPECT_EQ(get("/v1/jobs/" + job)["previews"].as_array().size(), 1u);
}

TEST_F(WebSocketEvents, resume_after_an_offset_without_gap_or_repeat) {
  const auto job = submit();
  run_until([&] { return get("/v1/jobs/" + job)["status"] == "succeeded"; });
  auto client = connect();
  client.send(json::object{{"op", "sub"}, {"id", "a"}, {"topics", json::array{"job:" + job}}, {"after", 0}});
  const auto all = client.until("end");
  ASSERT_GT(all.size(), 4u);
  const auto offset = all.at(2).at("offset").as_int64();  // ack, event 1, event 2
  EXPECT_EQ(all.at(2).at("event").at("seq"), 2);
  client.send(json::object{{"op", "sub"}, {"id", "b"}, {"topics", json::array{"job:" + job}}, {"after", offset}});
  const auto rest = client.until("end");
  EXPECT_EQ(rest.at(1).at("event").at("seq"), 3);
  EXPECT_EQ(rest.size(), all.size() - 2);
}

TEST_F(WebSocketEvents, of_the_account_are_those_of_every_subject) {
  auto client = connect();
  client.send(json::object{{"op", "sub"}, {"id", "all"}, {"topics", json::array{"account"}}});
  EXPECT_EQ(client.next().at("op"), "ack");
  std::set<std::string> wanted{submit(), submit()};
  while (!wanted.empty()) {
    const auto one = client.next();
    if (one.at("event").at("type") == "job.succeeded") wanted.erase(std::string(one.at("event").at("subject").as_string()));
  }
}

TEST_F(WebSocketEvents, end_with_unsub) {
  auto client = connect();
  client.send(json::object{{"op", "sub"}, {"id", "all"}, {"topics", json::array{"account"}}});
  client.next();
  client.send(json::object{{"op", "unsub"}, {"id", "all"}});
  EXPECT_EQ(client.next().at("op"), "ack");
  const auto job = submit();
  run_until([&] { return get("/v1/jobs/" + job)["status"] == "succeeded"; });
  client.send(json::object{{"op", "ping"}, {"id", "p"}});
  EXPECT_EQ(client.next().at("id"), "p") << "nothing in between";
}

TEST_F(WebSocketEvents, answer_what_is_wrong_and_go_on) {
  auto client = connect();
  const auto code = [&](const json::value& message) {
    client.send(message);
    const auto answer = client.next();
    EXPECT_EQ(answer.at("op"), "error");
    return std::string(answer.at("error").at("code").as_string());
  };
  EXPECT_EQ(code("text"), "invalid_field");
  EXPECT_EQ(code(json::object{{"op", "dance"}, {"id", "x"}}), "invalid_field");
  EXPECT_EQ(code(json::object{{"op", "sub"}, {"id", "x"}}), "missing_field");
  EXPECT_EQ(code(json::object{{"op", "sub"}, {"id", "x"}, {"topics", json::array{"weather"}}}), "invalid_field");
  EXPECT_EQ(code(json::object{{"op", "sub"}, {"id", "x"}, {"topics", json::array{"account"}}, {"color", 1}}), "unknown_field");
  EXPECT_EQ(code(json::object{{"op", "sub"}, {"id", "x"}, {"topics", json::array{"job:job_01KE0000000000000000000001"}}}), "not_found");
  EXPECT_EQ(code(json::object{{"op", "sub"}, {"id", "x"}, {"topics", json::array{"account"}}, {"after", 1'000'000}}), "invalid_field");
  EXPECT_EQ(code(json::object{{"op", "unsub"}, {"id", "x"}}), "not_found");
  client.send(json::object{{"op", "ping"}});
  EXPECT_EQ(client.next().at("op"), "ack");
}

TEST_F(WebSocketEvents, are_bounded_by_the_number_of_topics) {
  auto client = connect();
  for (int i = 0; i < 100; ++i) {
    client.send(json::object{{"op", "sub"}, {"id", std::to_string(i)}, {"topics", json::array{"account"}}});
    EXPECT_EQ(client.next().at("op"), "ack");
  }
  client.send(json::object{{"op", "sub"}, {"id", "more"}, {"topics", json::array{"account"}}});
  EXPECT_EQ(client.next().at("error").at("code"), "rate_limited");
}

TEST_F(WebSocketEvents, need_a_key_with_the_scope) {
  EXPECT_EQ(WsClient(context, server->port(), "Bearer wrong").status, 401);
  EXPECT_EQ(WsClient(context, server->port(), key_with({"media:read"})).status, 403);
  EXPECT_EQ(get("/v1/ws").status, 426);
}

}  // namespace
}  // namespace kinora::gateway
