// The orchestrator's HTTP and gRPC face over loopback TLS, against messages recorded from a reference node.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/bytes.hpp"
#include "market/loopback.hpp"
#include "wire/messages.hpp"

namespace kinora::loopback {
namespace {

// The header of the recorded off-chain job: capability echo, 10 s.
constexpr auto kRecordedJob =
    "eyJyZXF1ZXN0Ijoie1wicnVuXCI6XCJlY2hvXCJ9IiwicGFyYW1ldGVycyI6Int9IiwiY2FwYWJpbGl0eSI6ImVjaG8iLCJ0aW1lb3V0X3NlY29uZHMiOjEwfQ==";

std::string recorded(const std::string& file) {
  std::ifstream in(std::filesystem::path(KINORA_SOURCE_DIR) / "tests/golden/wire" / file, std::ios::binary);
  EXPECT_TRUE(in) << file;
  return {std::istreambuf_iterator<char>(in), {}};
}

// The container of the recording: echoes, fails with 418 on /fail and 500 on /err, streams on /sse.
Task<void> echo_container(TestWorker&, net::Request& request, net::Response& response) {
  const auto body = co_await request.body->read_all(1 << 20);
  if (request.path == "/sse") {
    co_await response.start(200, {{"content-type", "text/event-stream"}});
    co_await response.write("data: {\"n\":0}\n\n");
    co_await response.write("data: {\"n\":1}\n\ndata: [DO");
    co_await response.write("NE]\n\n");
    co_await response.finish();
    co_return;
  }
  std::string answer = R"({"echo": ")";
  for (const char c : *body) answer += c == '"' ? std::string("\\\"") : std::string(1, c);
  answer += R"(", "path": ")" + request.path + "\"}";
  const int status = request.path == "/fail" ? 418 : request.path == "/err" ? 500 : 200;
  co_await response.send(status, {{"content-type", "application/json"}, {"x-metadata", "m1"}}, answer);
}

wire::Registration echo(const TestWorker& worker, std::int64_t capacity = 2) {
  auto registration = worker.registration(capacity);
  registration.name = "echo";
  registration.url.resize(registration.url.rfind('/'));
  registration.ttl_s = 0;
  return registration;
}

struct OrchestratorLoop : testing::Test {
  Loop loop;
  base::UnixMillis now = base::wall_clock();
  TestOrchestrator orchestrator{loop, new_identity(), 0, {}, [this] { return now; }};

  struct Answer {
    int status = 0;
    net::Headers headers;
    std::string body;
  };
  Task<Answer> exchange(net::ClientRequest request) {
    request.url = orchestrator.url() + request.url;
    request.trust = net::TlsTrust::pinned(orchestrator.pin());
    auto sent = co_await orchestrator.client().send(std::move(request));
    if (!sent) throw std::runtime_error(sent.error().message);
    Answer answer{sent->status(), sent->headers(), {}};
    answer.body = (co_await sent->read_all(4 << 20)).value_or("broken");
    co_return answer;
  }
  Answer post(std::string path, std::string body, net::Headers headers = {}) {
    return loop.run(exchange({.method = "POST", .url = std::move(path), .headers = std::move(headers), .body = std::move(body)}));
  }
  Answer get(std::string path, net::Headers headers = {}) {
    return loop.run(exchange({.method = "GET", .url = std::move(path), .headers = std::move(headers)}));
  }
  Answer job(std::string path, std::string header = kRecordedJob, std::string body = "{\"hi\":1}") {
    return post("/process/request/" + path, std::move(body), {{"livepeer", std::move(header)}, {"content-type", "application/json"}});
  }
  static std::string header_of(std::string id, std::string capability = "echo", std::int64_t timeout_s = 10) {
    return wire::format_job_header({std::move(id), "{}", "{}", std::move(capability), "", "", timeout_s});
  }
  base::Result<net::GrpcAnswer> call(std::string method, std::string message) {
    return loop.run(net::grpc_call(orchestrator.client(), orchestrator.url(), "/net.Orchestrator/" + method, std::move(message),
                                   net::TlsTrust::pinned(orchestrator.pin()), 5s));
  }
};

TEST_F(OrchestratorLoop, registration_answers_as_the_recorded_node) {
  const auto refused = post("/capability/register", recorded("byoc-offchain/00-request.bin"), {{"authorization", "wrong"}});
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.body, recorded("byoc-offchain/00-response.bin"));
  EXPECT_EQ(refused.headers.get("content-type"), "text/plain; charset=utf-8");
  EXPECT_EQ(refused.headers.get("x-content-type-options"), "nosniff");
  const auto accepted = post("/capability/register", recorded("byoc-offchain/01-request.bin"), {{"authorization", kSecret}});
  EXPECT_EQ(accepted.status, 200);
  EXPECT_EQ(accepted.body, recorded("byoc-offchain/01-response.bin"));
  EXPECT_EQ(accepted.headers.get("content-type"), "application/json");
  const auto gone = post("/capability/unregister", recorded("byoc-offchain/11-request.bin"), {{"authorization", kSecret}});
  EXPECT_EQ(gone.status, 200);
  EXPECT_EQ(gone.body, recorded("byoc-offchain/11-response.bin"));
  EXPECT_TRUE(orchestrator.role().status().empty());
}

