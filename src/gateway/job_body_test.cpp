#include "gateway/job_body.hpp"

#include <gtest/gtest.h>

namespace kinora::gateway {
namespace {

json::value parse(std::string_view text) { return *base::parse_json(text); }

TEST(InlineMedia, is_replaced_by_an_artifact_where_the_pointer_says) {
  auto body = parse(R"({"task":"image-upscale","input":{"image":"data:image/png;base64,AAEC"}})");
  replace_media(body, "/input/image", "art_1");
  EXPECT_EQ(body, parse(R"({"task":"image-upscale","input":{"image":{"artifact":"art_1"}}})"));
  body = parse(R"({"input":{"chunk":["a","data:,"]}})");
  replace_media(body, "/input/chunk/1", "art_2");
  EXPECT_EQ(body, parse(R"({"input":{"chunk":["a",{"artifact":"art_2"}]}})"));
  const auto before = body;
  for (const auto* pointer : {"/input/none", "input", "/input/chunk/9", "/input/chunk/x"}) replace_media(body, pointer, "art_3");
  EXPECT_EQ(body, before);
}

TEST(KeyLimits, hold_a_key_to_its_models_and_tasks) {
  Caller caller;
  EXPECT_TRUE(check_key_limits(parse(R"({"task":"ping"})"), caller));
  caller.tasks = {"probe"};
  EXPECT_TRUE(check_key_limits(parse(R"({"task":"probe"})"), caller));
  EXPECT_EQ(check_key_limits(parse(R"({"task":"ping"})"), caller).error().code, "forbidden");
  EXPECT_EQ(check_key_limits(parse(R"({"model":"x"})"), caller).error().code, "forbidden");
  caller = {};
  caller.models = {"kinora-sr2x"};
  EXPECT_TRUE(check_key_limits(parse(R"({"task":"video-upscale","model":"kinora-sr2x@sha256:ab"})"), caller));
  EXPECT_EQ(check_key_limits(parse(R"({"task":"video-upscale","model":"other"})"), caller).error().code, "model_not_allowed");
  EXPECT_EQ(check_key_limits(parse(R"({"task":"video-upscale"})"), caller).error().code, "model_not_allowed");
}

TEST(JobPatch, takes_labels_and_priority_and_at_least_one_of_them) {
  const auto errors_of = [](std::string_view text) {
    base::FieldErrors errors;
    (void)read_job_patch(parse(text), errors);
    return errors;
  };
  base::FieldErrors errors;
  const auto patch = read_job_patch(parse(R"({"tags":["a"],"metadata":{"k":"v"},"priority":"high"})"), errors);
  EXPECT_TRUE(errors.empty());
  EXPECT_EQ(patch.tags, std::vector<std::string>{"a"});
  EXPECT_EQ(patch.priority, jobs::Priority::high);
  EXPECT_EQ(errors_of("{}").at(0).code, "missing_field");
  EXPECT_EQ(errors_of(R"({"status":"succeeded"})").at(0).code, "unknown_field");
  EXPECT_EQ(errors_of(R"({"priority":"urgent"})").at(0).pointer, "/priority");
  EXPECT_EQ(errors_of(R"({"tags":[""]})").at(0).pointer, "/tags/0");
  EXPECT_EQ(errors_of(R"({"metadata":{"k":1}})").at(0).pointer, "/metadata/k");
}

TEST(JobVersion, is_read_from_an_entity_tag) {
  EXPECT_EQ(version_of_etag("\"7\""), 7);
  EXPECT_EQ(version_of_etag("W/\"12\""), 12);
  for (const auto* text : {"", "7", "\"\"", "\"x\"", "\"0\"", "\"-1\"", "\"7x\"", "\"7", "W/7"})
    EXPECT_FALSE(version_of_etag(text)) << text;
}

// RFC 7240, section 2: preferences separated by commas.
TEST(Wait, comes_from_the_body_or_the_prefer_header_and_is_bounded) {
  using std::chrono::seconds;
  EXPECT_EQ(wanted_wait(parse(R"({"wait_s":5})"), "wait=9"), seconds(5));
  EXPECT_EQ(wanted_wait(parse("{}"), "respond-async, wait=9"), seconds(9));
  EXPECT_EQ(wanted_wait(parse("{}"), "wait=1000"), kMaxWait);
  EXPECT_EQ(wanted_wait(parse(R"({"wait_s":1000})"), std::nullopt), kMaxWait);
  EXPECT_EQ(wanted_wait(parse(R"({"wait_s":-5})"), std::nullopt), seconds(0));
  for (const auto* bad : {"", "wait=", "wait=x", "wait=-1", "waiting", ",,,"}) EXPECT_EQ(wanted_wait(parse("{}"), bad), seconds(0)) << bad;
}

}  // namespace
}  // namespace kinora::gateway
