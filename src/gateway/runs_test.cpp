// /v1/runs and /v1/workflows as a client sees them.
#include "gateway/test_gateway.hpp"

namespace kinora::gateway {
namespace {

class Runs : public GatewayTest {
 protected:
  Runs() {
    *work = [](jobs::AttemptRequest, jobs::AttemptObserver) -> net::Task<jobs::AttemptOutcome> { co_return pinged(); };
  }
  HttpAnswer start(std::string_view body, net::Headers headers = {}) { return post("/v1/runs", json::parse(body), std::move(headers)); }
  HttpAnswer wait(const std::string& id) { return get("/v1/runs/" + id + "?wait_s=20"); }
  static std::string id_of(const HttpAnswer& answer) { return std::string(answer["id"].as_string()); }
};

constexpr std::string_view kTwo = R"({"name":"two","steps":[{"id":"a","task":"ping"},{"id":"b","task":"ping","needs":["a"]}],
  "outputs":{"who":{"$ref":"steps.b.output.ping"}}})";

TEST_F(Runs, are_accepted_followed_and_listed) {
  const auto made = start(kTwo);
  ASSERT_EQ(made.status, 202) << made.body;
  const std::string id = id_of(made);
  EXPECT_EQ(made.headers.get("location"), "/v1/runs/" + id);
  const auto done = wait(id);
  EXPECT_EQ(done["status"], "succeeded") << done.body;
  EXPECT_EQ(done["progress"].at("fraction"), 1.0);
  EXPECT_EQ(done["steps"].at("b").at("status"), "succeeded");
  EXPECT_TRUE(done["outputs"].as_object().contains("who"));
  const auto listed = get("/v1/runs?status=succeeded");
  ASSERT_EQ(listed["data"].as_array().size(), 1u);
  EXPECT_EQ(listed["data"].at(0).at("id"), json::value(id));
  EXPECT_EQ(get("/v1/jobs?run_id=" + id)["data"].as_array().size(), 2u);
  EXPECT_EQ(get("/v1/runs/" + id + "/steps")["data"].as_array().size(), 2u);
  EXPECT_EQ(get("/v1/runs/" + id + "/steps/a/0")["status"], "succeeded");
  EXPECT_EQ(get("/v1/runs/" + id + "/steps/a/1").status, 404);
  EXPECT_EQ(get("/v1/runs/" + id + "/graph")["edges"].at(0).at("from"), "a");
}

TEST_F(Runs, tell_their_events_with_a_seq_without_gaps) {
  const std::string id = id_of(start(kTwo));
  wait(id);
  const auto events = get("/v1/events?subject=" + id + "&order=asc&limit=100");
  std::int64_t seq = 0;
  for (const json::value& event : events["data"].as_array()) EXPECT_EQ(event.at("seq").to_number<std::int64_t>(), ++seq);
  EXPECT_EQ(events["data"].at(0).at("type"), "run.created");
  EXPECT_EQ(events["data"].as_array().back().at("type"), "run.succeeded");
  const auto stream = get("/v1/runs/" + id + "/events", {{"accept", "text/event-stream"}});
  EXPECT_NE(stream.body.find("event: snapshot"), std::string::npos);
  EXPECT_NE(stream.body.find("event: end"), std::string::npos);
}

TEST_F(Runs, are_refused_whole_with_pointers) {
  const auto type =
      start(R"({"steps":[{"id":"a","task":"ping"},{"id":"t","task":"thumbnail","input":{"video":{"$ref":"steps.a.output.nope"}}}]})");
  EXPECT_EQ(type.status, 422);
  EXPECT_EQ(type.code(), "workflow_type_error");
  EXPECT_EQ(type["errors"].at(0).at("pointer"), "/steps/1/input/video");
  EXPECT_EQ(start(R"({"steps":[{"id":"a","task":"ping","needs":["a"]}]})").code(), "workflow_cycle");
  EXPECT_EQ(start(R"({"steps":[{"id":"a","task":"ping","x":1}]})").status, 400);
  EXPECT_TRUE(get("/v1/runs")["data"].as_array().empty());
  EXPECT_EQ(post("/v1/workflows/validate", json::parse(kTwo))["valid"], true);
}

TEST_F(Runs, are_made_once_for_an_idempotency_key) {
  const auto first = start(kTwo, {{"idempotency-key", "k1"}}), second = start(kTwo, {{"idempotency-key", "k1"}});
  EXPECT_EQ(first["id"], second["id"]);
  EXPECT_EQ(second.headers.get("idempotency-replayed"), "true");
}

