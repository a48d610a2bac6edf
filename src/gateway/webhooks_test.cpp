// Webhooks as a receiver sees them (developer-api 5.8): a real gateway, a real receiver on another port.
#include <set>

#include "base/time.hpp"
#include "gateway/test_gateway.hpp"
#include "gateway/webhook_signature.hpp"

namespace kinora::gateway {
namespace {

using namespace std::chrono_literals;

GatewaySettings to_anywhere() {
  GatewaySettings settings;
  settings.webhooks.reach = net::Reach::anywhere;
  return settings;
}

struct Received {
  std::string path;
  net::Headers headers;
  std::string body;
  json::value event;
  std::string text(std::string_view key) const { return std::string(event.at(key).as_string()); }
  std::string header(std::string_view name) const { return std::string(headers.get(name).value_or("")); }
};

class Webhooks : public GatewayTest {
 protected:
  Webhooks() : Webhooks(to_anywhere()) {}
  explicit Webhooks(GatewaySettings settings) : GatewayTest(std::move(settings)) {
    net::ServerSettings listen;
    listen.plain_on_loopback = true;
    receiver = std::make_unique<net::Server>(
        context.get_executor(), listen, [this](net::Request& request, net::Response& response) -> net::Task<void> {
          Received one{request.path, request.headers, (co_await request.body->read_all(1 << 20)).value_or(""), {}};
          one.event = json::parse(one.body);
          net::Headers headers;
          const int status = answer ? answer(one, headers) : 204;
          calls.push_back(one);
          if (status / 100 == 2) got.push_back(std::move(one));
          (void)co_await response.send(status, std::move(headers), status == 204 ? "" : "said the receiver\n");
        });
    EXPECT_TRUE(receiver->listen());
    boost::asio::co_spawn(context, receiver->run(), [this](std::exception_ptr) { receiver_ended = true; });
    hook = "http://127.0.0.1:" + std::to_string(receiver->port()) + "/hook";
  }
  ~Webhooks() override {
    answer = nullptr;  // it may refer to what the test has left
    receiver->stop(0ms);
    run_until([this] { return receiver_ended; });
  }

  json::object endpoint(json::object more = {}) {
    more["url"] = hook;
    const auto made = post("/v1/webhooks", more);
    EXPECT_EQ(made.status, 201) << made.body;
    return made.value.is_object() ? made.value.as_object() : json::object();
  }
  std::string ping(json::object more = {}) {
    more["task"] = "ping";
    more["wait_s"] = 10;
    const auto made = post("/v1/jobs", more);
    EXPECT_EQ(made.status, 200) << made.body;
    return std::string(made["id"].as_string());
  }
  // Moves the gateway's clock; its owner touching the endpoint makes it look at once.
  void tick(std::chrono::milliseconds time, const json::object& of) {
    skew += time;
    EXPECT_EQ(send("PATCH", "/v1/webhooks/" + id(of), "{}", {{"content-type", "application/json"}}).status, 200);
  }
  // The same between two moments in which everything that is due has been tried.
  void pass(std::chrono::milliseconds time, const json::object& of) {
    run_until([&] { return quiet(of); });
    tick(time, of);
    run_until([&] { return quiet(of); });
  }
  bool quiet(const json::object& of) {
    const auto list = deliveries(of);
    std::set<std::string> seen;
    return std::ranges::all_of(list, [&](const json::value& one) {
      if (one.at("state") != "pending" || !seen.emplace(one.at("subject").as_string()).second) return true;
      return *base::from_rfc3339(std::string(one.at("next_attempt_at").as_string())) > base::wall_clock() + skew;
    });
  }
  json::array deliveries(const json::object& of) {
    const auto list = get("/v1/webhooks/" + id(of) + "/deliveries?limit=100&order=asc");
    EXPECT_EQ(list.status, 200) << list.body;
    return list["data"].as_array();
  }
  std::vector<std::string> types_of(const std::string& subject) {
    std::vector<std::string> out;
    for (const auto& one : got)
      if (one.text("subject") == subject) out.push_back(one.text("type"));
    return out;
  }
  bool has(const std::string& subject, std::string_view type) {
    return std::ranges::any_of(got, [&](const Received& one) { return one.text("subject") == subject && one.text("type") == type; });
  }
  static std::string id(const json::object& of) { return std::string(of.at("id").as_string()); }