TEST_F(OrchestratorLoop, unregistering_needs_the_secret) {
  EXPECT_EQ(post("/capability/unregister", "echo").status, 400);
  EXPECT_EQ(post("/capability/unregister", "two words", {{"authorization", kSecret}}).status, 400);
}

TEST_F(OrchestratorLoop, a_registration_past_its_size_is_refused) {
  const auto answer = post("/capability/register", std::string(orchestrator::kMaxRegistrationBytes + 1, ' '), {{"authorization", kSecret}});
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(post("/capability/register", "{}", {{"authorization", kSecret}}).status, 400);
}

TEST_F(OrchestratorLoop, a_job_answers_as_the_recorded_node) {
  TestWorker worker(loop, "w", echo_container);
  ASSERT_EQ(orchestrator.enlist(echo(worker)), 200);
  const auto answer = job("echo");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, recorded("byoc-offchain/10-response.bin"));
  EXPECT_EQ(answer.headers.get("content-type"), "application/json");
  EXPECT_EQ(answer.headers.get("livepeer-balance"), "0");
  EXPECT_EQ(answer.headers.get("x-metadata"), "m1");
  EXPECT_EQ(worker.authorization, std::string("Bearer ") + kToken);
}

TEST_F(OrchestratorLoop, a_workers_errors_are_passed_on_as_text) {
  TestWorker worker(loop, "w", echo_container);
  ASSERT_EQ(orchestrator.enlist(echo(worker)), 200);
  const auto teapot = job("fail");
  EXPECT_EQ(teapot.status, 418);
  EXPECT_EQ(teapot.body, recorded("byoc-onchain/04-response.bin"));
  EXPECT_EQ(teapot.headers.get("content-type"), "text/plain; charset=utf-8");
  EXPECT_EQ(teapot.headers.get("x-metadata"), "m1");
  const auto broken = job("err");
  EXPECT_EQ(broken.status, 500);
  EXPECT_EQ(broken.body, recorded("byoc-onchain/06-response.bin") + (recorded("byoc-onchain/06-response.bin").ends_with('\n') ? "" : "\n"));
  EXPECT_EQ(orchestrator.role().status().at(0).jobs, 2u);
}

TEST_F(OrchestratorLoop, an_event_stream_gets_its_balance_before_the_end) {
  TestWorker worker(loop, "w", echo_container);
  ASSERT_EQ(orchestrator.enlist(echo(worker)), 200);
  const auto answer = job("sse");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.get("content-type"), "text/event-stream");
  EXPECT_EQ(answer.headers.get("livepeer-payment-balance"), "0");
  EXPECT_EQ(answer.body, "data: {\"n\":0}\n\ndata: {\"n\":1}\n\ndata: {\"balance\": 0.000}\n\ndata: [DONE]\n\n");
}

TEST_F(OrchestratorLoop, a_job_needs_its_header_and_a_known_capability) {
  EXPECT_EQ(post("/process/request/echo", "{}").status, 400);
  const auto unverified = job("echo", "nonsense");
  EXPECT_EQ(unverified.status, 400);
  EXPECT_TRUE(unverified.body.starts_with("Could not verify job creds"));
  const auto unknown = job("echo");
  EXPECT_EQ(unknown.status, 503);
  EXPECT_EQ(unknown.body, "No capacity available for capability\n");
}

TEST_F(OrchestratorLoop, an_order_past_its_size_is_refused) {
  TestWorker worker(loop, "w", echo_container);
  ASSERT_EQ(orchestrator.enlist(echo(worker)), 200);
  EXPECT_EQ(job("echo", kRecordedJob, std::string(orchestrator::kMaxOrderBytes + 1, 'x')).status, 413);
  EXPECT_EQ(job("echo", kRecordedJob, std::string(orchestrator::kMaxOrderBytes, 'x')).status, 200);
  EXPECT_EQ(worker.calls, 1);
}

