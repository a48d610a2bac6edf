#include "gateway/webhook_endpoint.hpp"

#include <gtest/gtest.h>

#include "jobs/subject_hook.hpp"

namespace kinora::gateway {
namespace {

base::FieldErrors errors_of(const char* body, bool create = true, net::Reach reach = net::Reach::public_only) {
  WebhookEndpoint endpoint;
  base::FieldErrors errors;
  read_webhook_body(json::parse(body), create, reach, endpoint, errors);
  return errors;
}

TEST(WebhookUrl, must_be_https_and_public) {
  using net::Reach;
  for (const char* url : {"https://app.example/hook", "https://app.example:8443/a?b=c", "https://1.1.1.1/", "https://[2606:4700::1111]/x"})
    EXPECT_TRUE(check_webhook_url(url, Reach::public_only)) << url;
  for (const char* url :
       {"", "app.example/hook", "http://app.example/hook", "ftp://app.example/", "https://127.0.0.1/", "https://10.1.2.3/",
        "https://169.254.169.254/latest/meta-data/", "https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://user:pw@app.example/",
        "https://app.example/#x", "https://app.example:0/", "https:///hook", "javascript:alert(1)"})
    EXPECT_FALSE(check_webhook_url(url, Reach::public_only)) << url;
  EXPECT_FALSE(check_webhook_url("https://app.example/" + std::string(2048, 'a'), Reach::public_only));
}

TEST(WebhookUrl, may_be_plain_and_private_where_the_operator_says_so) {
  EXPECT_TRUE(check_webhook_url("http://127.0.0.1:9000/hook", net::Reach::anywhere));
  EXPECT_FALSE(check_webhook_url("ftp://127.0.0.1/", net::Reach::anywhere));
}

TEST(WebhookBody, is_read_with_its_defaults) {
  WebhookEndpoint endpoint;
  base::FieldErrors errors;
  read_webhook_body(json::parse(R"({"url":"https://app.example/hook"})"), true, net::Reach::public_only, endpoint, errors);
  EXPECT_TRUE(errors.empty());
  EXPECT_TRUE(endpoint.ordered);
  EXPECT_FALSE(endpoint.detailed);
  EXPECT_FALSE(endpoint.v1a);
  EXPECT_TRUE(endpoint.events.empty());
  const auto shown = to_json(endpoint);
  EXPECT_EQ(shown.at("status"), "enabled");
  EXPECT_EQ(shown.at("algorithms"), (json::array{"v1"}));
}

TEST(WebhookBody, change_leaves_what_it_does_not_name) {
  WebhookEndpoint endpoint;
  base::FieldErrors errors;
  read_webhook_body(
      json::parse(R"({"url":"https://app.example/hook","events":["job.*"],"headers":{"X-Team":"a"},"algorithms":["v1","v1a"]})"), true,
      net::Reach::public_only, endpoint, errors);
  read_webhook_body(json::parse(R"({"detailed":true,"status":"disabled"})"), false, net::Reach::public_only, endpoint, errors);
  ASSERT_TRUE(errors.empty()) << errors.front().detail;
  EXPECT_EQ(endpoint.events, std::vector<std::string>{"job.*"});
  EXPECT_EQ(endpoint.headers.at(0), (std::pair<std::string, std::string>("x-team", "a")));
  EXPECT_TRUE(endpoint.v1a);
  EXPECT_FALSE(endpoint.enabled);
  EXPECT_EQ(endpoint.disabled_reason, "owner");
}

TEST(WebhookBody, says_all_that_is_wrong) {
  const auto errors = errors_of(
      R"({"url":"http://10.0.0.1/","events":["job.*","job*",7],"algorithms":["v2"],"headers":{"Webhook-Id":"x","bad name":"y","Ok":"a\nb"},"color":1})");
  std::vector<std::string> pointers;
  for (const auto& error : errors) pointers.push_back(error.pointer);
  EXPECT_EQ(std::count(pointers.begin(), pointers.end(), "/url"), 1);
  EXPECT_EQ(std::count(pointers.begin(), pointers.end(), "/events"), 2);
  EXPECT_EQ(std::count(pointers.begin(), pointers.end(), "/algorithms"), 1);
  EXPECT_EQ(std::count(pointers.begin(), pointers.end(), "/headers"), 3);
  EXPECT_EQ(std::count(pointers.begin(), pointers.end(), "/color"), 1);
}

TEST(WebhookBody, needs_a_url_and_bounds_its_lists) {
  EXPECT_EQ(errors_of("{}").at(0).code, "missing_field");
  EXPECT_TRUE(errors_of("{}", false).empty());
  json::array many(33, json::value("job.*"));
  EXPECT_FALSE(errors_of(json::serialize(json::object{{"url", "https://a.example/"}, {"events", many}}).c_str()).empty());
  json::object headers;
  for (int i = 0; i < 17; ++i) headers["x-" + std::to_string(i)] = "v";
  EXPECT_FALSE(errors_of(json::serialize(json::object{{"url", "https://a.example/"}, {"headers", headers}}).c_str()).empty());
  EXPECT_FALSE(errors_of(R"({"url":"https://a.example/","status":"enabled"})").empty()) << "only a change has a status";
}

TEST(EventPattern, is_a_type_a_family_or_all) {
  for (const char* text : {"*", "job.*", "job.succeeded", "run.partially_succeeded", "playback.accessControl", "stream.effect.*"})
    EXPECT_TRUE(jobs::is_event_pattern(text)) << text;
  for (const char* text : {"", ".", "job.", ".job", "job*", "*.job", "job.*.x", "job..x", "job x", "[a]", "job?", "**", ".*"})
    EXPECT_FALSE(jobs::is_event_pattern(text)) << text;
}

}  // namespace
}  // namespace kinora::gateway
