#include "gateway/test_gateway.hpp"

#include <boost/asio/steady_timer.hpp>
#include <fstream>

namespace kinora::gateway {
namespace {

// A file that begins as a PNG is a picture of 4x2, one that begins with MOV a video of 320x180 and 10 s; BLANK in it makes it blank,
// STILL motionless, CRASH kills the program, SLOW keeps it busy while a file "slow" lies beside it; all else is no media.
constexpr std::string_view kMediaTool = R"sh(#!/bin/sh
request=$(cat)
path=$(printf '%s' "$request" | sed 's/.*"input":"\([^"]*\)".*/\1/')
fail() {
  printf '{"type":"error","error":{"code":"%s","fault":"client","retryable":false,"detail":"%s"}}\n' "$1" "$2"
  exit 1
}
[ -s "$path" ] || fail input_invalid "the file is empty"
blank=false
movement=3
grep -q CRASH "$path" && kill -SEGV $$
while grep -q SLOW "$path" && [ -e "$(dirname "$0")/slow" ]; do sleep 0.05; done
grep -q BLANK "$path" && blank=true
grep -q STILL "$path" && movement=0.1
case "$(head -c 4 "$path" | od -An -tx1 | tr -d ' \n')" in
  89504e47) media='{"format":"png_pipe","bytes":1,"streams":[{"type":"video","codec":"png","width":4,"height":2}],"width":4,"height":2}'
            decoded='"width":4,"height":2,"frames":1,"duration_s":0' ;;
  4d4f5620) media='{"format":"mov,mp4,m4a,3gp,3g2,mj2","duration_s":10,"streams":[{"type":"video","codec":"h264","frames":250},{"type":"audio"}],"width":320,"height":180,"fps":25}'
            decoded='"width":320,"height":180,"frames":250,"duration_s":10' ;;
  4d4f5632) media='{"format":"mov,mp4,m4a,3gp,3g2,mj2","duration_s":10,"streams":[{"type":"video","codec":"h264","frames":250},{"type":"audio"}],"width":640,"height":360,"fps":25}'
            decoded='"width":640,"height":360,"frames":250,"duration_s":10' ;;
  56564320) fail unsupported_media "no decoder for vvc" ;;
  *) fail input_invalid "this is no media that can be read" ;;
esac
printf '{"type":"result","outputs":{"media":%s,"decoded":{%s,"corrupt_frames":0,"blank":%s,"movement":%s}},"files":[],"metrics":{}}\n' "$media" "$decoded" "$blank" "$movement"
)sh";

}  // namespace

std::string HttpAnswer::code() const {
  if (!value.is_object()) return {};
  const json::value* found = value.as_object().if_contains("code");
  return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
}

std::string tiny_png() { return "\x89PNG\r\n\x1a\n"; }

jobs::AttemptOutcome pinged() {
  tasks::TaskResult result;
  result.outputs["ping"] = json::object{{"worker", "test"}};
  return jobs::outcome::Succeeded{std::move(result), "https://node"};
}

jobs::Task<jobs::AttemptOutcome> TestWorker::run(jobs::AttemptRequest request, jobs::AttemptObserver observer) {
  links.complete(request.order, base::wall_clock());
  if (observer.on_node) observer.on_node("https://node");
  observer.on_event(tasks::Accepted{"worker", "cpu", 0});
  tasks::Progress progress;
  progress.stage = "run";
  observer.on_event(progress);
  if (*work) co_return co_await (*work)(std::move(request), std::move(observer));
  co_return pinged();
}

GatewayTest::GatewayTest(GatewaySettings settings) : settings_(std::move(settings)) {
  settings_.data_dir = folder / "data";
  const auto tool = folder / "kinora-media";
  std::ofstream(tool) << kMediaTool;
  std::filesystem::permissions(tool, std::filesystem::perms::owner_all);
  open();
}

GatewayTest::~GatewayTest() { close(); }