TEST_F(OrchestratorLoop, more_jobs_than_slots_are_refused_until_one_ends) {
  bool go_on = false;
  TestWorker worker(loop, "w", [&](TestWorker&, net::Request&, net::Response& response) -> Task<void> {
    while (!go_on) co_await pause(1ms);
    co_await response.send(200, {}, "done");
  });
  ASSERT_EQ(orchestrator.enlist(echo(worker, 1)), 200);
  int first = 0;
  boost::asio::co_spawn(loop.executor(),
                        exchange({.method = "POST", .url = "/process/request/echo", .headers = {{"livepeer", kRecordedJob}}, .body = "{}"}),
                        [&](std::exception_ptr, const Answer& answer) { first = answer.status; });
  loop.until([&] { return worker.running == 1; });
  EXPECT_EQ(job("echo").status, 503);
  go_on = true;
  loop.until([&] { return first != 0; });
  EXPECT_EQ(first, 200);
  EXPECT_EQ(job("echo").status, 200);
}

TEST_F(OrchestratorLoop, a_worker_that_cannot_be_reached_is_replaced_and_removed) {
  TestWorker dead(loop, "dead", echo_container);
  TestWorker alive(loop, "alive", echo_container);
  ASSERT_EQ(orchestrator.enlist(echo(dead)), 200);
  auto other_name = echo(dead);
  other_name.name = "other";
  ASSERT_EQ(orchestrator.enlist(other_name), 200);
  ASSERT_EQ(orchestrator.enlist(echo(alive)), 200);
  dead.kill();
  // Attempts in turn reach both workers; each ends well.
  for (int i = 0; i < 4; ++i) EXPECT_EQ(job("echo").status, 200);
  EXPECT_EQ(alive.calls, 4);
  const auto status = orchestrator.role().status();
  ASSERT_EQ(status.size(), 1u) << "the dead worker's other name is gone, too";
  EXPECT_EQ(status[0].workers.size(), 1u);
}

TEST_F(OrchestratorLoop, the_last_worker_that_cannot_be_reached_is_an_error_and_removed) {
  TestWorker dead(loop, "dead", echo_container);
  ASSERT_EQ(orchestrator.enlist(echo(dead)), 200);
  dead.kill();
  EXPECT_EQ(job("echo").status, 500);
  EXPECT_EQ(job("echo").status, 503);
}

TEST_F(OrchestratorLoop, a_worker_that_shows_another_key_gets_no_job) {
  TestWorker worker(loop, "w", echo_container);
  auto registration = echo(worker);
  registration.tls_pin = new_identity().pin;
  ASSERT_EQ(orchestrator.enlist(registration), 200);
  EXPECT_EQ(job("echo").status, 500);
  EXPECT_EQ(worker.calls, 0);
}

TEST_F(OrchestratorLoop, a_worker_that_answers_401_loses_the_capability) {
  TestWorker worker(loop, "w",
                    [](TestWorker&, net::Request&, net::Response& response) -> Task<void> { co_await response.send(401, {}, "no"); });
  ASSERT_EQ(orchestrator.enlist(echo(worker)), 200);
  EXPECT_EQ(job("echo").status, 500);
  EXPECT_TRUE(orchestrator.role().status().empty());
}

TEST_F(OrchestratorLoop, a_busy_worker_is_passed_over_and_kept) {
  TestWorker full(loop, "full", busy());
  TestWorker worker(loop, "w", echo_container);
  ASSERT_EQ(orchestrator.enlist(echo(full)), 200);
  ASSERT_EQ(orchestrator.enlist(echo(worker)), 200);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(job("echo").status, 200);
  EXPECT_EQ(worker.calls, 3);
  EXPECT_EQ(orchestrator.role().status().at(0).workers.size(), 2u);
}

TEST_F(OrchestratorLoop, a_worker_that_fails_at_once_does_not_draw_all_jobs) {
  TestWorker bad(loop, "bad", [](TestWorker&, net::Request&, net::Response& response) -> Task<void> {
    co_await response.start(200, {{"content-type", "text/event-stream"}});
    co_await response.write(event_text(tasks::failure("worker_error", "it broke")) + "data: [DONE]\n\n");
    co_await response.finish();
  });
  TestWorker good(loop, "good", answering_after(5ms));
  ASSERT_EQ(orchestrator.enlist(echo(bad)), 200);
  ASSERT_EQ(orchestrator.enlist(echo(good)), 200);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(job("echo").status, 200);
  EXPECT_EQ(bad.calls, 1);
  EXPECT_EQ(good.calls, 9);
}