  std::unique_ptr<net::Server> receiver;
  bool receiver_ended = false;
  std::function<int(const Received&, net::Headers&)> answer;
  std::vector<Received> calls, got;  // all; those answered with 2xx
  std::string hook;
};

std::string v1(const std::string& secret, const Received& one) {
  // Computed here from the standard's text, not by the gateway's code.
  const auto key = base::from_base64(secret.substr(6)).value();
  return "v1," + base::to_base64(base::hmac_sha256(
                     key, base::as_bytes(one.header("webhook-id") + "." + one.header("webhook-timestamp") + "." + one.body)));
}

TEST_F(Webhooks, deliver_every_event_of_a_job_signed_and_in_order) {
  const auto made = endpoint();
  const std::string secret(made.at("secret").as_string());
  const auto job = ping();
  run_until([&] { return has(job, "job.succeeded"); });
  std::int64_t seq = 0;
  for (const auto& one : got) {
    EXPECT_EQ(one.header("webhook-signature"), v1(secret, one));
    EXPECT_EQ(one.header("webhook-id"), one.text("id"));
    EXPECT_EQ(one.header("content-type"), "application/json");
    EXPECT_NEAR(std::stod(one.header("webhook-timestamp")), static_cast<double>(std::time(nullptr)), 5);
    EXPECT_EQ(one.event.at("seq").as_int64(), ++seq);
    EXPECT_EQ(one.event.at("specversion"), "1.0");
    EXPECT_TRUE(one.event.as_object().contains("timestamp"));
  }
  EXPECT_EQ(types_of(job).front(), "job.created");
  EXPECT_EQ(types_of(job).back(), "job.succeeded");
  EXPECT_FALSE(get("/v1/webhooks/" + id(made)).value.as_object().contains("secret")) << "shown once";
}

TEST_F(Webhooks, carry_the_trace_of_the_request) {
  endpoint();
  const auto made = post("/v1/jobs", json::object{{"task", "ping"}, {"wait_s", 10}},
                         {{"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}});
  run_until([&] { return !got.empty(); });
  ASSERT_FALSE(got.empty());
  EXPECT_TRUE(got.front().header("traceparent").starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
  EXPECT_EQ(made.status, 200);
}

TEST_F(Webhooks, send_only_what_the_patterns_name_and_only_what_comes_after) {
  const auto before = ping();
  endpoint(json::object{{"events", json::array{"job.succeeded"}}});
  const auto job = ping();
  run_until([&] { return has(job, "job.succeeded"); });
  EXPECT_EQ(got.size(), 1u);
  EXPECT_TRUE(types_of(before).empty());
}

TEST_F(Webhooks, are_thin_unless_they_are_asked_to_be_detailed) {
  endpoint(json::object{{"events", json::array{"job.succeeded"}}});
  endpoint(json::object{{"events", json::array{"job.succeeded"}}, {"detailed", true}, {"headers", json::object{{"X-Which", "full"}}}});
  const auto job = ping(json::object{{"client_ref", "order-1"}});
  run_until([&] { return got.size() == 2; });
  for (const auto& one : got) {
    const auto& data = one.event.at("data").as_object();
    EXPECT_EQ(data.at("id").as_string(), job);
    EXPECT_EQ(data.at("status"), "succeeded");
    EXPECT_EQ(data.contains("client_ref"), one.header("x-which") == "full");
  }
}

TEST_F(Webhooks, of_a_receiver_that_was_down_for_six_hours_bring_every_end_in_order) {
  const auto made = endpoint();
  bool down = true;
  answer = [&](const Received&, net::Headers&) { return down ? 500 : 204; };
  std::vector<std::string> subjects{ping(), ping()};
  run_until([&] { return calls.size() >= 2; });
  for (const auto wait : {6s, 360s, 2000s, 8000s}) {
    const auto before = calls.size();
    pass(wait, made);
    EXPECT_GE(calls.size(), before + 2);
  }
  subjects.push_back(ping());
  pass(3h, made);
  EXPECT_EQ(get("/v1/webhooks/" + id(made))["status"], "failing");
  down = false;
  pass(5h + 31min, made);
  run_until([&] { return std::ranges::all_of(subjects, [&](const std::string& one) { return has(one, "job.succeeded"); }); });
  for (const auto& subject : subjects) {
    std::int64_t last = 0;
    for (const auto& one : got)
      if (one.text("subject") == subject) {
        EXPECT_GT(one.event.at("seq").as_int64(), last);
        last = one.event.at("seq").as_int64();
      }
    EXPECT_EQ(types_of(subject).back(), "job.succeeded");
  }
  EXPECT_EQ(get("/v1/webhooks/" + id(made))["status"], "enabled");
  EXPECT_TRUE(std::ranges::any_of(deliveries(made), [](const json::value& one) { return one.at("state") == "skipped"; }))
      << "what came before an end is not sent after a long failure";
}

TEST_F(Webhooks, hold_back_the_rest_of_a_subject_but_no_other_subject) {
  endpoint();
  std::string stuck;
  answer = [&](const Received& one, net::Headers&) {
    if (stuck.empty()) stuck = one.text("subject");
    return one.text("subject") == stuck ? 500 : 204;
  };
  const auto first = ping();
  run_until([&] { return !calls.empty(); });
  const auto second = ping();
  run_until([&] { return has(second, "job.succeeded"); });
  EXPECT_EQ(stuck, first);
  EXPECT_EQ(std::ranges::count_if(calls, [&](const Received& one) { return one.text("subject") == first; }), 1)
      << "one in flight, in order";
}

TEST_F(Webhooks, without_order_do_not_wait_for_each_other) {
  endpoint(json::object{{"ordered", false}});
  answer = [&](const Received& one, net::Headers&) { return one.text("type") == "job.created" ? 500 : 204; };
  const auto job = ping();
  run_until([&] { return has(job, "job.succeeded"); });
}

TEST_F(Webhooks, end_at_410_and_tell_so) {
  const auto made = endpoint();
  endpoint(json::object{{"events", json::array{"webhook.disabled"}}, {"headers", json::object{{"X-Which", "other"}}}});
  answer = [&](const Received& one, net::Headers&) { return one.header("x-which") == "other" ? 204 : 410; };
  ping();
  run_until([&] { return !got.empty(); });
  ASSERT_GE(got.size(), 1u);
  EXPECT_EQ(got.front().text("type"), "webhook.disabled");
  EXPECT_EQ(got.front().text("subject"), id(made));
  const auto now = get("/v1/webhooks/" + id(made));
  EXPECT_EQ(now["status"], "disabled");
  EXPECT_EQ(now["disabled_reason"], "gone");
  for (const auto& one : deliveries(made)) EXPECT_EQ(one.at("state"), "failed");
}

TEST_F(Webhooks, end_after_five_days_of_nothing_but_failures) {
  const auto made = endpoint(json::object{{"events", json::array{"job.succeeded"}}});
  answer = [&](const Received&, net::Headers&) { return 503; };
  ping();
  for (const auto wait : {0h, 1h, 1h, 3h, 6h, 12h, 16h, 23h, 30h}) {
    const auto before = calls.size();
    pass(wait, made);
    EXPECT_GT(calls.size() + (wait == 0h ? 1 : 0), before);
  }
  EXPECT_EQ(get("/v1/webhooks/" + id(made))["status"], "failing");
  tick(36h, made);
  run_until([&] { return get("/v1/webhooks/" + id(made))["status"] == "disabled"; });
  EXPECT_EQ(get("/v1/webhooks/" + id(made))["disabled_reason"], "failing");
  const auto one = deliveries(made).at(0);
  EXPECT_EQ(one.at("attempt"), 10);
  EXPECT_EQ(one.at("status_code"), 503);
  EXPECT_EQ(one.at("response_excerpt"), "said the receiver ");
}

TEST_F(Webhooks, honour_retry_after) {
  const auto made = endpoint(json::object{{"events", json::array{"job.succeeded"}}});
  answer = [&](const Received&, net::Headers& headers) {
    headers.set("retry-after", "100");
    return 429;
  };
  ping();
  run_until([&] { return calls.size() == 1; });
  run_until([&] { return deliveries(made).at(0).at("attempt") == 1; });
  const auto next = base::from_rfc3339(std::string(deliveries(made).at(0).at("next_attempt_at").as_string())).value();
  EXPECT_GE(next - base::wall_clock(), 95s);
  tick(50s, made);
  ping();  // another subject: the pause is the endpoint's
  EXPECT_EQ(calls.size(), 1u);
  tick(60s, made);
  run_until([&] { return calls.size() >= 2; });
}

TEST_F(Webhooks, do_not_follow_redirects) {
  const auto made = endpoint(json::object{{"events", json::array{"job.succeeded"}}});
  answer = [&](const Received&, net::Headers& headers) {
    headers.set("location", "/elsewhere");
    return 302;
  };
  ping();
  run_until([&] { return !calls.empty() && deliveries(made).at(0).at("attempt") == 1; });
  EXPECT_EQ(deliveries(made).at(0).at("state"), "pending");
  EXPECT_EQ(calls.size(), 1u);
  EXPECT_EQ(calls.front().path, "/hook");
}

TEST_F(Webhooks, are_signed_with_both_secrets_for_a_day_after_a_rotation) {
  const auto made = endpoint(json::object{{"events", json::array{"job.succeeded"}}});
  const std::string first(made.at("secret").as_string());
  const auto rotated = post("/v1/webhooks/" + id(made) + "/rotate-secret", json::object());
  ASSERT_EQ(rotated.status, 200) << rotated.body;
  const std::string second(rotated["secret"].as_string());
  EXPECT_NE(first, second);
  ping();
  run_until([&] { return got.size() == 1; });
  ASSERT_GE(got.size(), 1u);
  EXPECT_EQ(got[0].header("webhook-signature"), v1(second, got[0]) + " " + v1(first, got[0]));
  skew += 24h + 1s;
  ping();
  run_until([&] { return got.size() == 2; });
  EXPECT_EQ(got[1].header("webhook-signature"), v1(second, got[1]));
}

TEST_F(Webhooks, carry_an_ed25519_signature_when_asked) {
  endpoint(json::object{{"events", json::array{"job.succeeded"}}, {"algorithms", json::array{"v1", "v1a"}}});
  ping();
  run_until([&] { return got.size() == 1; });
  ASSERT_GE(got.size(), 1u);
  EXPECT_NE(got[0].header("webhook-signature").find(" v1a,"), std::string::npos);
  const auto keys = get("/.well-known/webhook-keys.json", {{"authorization", ""}});
  EXPECT_EQ(keys.status, 200);
  EXPECT_EQ(keys["keys"].as_array().size(), 1u);
}

TEST_F(Webhooks, can_be_tested_at_once) {
  const auto made = endpoint(json::object{{"events", json::array{"run.*"}}});
  const auto other = endpoint();
  const auto good = post("/v1/webhooks/" + id(made) + "/test", json::object());
  EXPECT_EQ(good.status, 200) << good.body;
  EXPECT_EQ(good["state"], "delivered");
  EXPECT_EQ(good["status_code"], 204);
  EXPECT_EQ(got.at(0).text("type"), "webhook.test");
  answer = [&](const Received&, net::Headers&) { return 500; };
  const auto bad = post("/v1/webhooks/" + id(made) + "/test", json::object());
  EXPECT_EQ(bad["state"], "pending");
  EXPECT_EQ(bad["response_excerpt"], "said the receiver ");
  EXPECT_TRUE(deliveries(other).empty()) << "a test goes to its endpoint only";
}

TEST_F(Webhooks, are_replayed_with_the_same_id) {
  const auto made = endpoint(json::object{{"events", json::array{"job.succeeded"}}});
  ping();
  run_until([&] { return got.size() == 1 && deliveries(made).at(0).at("state") == "delivered"; });
  const std::string delivery(deliveries(made).at(0).at("id").as_string());
  const auto again = post("/v1/webhook-deliveries/" + delivery + "/replay", json::object());
  EXPECT_EQ(again.status, 202) << again.body;
  run_until([&] { return got.size() == 2; });
  ASSERT_GE(got.size(), 2u);
  EXPECT_EQ(got[0].header("webhook-id"), got[1].header("webhook-id"));
  EXPECT_NE(again["id"].as_string(), delivery);
  EXPECT_EQ(post("/v1/webhook-deliveries/dlv_01KE0000000000000000000001/replay", json::object()).status, 404);
}

TEST_F(Webhooks, recover_what_was_not_delivered_since_a_time) {
  const auto job_before = ping();
  const auto made = endpoint(json::object{{"events", json::array{"job.succeeded", "job.created"}}});
  answer = [&](const Received&, net::Headers&) { return 410; };
  const auto job = ping();
  run_until([&] { return get("/v1/webhooks/" + id(made))["status"] == "disabled"; });
  answer = nullptr;
  const auto since = base::to_rfc3339(base::wall_clock() - std::chrono::hours(1));
  EXPECT_EQ(post("/v1/webhooks/" + id(made) + "/recover", json::object{{"since", since}}).status, 400) << "disabled";
  send("PATCH", "/v1/webhooks/" + id(made), R"({"status":"enabled"})", {{"content-type", "application/json"}});
  const auto recovered = post("/v1/webhooks/" + id(made) + "/recover", json::object{{"since", since}});
  EXPECT_EQ(recovered.status, 202) << recovered.body;
  EXPECT_EQ(recovered["scheduled"], 4);
  run_until([&] { return got.size() == 4; });
  EXPECT_EQ(types_of(job), (std::vector<std::string>{"job.created", "job.succeeded"}));
  EXPECT_EQ(types_of(job_before), (std::vector<std::string>{"job.created", "job.succeeded"}));
  run_until([&] { return std::ranges::all_of(deliveries(made), [](const json::value& one) { return one.at("state") == "delivered"; }); });
  EXPECT_EQ(post("/v1/webhooks/" + id(made) + "/recover", json::object{{"since", since}})["scheduled"], 0);
}

TEST_F(Webhooks, of_one_job_go_to_its_own_url_signed_with_the_default_secret) {
  const auto job = ping(json::object{{"webhook", json::object{{"url", hook}, {"events", json::array{"job.succeeded"}}}}});
  ping();
  run_until([&] { return has(job, "job.succeeded"); });
  EXPECT_EQ(got.size(), 1u);
  const auto secret = get("/v1/webhooks/default/secret");
  ASSERT_EQ(secret.status, 200) << secret.body;
  ASSERT_GE(got.size(), 1u);
  EXPECT_EQ(got[0].header("webhook-signature"), v1(std::string(secret["secret"].as_string()), got[0]));
  EXPECT_TRUE(get("/v1/webhooks")["data"].as_array().empty());
}

TEST_F(Webhooks, of_one_job_go_to_a_registered_endpoint) {
  const auto made = endpoint(json::object{{"events", json::array{"run.*"}}});
  const auto job = ping(json::object{{"webhook", json::object{{"endpoint", id(made)}, {"events", json::array{"job.succeeded"}}}}});
  run_until([&] { return has(job, "job.succeeded"); });
  EXPECT_EQ(got.size(), 1u);
  const auto wrong =
      post("/v1/jobs", json::object{{"task", "ping"}, {"webhook", json::object{{"endpoint", "whk_01KE0000000000000000000001"}}}});
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(wrong["errors"].at(0).at("pointer"), "/webhook/endpoint");
}

TEST_F(Webhooks, survive_a_restart) {
  const auto made = endpoint(json::object{{"events", json::array{"job.succeeded"}}});
  answer = [&](const Received&, net::Headers&) { return 500; };
  const auto job = ping();
  run_until([&] { return deliveries(made).size() == 1 && deliveries(made).at(0).at("attempt") == 1; });
  close();
  answer = nullptr;
  skew += 10s;
  open();
  run_until([&] { return has(job, "job.succeeded"); });
}

TEST_F(Webhooks, change_with_their_version) {
  const auto made = endpoint();
  const auto patch = [&](std::string body, net::Headers headers) {
    headers.set("content-type", "application/json");
    return send("PATCH", "/v1/webhooks/" + id(made), std::move(body), std::move(headers));
  };
  const auto changed = patch(R"({"detailed":true})", {{"if-match", "\"1\""}});
  EXPECT_EQ(changed.status, 200) << changed.body;
  EXPECT_EQ(changed["version"], 2);
  EXPECT_EQ(patch(R"({"detailed":false})", {{"if-match", "\"1\""}}).code(), "version_conflict");
  EXPECT_EQ(patch(R"({"url":7})", {}).status, 400);
  EXPECT_EQ(get("/v1/webhooks/" + id(made), {{"if-none-match", "\"2\""}}).status, 304);
  EXPECT_EQ(send("DELETE", "/v1/webhooks/" + id(made)).status, 204);
  EXPECT_EQ(get("/v1/webhooks/" + id(made)).status, 404);
}

TEST_F(Webhooks, are_for_keys_with_their_scopes) {
  const auto reader = key_with({"webhooks:read"}), none = key_with({"jobs:read"});
  EXPECT_EQ(get("/v1/webhooks", {{"authorization", reader}}).status, 200);
  EXPECT_EQ(get("/v1/webhooks", {{"authorization", none}}).code(), "scope_missing");
  EXPECT_EQ(post("/v1/webhooks", json::object{{"url", hook}}, {{"authorization", reader}}).code(), "scope_missing");
  EXPECT_EQ(get("/v1/webhooks/default/secret", {{"authorization", reader}}).code(), "scope_missing");
}

class GuardedWebhooks : public Webhooks {
 protected:
  GuardedWebhooks() : Webhooks(GatewaySettings{}) {}
};

TEST_F(GuardedWebhooks, are_refused_for_private_addresses_and_plain_http) {
  for (const std::string& url :
       {hook, std::string("https://127.0.0.1/x"), std::string("https://[fd00::1]/"), std::string("https://169.254.169.254/")}) {
    EXPECT_EQ(post("/v1/webhooks", json::object{{"url", url}})["errors"].at(0).at("pointer"), "/url") << url;
    EXPECT_EQ(post("/v1/jobs", json::object{{"task", "ping"}, {"webhook", json::object{{"url", url}}}})["errors"].at(0).at("pointer"),
              "/webhook/url");
  }
}

TEST_F(GuardedWebhooks, do_not_reach_a_name_that_leads_inside) {
  hook = "https://localhost:" + std::to_string(receiver->port()) + "/hook";
  const auto made = endpoint();
  const auto tried = post("/v1/webhooks/" + id(made) + "/test", json::object());
  EXPECT_EQ(tried["state"], "pending");
  EXPECT_TRUE(tried["status_code"].is_null());
  EXPECT_NE(std::string(tried["error"].as_string()).find("public"), std::string::npos);
  EXPECT_TRUE(calls.empty());
}

}  // namespace
}  // namespace kinora::gateway
