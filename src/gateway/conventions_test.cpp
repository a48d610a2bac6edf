// The conventions of developer-api 5.1 and the keys of 5.10, black box.
#include "gateway/call.hpp"
#include "gateway/test_gateway.hpp"

namespace kinora::gateway {
namespace {

using Conventions = GatewayTest;
using Keys = GatewayTest;

TEST_F(Conventions, health_and_readiness_need_no_key) {
  EXPECT_EQ(get("/healthz", {{"authorization", ""}}).status, 200);
  EXPECT_EQ(get("/readyz", {{"authorization", ""}}).status, 200);
}

TEST_F(Conventions, everything_else_needs_a_key) {
  for (const auto* path : {"/v1/jobs", "/v1/jobs/job_01KE0000000000000000000001", "/v1/artifacts", "/v1/keys", "/v1/tasks", "/v1/models",
                           "/v1/capabilities", "/v1/artifacts/art_01KE0000000000000000000001/content"}) {
    const auto answer = get(path, {{"authorization", ""}});
    EXPECT_EQ(answer.status, 401) << path;
    EXPECT_EQ(answer.code(), "unauthenticated");
    EXPECT_EQ(answer.headers.get("content-type"), "application/problem+json");
    EXPECT_EQ(answer.headers.get("www-authenticate"), "Bearer");
  }
  EXPECT_EQ(get("/v1/jobs", {{"authorization", "Bearer gk_live_wrong"}}).status, 401);
}

TEST_F(Conventions, every_accepted_header_carries_the_key) {
  for (const auto* scheme : {"Bearer ", "Key ", "Token "})
    EXPECT_EQ(get("/v1/jobs", {{"authorization", scheme + key}}).status, 200) << scheme;
  EXPECT_EQ(get("/v1/jobs", {{"authorization", ""}, {"x-api-key", key}}).status, 200);
}

TEST_F(Conventions, every_answer_has_a_request_id_and_the_version) {
  const auto good = get("/v1/tasks");
  const auto bad = get("/v1/nowhere");
  for (const auto* answer : {&good, &bad}) {
    EXPECT_TRUE(base::is_id("req", answer->headers.get("x-request-id").value_or("")));
    EXPECT_EQ(answer->headers.get("api-version"), kApiVersion);
  }
  EXPECT_EQ(bad.status, 404);
  EXPECT_EQ(bad["request_id"], json::value(std::string(*bad.headers.get("x-request-id"))));
  EXPECT_EQ(get("/v1/tasks", {{"api-version", "1999-01-01"}}).status, 400);
  EXPECT_EQ(get("/v1/tasks", {{"api-version", "2026-11-01"}}).status, 200);
}

// W3C Trace Context, section 3.2.2.
TEST_F(Conventions, a_valid_traceparent_is_continued_and_another_replaced) {
  const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  EXPECT_EQ(get("/v1/tasks", {{"traceparent", trace}}).headers.get("traceparent"), trace);
  const auto fresh = get("/v1/tasks", {{"traceparent", "00-00000000000000000000000000000000-b7ad6b7169203331-01"}});
  EXPECT_EQ(fresh.headers.get("traceparent").value_or("").size(), 55u);
  EXPECT_NE(fresh.headers.get("traceparent"), "00-00000000000000000000000000000000-b7ad6b7169203331-01");
}

TEST_F(Conventions, a_known_path_with_another_method_is_405_with_what_is_allowed) {
  const auto answer = send("PATCH", "/v1/jobs");
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(answer["status"], json::value(405));
  EXPECT_EQ(answer.code(), "method_not_allowed");
  EXPECT_NE(answer.headers.get("allow").value_or("").find("POST"), std::string_view::npos);
}

TEST_F(Conventions, a_path_that_could_leave_its_folder_is_a_problem_like_every_other) {
  for (const auto* path : {"/v1/jobs/..", "/v1/%2e%2e/jobs", "/v1/jobs/%00"}) {
    const auto answer = get(path);
    EXPECT_EQ(answer.status, 400) << path;
    EXPECT_EQ(answer.code(), "invalid_field") << path;
    EXPECT_EQ(answer.headers.get("content-type"), "application/problem+json") << path;
    EXPECT_TRUE(answer.headers.contains("x-request-id")) << path;
  }
}

TEST_F(Conventions, bodies_that_are_not_json_or_too_large_are_refused_with_their_codes) {
  const net::Headers type{{"content-type", "application/json"}};
  EXPECT_EQ(send("POST", "/v1/jobs", "{", type).code(), "invalid_json");
  EXPECT_EQ(send("POST", "/v1/jobs", R"({"task":"ping","task":"probe"})", type).code(), "invalid_json");
  EXPECT_EQ(send("POST", "/v1/jobs", "{}", {{"content-type", "text/plain"}}).status, 415);
  const auto large = send("POST", "/v1/jobs", "\"" + std::string(kMaxJsonBytes, 'a') + "\"", type);
  EXPECT_EQ(large.status, 413);
  EXPECT_EQ(large.code(), "body_too_large");
  const std::string fits = R"({"task":"ping","metadata":{}})" + std::string(kMaxJsonBytes - 29, ' ');
  EXPECT_EQ(fits.size(), kMaxJsonBytes);
  EXPECT_EQ(send("POST", "/v1/jobs", fits, type).status, 202);
}

TEST_F(Conventions, unknown_query_parameters_are_refused_with_the_nearest_one) {
  const auto answer = get("/v1/jobs?limt=3");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.code(), "unknown_field");
  EXPECT_NE(answer.body.find("limit"), std::string::npos);
  EXPECT_EQ(get("/v1/jobs?limit=0").status, 400);
  EXPECT_EQ(get("/v1/jobs?limit=101").status, 400);
  EXPECT_EQ(get("/v1/jobs?limit=100").status, 200);
  EXPECT_EQ(get("/v1/jobs?order=up").status, 400);
}

TEST_F(Keys, are_created_with_their_secret_once_listed_without_and_deleted) {
  const auto made = post("/v1/keys", json::object{{"name", "ci"}, {"scopes", json::array{"jobs:read"}}});
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string secret(made["key"].as_string());
  const std::string id(made["id"].as_string());
  EXPECT_TRUE(base::is_id("key", id));
  EXPECT_TRUE(secret.starts_with(std::string(made["prefix"].as_string())));
  const auto list = get("/v1/keys");
  EXPECT_EQ(list["data"].as_array().size(), 2u);
  EXPECT_EQ(list.body.find(secret), std::string::npos);
  EXPECT_EQ(get("/v1/keys/" + id)["name"], "ci");
  EXPECT_EQ(get("/v1/jobs", {{"authorization", "Bearer " + secret}}).status, 200);
  EXPECT_EQ(send("DELETE", "/v1/keys/" + id).status, 204);
  EXPECT_EQ(get("/v1/jobs", {{"authorization", "Bearer " + secret}}).status, 401);
  EXPECT_EQ(send("DELETE", "/v1/keys/" + id).status, 404);
}

TEST_F(Keys, do_only_what_their_scopes_say) {
  const auto reader = key_with({"jobs:read"});
  EXPECT_EQ(get("/v1/jobs", {{"authorization", reader}}).status, 200);
  for (const auto* path : {"/v1/artifacts", "/v1/keys", "/v1/models"}) {
    const auto answer = get(path, {{"authorization", reader}});
    EXPECT_EQ(answer.status, 403) << path;
    EXPECT_EQ(answer.code(), "scope_missing");
  }
  EXPECT_EQ(post("/v1/jobs", json::object{{"task", "ping"}}, {{"authorization", reader}}).code(), "scope_missing");
}

TEST_F(Keys, cannot_give_away_more_than_they_hold) {
  const auto admin = key_with({"keys:admin", "jobs:read"});
  const auto make = [&](std::string scope) {
    return post("/v1/keys", json::object{{"name", "x"}, {"scopes", json::array{scope}}}, {{"authorization", admin}}).code();
  };
  EXPECT_EQ(make("jobs:read"), "");
  EXPECT_EQ(make("jobs:write"), "scope_missing");
  EXPECT_EQ(make("jobs:*"), "scope_missing");
}

TEST_F(Keys, wrong_bodies_are_refused_with_every_error_at_once) {
  const auto answer = post("/v1/keys", json::object{{"scopes", json::array{"job:read"}}, {"budget", json::object{}}, {"nam", "x"}});
  EXPECT_EQ(answer.status, 400);
  std::vector<std::string> pointers;
  for (const auto& error : answer["errors"].as_array()) pointers.emplace_back(error.at("pointer").as_string());
  for (const auto* pointer : {"/name", "/scopes/0", "/budget", "/nam"})
    EXPECT_NE(std::ranges::find(pointers, pointer), pointers.end()) << pointer;
  EXPECT_NE(answer.body.find("jobs:read"), std::string::npos);  // did you mean
  EXPECT_EQ(post("/v1/keys", json::array{}).status, 400);
  EXPECT_EQ(post("/v1/keys", json::object{{"name", "x"}, {"scopes", json::array{}}, {"expires_at", "2020-01-01T00:00:00Z"}}).status, 400);
}

TEST_F(Keys, are_held_to_their_tasks_and_models) {
  const auto made = post("/v1/keys", json::object{{"name", "x"}, {"scopes", json::array{"jobs:write"}}, {"tasks", json::array{"probe"}}});
  const std::string limited = "Bearer " + std::string(made["key"].as_string());
  EXPECT_EQ(post("/v1/jobs", json::object{{"task", "ping"}}, {{"authorization", limited}}).code(), "forbidden");
}

TEST_F(Keys, a_repeated_creation_with_an_idempotency_key_makes_one_key_and_shows_its_secret_once) {
  const json::object body{{"name", "once"}, {"scopes", json::array{}}};
  const auto first = post("/v1/keys", body, {{"idempotency-key", "k1"}});
  const auto second = post("/v1/keys", body, {{"idempotency-key", "k1"}});
  ASSERT_EQ(first.status, 201);
  EXPECT_EQ(second.status, 201);
  EXPECT_EQ(second["id"], first["id"]);
  EXPECT_EQ(second.headers.get("idempotency-replayed"), "true");
  EXPECT_FALSE(second.value.as_object().contains("key"));
  const auto other = post("/v1/keys", json::object{{"name", "other"}, {"scopes", json::array{}}}, {{"idempotency-key", "k1"}});
  EXPECT_EQ(other.status, 422);
  EXPECT_EQ(other.code(), "idempotency_mismatch");
  EXPECT_EQ(post("/v1/keys", body, {{"idempotency-key", std::string(256, 'k')}}).status, 400);
}

TEST_F(Keys, outlive_a_restart_and_the_first_one_is_made_once) {
  close();
  open();
  EXPECT_EQ(get("/v1/jobs").status, 200);
  EXPECT_EQ(get("/v1/keys")["data"].as_array().size(), 1u);
}

}  // namespace
}  // namespace kinora::gateway