TEST_F(OrchestratorLoop, when_all_workers_are_busy_it_says_so) {
  TestWorker full(loop, "full", busy());
  ASSERT_EQ(orchestrator.enlist(echo(full)), 200);
  const auto answer = job("echo");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body, "No capacity available for capability\n");
}

TEST_F(OrchestratorLoop, a_repeated_attempt_reaches_the_same_worker) {
  std::vector<std::unique_ptr<TestWorker>> workers;
  for (int i = 0; i < 4; ++i) {
    workers.push_back(std::make_unique<TestWorker>(loop, "w", echo_container));
    ASSERT_EQ(orchestrator.enlist(echo(*workers.back())), 200);
  }
  for (int i = 0; i < 8; ++i) EXPECT_EQ(job("echo", header_of("att_1")).status, 200);
  int used = 0;
  for (const auto& worker : workers) used += worker->calls > 0 ? 1 : 0;
  EXPECT_EQ(used, 1);
  now += 11min;
  for (int i = 0; i < 4; ++i) EXPECT_EQ(job("echo", header_of("att_" + std::to_string(10 + i))).status, 200);
  used = 0;
  for (const auto& worker : workers) used += worker->calls > 0 ? 1 : 0;
  EXPECT_EQ(used, 4) << "different attempts take turns";
}

TEST_F(OrchestratorLoop, registrations_end_without_renewal) {
  TestWorker worker(loop, "w", echo_container);
  auto registration = echo(worker);
  registration.ttl_s = 15;
  ASSERT_EQ(orchestrator.enlist(registration), 200);
  now += 14s;
  EXPECT_EQ(job("echo").status, 200);
  now += 1s;
  EXPECT_EQ(job("echo").status, 503);
}

TEST_F(OrchestratorLoop, a_worker_that_answers_nothing_in_its_time_is_an_error) {
  TestWorker worker(loop, "w", [](TestWorker&, net::Request&, net::Response&) -> Task<void> { co_await pause(10s); });
  ASSERT_EQ(orchestrator.enlist(echo(worker)), 200);
  EXPECT_EQ(job("echo", header_of("att_1", "echo", 1)).status, 500);
  loop.until([&] { return worker.left == 1; });
  EXPECT_EQ(orchestrator.role().status().at(0).workers.at(0).in_use, 0u);
}

TEST(OrchestratorHeartbeat, fills_the_silence_of_a_plain_container_but_not_of_our_worker) {
  Loop loop;
  orchestrator::OrchestratorSettings settings;
  settings.heartbeat = 20ms;
  settings.silence_timeout = 40ms;
  TestOrchestrator orchestrator(loop, new_identity(), 0, settings);
  TestWorker worker(loop, "w", answering_after(500ms));
  auto registration = worker.registration();
  const net::Headers headers{{"livepeer", wire::format_job_header({"", "", "", "ping", "", "", 10})}};
  ASSERT_EQ(orchestrator.enlist(registration), 200);
  const auto silent = loop.run(orchestrator.post("/process/request/ping", "{}", headers)).second;
  EXPECT_EQ(silent.find(": hb"), std::string::npos);
  EXPECT_EQ(silent.find("[DONE]"), std::string::npos) << "it promised heartbeats and was silent too long";
  registration.ttl_s = 0;
  ASSERT_EQ(orchestrator.enlist(registration), 200);
  const auto filled = loop.run(orchestrator.post("/process/request/ping", "{}", headers)).second;
  EXPECT_NE(filled.find(": hb\n\n"), std::string::npos);
  EXPECT_NE(filled.find("[DONE]"), std::string::npos);
}

TEST(OrchestratorLimits, jobs_at_once_are_bounded) {
  Loop loop;
  orchestrator::OrchestratorSettings settings;
  settings.max_jobs = 1;
  TestOrchestrator orchestrator(loop, new_identity(), 0, settings);
  TestWorker worker(loop, "w", answering_after(10s));
  ASSERT_EQ(orchestrator.enlist(worker.registration(5)), 200);
  const net::Headers headers{{"livepeer", wire::format_job_header({"", "", "", "ping", "", "", 10})}};
  boost::asio::cancellation_signal stop;
  bool ended = false;
  boost::asio::co_spawn(loop.executor(), orchestrator.post("/process/request/ping", "{}", headers),
                        boost::asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr, const auto&) { ended = true; }));
  loop.until([&] { return worker.running == 1; });
  EXPECT_EQ(loop.run(orchestrator.post("/process/request/ping", "{}", headers)).first, 503);
  stop.emit(boost::asio::cancellation_type::terminal);
  loop.until([&] { return ended && worker.left == 1; });
}