TEST_F(Runs, wait_at_gates_pause_cancel_and_run_again) {
  const std::string id = id_of(start(R"({"steps":[{"id":"ok","gate":{"type":"manual"}},{"id":"a","task":"ping","needs":["ok"]}]})"));
  EXPECT_EQ(get("/v1/runs/" + id)["steps"].at("ok").at("status"), "waiting");
  EXPECT_EQ(post("/v1/runs/" + id + "/pause", json::object())["status"], "paused");
  EXPECT_EQ(post("/v1/runs/" + id + "/resume", json::object())["status"], "running");
  EXPECT_EQ(post("/v1/runs/" + id + "/steps/ok/reject", json::object())["status"], "failed");
  EXPECT_EQ(post("/v1/runs/" + id + "/steps/ok/approve", json::object()).status, 409);
  EXPECT_EQ(post("/v1/runs/" + id + "/retry", json::object())["generation"], 2);
  EXPECT_EQ(post("/v1/runs/" + id + "/steps/ok/approve", {{"comment", "fine"}}).status, 200);
  EXPECT_EQ(wait(id)["status"], "succeeded");
  const std::string other = id_of(start(R"({"steps":[{"id":"go","gate":{"type":"event","name":"paid"}}]})"));
  EXPECT_EQ(post("/v1/runs/" + other + "/signals/nope", json::object()).status, 404);
  EXPECT_EQ(post("/v1/runs/" + other + "/cancel", {{"reason", "enough"}})["status"], "canceled");
}

TEST_F(Runs, come_from_saved_workflows_of_a_pinned_version) {
  const json::value wanted{{"name", "saved"},
                           {"args_schema", {{"type", "object"}, {"properties", {{"n", {{"type", "integer"}}}}}, {"required", {"n"}}}},
                           {"definition", json::parse(R"({"steps":[{"id":"a","task":"ping"}],"outputs":{"n":{"$ref":"args.n"}}})")}};
  const auto saved = post("/v1/workflows", wanted);
  ASSERT_EQ(saved.status, 201) << saved.body;
  const std::string wf = id_of(saved);
  json::value newer = wanted;
  newer.as_object().erase("name");
  newer.as_object()["definition"] = json::parse(R"({"steps":[{"id":"b","task":"ping"}]})");
  EXPECT_EQ(post("/v1/workflows/" + wf + "/versions", newer)["version"], 2);
  EXPECT_EQ(get("/v1/workflows/" + wf + "/versions")["data"].as_array().size(), 2u);
  EXPECT_EQ(get("/v1/workflows/" + wf + "/versions/1")["digest"], saved["digest"]);
  EXPECT_EQ(start(R"({"workflow":")" + wf + R"(","version":1})").code(), "missing_field");
  const auto run = start(R"({"workflow":")" + wf + R"(","version":1,"args":{"n":4}})");
  EXPECT_EQ(wait(id_of(run))["outputs"].at("n"), 4);
  EXPECT_EQ(send("PATCH", "/v1/workflows/" + wf, R"({"name":"x"})", {{"content-type", "application/json"}, {"if-match", "\"1\""}}).status,
            412);
  EXPECT_EQ(send("DELETE", "/v1/workflows/" + wf).status, 204);
  EXPECT_EQ(get("/v1/workflows/" + wf).status, 404);
}

TEST_F(Runs, need_their_scopes_and_are_of_their_project_alone) {
  const net::Headers reader{{"authorization", key_with({"runs:read"})}};
  EXPECT_EQ(start(kTwo, reader).code(), "scope_missing");
  EXPECT_EQ(get("/v1/runs/run_01KE0000000000000000000001", reader).status, 404);
}

struct FullDisk : GatewayTest {
  static GatewaySettings settings() {
    GatewaySettings out;
    out.engine.disk_reserve_bytes = std::int64_t{1} << 60;  // no disk has that much room
    return out;
  }
  FullDisk() : GatewayTest(settings()) {}
};

TEST_F(FullDisk, takes_no_new_work_and_says_when_to_come_back) {
  EXPECT_EQ(post("/v1/jobs", json::parse(R"({"task":"ping"})")).code(), "no_capacity");
  for (const auto& [path, type] : {std::pair{"/v1/runs", "application/json"}, {"/v1/artifacts", "multipart/form-data; boundary=b"}}) {
    const auto refused = send("POST", path, std::string(kTwo), {{"content-type", type}});
    EXPECT_EQ(refused.status, 503) << path;
    EXPECT_EQ(refused.code(), "no_capacity") << path;
    EXPECT_EQ(refused.headers.get("retry-after"), "30") << path;
  }
  EXPECT_EQ(send("POST", "/v1/runs", std::string(kTwo), {{"content-type", "application/json"}, {"authorization", ""}}).status, 401);
  EXPECT_EQ(get("/v1/runs").status, 200);
}

}  // namespace
}  // namespace kinora::gateway