void GatewayTest::open() {
  Network network;
  network.make_executor = [this](const OrderLinks& links) { return std::make_unique<TestWorker>(links, work); };
  network.nodes = []() -> net::Task<std::vector<market::NodeStatus>> {
    market::CapabilityStatus ping, bare, model, pictures;
    ping.name = "ping";
    bare.name = "video-upscale";
    model.name = "video-upscale:kinora-sr2x";
    pictures.name = "image-upscale:kinora-sr2x";
    for (auto* capability : {&ping, &bare, &model, &pictures}) capability->capacity = capability->free = 2;
    market::NodeStatus node;
    node.url = "https://node";
    node.reachable = true;
    node.capabilities = {ping, bare, model, pictures};
    co_return std::vector{node};
  };
  network.nodes_for = [nodes = network.nodes](std::string, std::string) { return nodes(); };
  proc::MediaToolSettings tool;
  tool.program = folder / "kinora-media";
  auto opened = Gateway::open(context.get_executor(), settings_, proc::MediaTool(context.get_executor(), tool), std::move(network),
                              [this] { return base::wall_clock() + skew; });
  ASSERT_TRUE(opened) << opened.error().message;
  gateway = std::move(*opened);
  net::ServerSettings listen;
  listen.plain_on_loopback = true;
  server = std::make_unique<net::Server>(context.get_executor(), listen, gateway->handler());
  ASSERT_TRUE(server->listen());
  server_ended = false;
  boost::asio::co_spawn(context, server->run(), [this](std::exception_ptr) { server_ended = true; });
  url = "http://127.0.0.1:" + std::to_string(server->port());
  gateway->set_address({url, ""});
  const auto first = run(gateway->ensure_first_key());
  ASSERT_TRUE(first) << first.error().message;
  if (*first) key = **first;
  const auto started = run(gateway->start());
  ASSERT_TRUE(started) << started.error().message;
}

void GatewayTest::close() {
  if (!gateway) return;
  client.close();
  server->stop(std::chrono::milliseconds(0));
  run_until([this] { return server_ended; });
  run(gateway->stop());
  server.reset();
  gateway.reset();
}

void GatewayTest::run_until(std::function<bool()> done) {
  context.restart();
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  bool reached = false;
  while (!(reached = done()) && std::chrono::steady_clock::now() < end) context.run_one_for(std::chrono::milliseconds(100));
  EXPECT_TRUE(reached) << "not done within 10 s";
}

net::Task<HttpAnswer> GatewayTest::request(std::string method, std::string target, std::string body, net::Headers headers) {
  net::ClientRequest out;
  out.method = std::move(method);
  out.url = target.starts_with('/') ? url + target : target;
  out.headers = std::move(headers);
  if (const auto given = out.headers.get("authorization"); !given)
    out.headers.set("authorization", "Bearer " + key);
  else if (given->empty())
    out.headers.erase("authorization");
  out.body = std::move(body);
  HttpAnswer answer;
  auto response = co_await client.send(std::move(out));
  if (!response) {
    answer.body = response.error().message;
    co_return answer;
  }
  answer.status = response->status();
  answer.headers = response->headers();
  auto text = co_await response->read_all(1 << 26);
  if (text) answer.body = std::move(*text);
  if (auto value = base::parse_json(answer.body)) answer.value = std::move(*value);
  co_return answer;
}

HttpAnswer GatewayTest::send(std::string method, std::string target, std::string body, net::Headers headers) {
  return run(request(std::move(method), std::move(target), std::move(body), std::move(headers)));
}

HttpAnswer GatewayTest::post(std::string target, const json::value& body, net::Headers headers) {
  headers.set("content-type", "application/json");
  return send("POST", std::move(target), json::serialize(body), std::move(headers));
}

std::string GatewayTest::upload(std::string bytes, std::string filename, std::string mime) {
  const auto made = post("/v1/media/uploads", json::object{{"filename", filename}, {"mime", mime}});
  EXPECT_EQ(made.status, 201) << made.body;
  const auto put = send("PUT", std::string(made["single"].at("url").as_string()), std::move(bytes), {{"authorization", ""}});
  EXPECT_EQ(put.status, 200) << put.body;
  const auto done = post("/v1/media/uploads/" + std::string(made["id"].as_string()) + "/complete", json::object{});
  EXPECT_EQ(done.status, 200) << done.body;
  return std::string(done["artifact"].as_string());
}

std::string GatewayTest::key_with(std::vector<std::string> scopes) {
  const auto made = post("/v1/keys", json::object{{"name", "test"}, {"scopes", json::value_from(scopes)}});
  EXPECT_EQ(made.status, 201) << made.body;
  return "Bearer " + std::string(made["key"].as_string());
}

}  // namespace kinora::gateway