TEST_F(OrchestratorLoop, recorded_address_headers_get_a_token_off_chain) {
  TestWorker worker(loop, "w", echo_container);
  auto registration = echo(worker, 3);
  registration.price = {1010, 1};
  ASSERT_EQ(orchestrator.enlist(registration), 200);
  // What an off-chain reference gateway sends and its own orchestrator refuses.
  constexpr auto kAddress = "eyJhZGRyIjoiMHgwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwIiwic2lnIjoiMHgifQ==";
  const auto answer = get("/process/token", {{"livepeer-eth-address", kAddress}, {"livepeer-capability", "echo"}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"sender_address":{"addr":"0x0000000000000000000000000000000000000000","sig":"0x"},)"
                         R"("price":{"pricePerUnit":1010,"pixelsPerUnit":1},"service_addr":")" +
                             orchestrator.url() + R"(","available_capacity":3,"LastNonce":0})" + "\n");
  const auto missing = get("/process/token", {{"livepeer-capability", "echo"}});
  EXPECT_EQ(missing.status, 400);
  EXPECT_EQ(missing.body, recorded("byoc-offchain/04-response.bin"));
  const auto invalid = get("/process/token", {{"livepeer-eth-address", "nonsense"}, {"livepeer-capability", "echo"}});
  EXPECT_EQ(invalid.status, 400);
  EXPECT_EQ(invalid.body, recorded("byoc-offchain/05-response.bin"));
}

TEST_F(OrchestratorLoop, discovery_answers_recorded_requests_with_token_and_constraints) {
  for (const auto* file : {"get-orchestrator-ai-offchain/00-req-0.pb.bin", "get-orchestrator-transcoding-offchain/00-req-0.pb.bin",
                           "get-orchestrator-onchain/00-req-0.pb.bin"}) {
    const auto answer = call("GetOrchestrator", recorded(file));
    ASSERT_TRUE(answer) << answer.error().message;
    wire::pb::OrchestratorInfo info;
    ASSERT_TRUE(info.ParseFromString(answer->message));
    EXPECT_EQ(info.transcoder(), orchestrator.url());
    EXPECT_TRUE(info.capabilities().has_constraints());
    EXPECT_EQ(info.auth_token().session_id().size(), 8u);
    EXPECT_EQ(info.auth_token().token().size(), 32u);
    EXPECT_EQ(info.auth_token().expiration(), std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count() + 1800);
    EXPECT_EQ(answer->peer_pin, orchestrator.pin());
  }
}

TEST_F(OrchestratorLoop, discovery_refuses_with_the_references_text) {
  wire::pb::OrchestratorRequest request;
  request.set_address("short");
  const auto answer = call("GetOrchestrator", request.SerializeAsString());
  ASSERT_FALSE(answer);
  EXPECT_NE(answer.error().message.find("Invalid orchestrator request: orchestrator req sig check failed"), std::string::npos);
  EXPECT_FALSE(call("GetOrchestrator", "\xff\xff"));
}

TEST_F(OrchestratorLoop, ping_answers_empty_off_chain) {
  const auto answer = call("Ping", recorded("ping-offchain/00-req-0.pb.bin"));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->message, recorded("ping-offchain/00-resp-0.pb.bin"));
}

TEST_F(OrchestratorLoop, a_session_is_ended_with_its_own_token_only) {
  wire::pb::OrchestratorInfo info;
  ASSERT_TRUE(info.ParseFromString(call("GetOrchestrator", "")->message));
  wire::pb::EndTranscodingSessionRequest request;
  *request.mutable_auth_token() = info.auth_token();
  const auto answer = call("EndTranscodingSession", request.SerializeAsString());
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->message, "");
  const auto foreign = call("EndTranscodingSession", recorded("end-transcoding-session/00-req-0.pb.bin"));
  ASSERT_FALSE(foreign);
  EXPECT_NE(foreign.error().message.find("Invalid auth token"), std::string::npos);
}

TEST_F(OrchestratorLoop, is_healthy) { EXPECT_EQ(get("/healthz").status, 200); }

TEST(OrchestratorSettings, need_a_secret) {
  Loop loop;
  net::Client client(loop.executor());
  EXPECT_THROW(orchestrator::Orchestrator(loop.executor(), {}, client), std::invalid_argument);
}

}  // namespace
}  // namespace kinora::loopback
