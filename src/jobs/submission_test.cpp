#include "jobs/submission.hpp"

#include <gtest/gtest.h>

#include "base/bytes.hpp"

namespace kinora::jobs {
namespace {

constexpr auto kArtifact = R"({"artifact": "art_01KE0000000000000000000001"})";

Outcome<Submission> parse(const std::string& text) { return parse_submission(json::parse(text)); }
std::string with_input(const std::string& more) {
  return std::string(R"({"task": "video-upscale", "input": {"video": )") + kArtifact + "}" + more + "}";
}
// "code at /pointer: detail"
std::string first_error(const Outcome<Submission>& out) {
  if (out) return "";
  return out.error().code + " at " + (out.error().errors.empty() ? "?" : out.error().errors[0].pointer);
}

TEST(Submission, adapters_beside_the_input_are_the_tasks_parameter) {
  const auto out = parse(R"({"task":"text-to-image","input":{"prompt":"x"},"adapters":[{"adapter":"o/style","scale":0.5}]})");
  ASSERT_TRUE(out);
  EXPECT_EQ(json::serialize(out->params.at("adapters")), R"([{"adapter":"o/style","scale":5E-1}])");
  EXPECT_TRUE(out->input.contains("adapters"));
  EXPECT_EQ(first_error(parse(R"({"task":"ping","adapters":[]})")), "invalid_field at /adapters");
  EXPECT_EQ(first_error(parse(R"({"task":"text-to-image","input":{"prompt":"x","adapters":[]},"adapters":[]})")),
            "invalid_field at /adapters");
  EXPECT_EQ(first_error(parse(R"({"task":"text-to-image","input":{"prompt":"x"},"adapters":[{"scale":1}]})")),
            "missing_field at /adapters/0/adapter");
}

TEST(Submission, reads_what_the_api_shows) {
  const auto out = parse(with_input(R"(, "model": "kinora-sr2x",
    "requirements": {"deadline_s": 900, "start_timeout_s": 300, "priority": "high", "verification": {"level": "structural", "on_fail": "retry_elsewhere"}},
    "output": {"retention_s": 3600, "destination": {"type": "managed"}},
    "retry": {"max_attempts": 5, "on": ["worker"], "initial_ms": 10, "coefficient": 1.5, "max_ms": 100},
    "wait_s": 3, "client_ref": "order-991", "end_user": "u_42", "tags": ["landing"], "metadata": {"k": "v"})"));
  ASSERT_TRUE(out) << out.error().detail;
  EXPECT_EQ(out->task->name, "video-upscale");
  EXPECT_EQ(out->model, "kinora-sr2x");
  EXPECT_EQ(out->params.at("crf"), 18);
  ASSERT_EQ(out->media.size(), 1u);
  EXPECT_EQ(std::get<media_ref::ArtifactRef>(out->media[0].value).id, "art_01KE0000000000000000000001");
  EXPECT_EQ(out->deadline_s, 900);
  EXPECT_EQ(out->priority, Priority::high);
  EXPECT_EQ(out->retention_s, 3600);
  EXPECT_EQ(out->retry.max_attempts, 5);
  EXPECT_EQ(out->retry.on, std::vector<std::string>{"worker"});
  EXPECT_EQ(out->tags, std::vector<std::string>{"landing"});
  EXPECT_EQ(out->wait_s, 3);
}

TEST(Submission, names_the_task_that_was_meant) {
  const auto out = parse(R"({"task": "video-upscal"})");
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().code, "task_not_found");
  EXPECT_NE(out.error().detail.find("did you mean \"video-upscale\""), std::string::npos);
  EXPECT_EQ(first_error(parse(R"({"task": "join"})")), "task_not_found at /task");  // the planner's own
}

TEST(Submission, of_an_unknown_or_missing_task_tells_what_else_is_wrong) {
  const auto pointers = [](const Outcome<Submission>& out) {
    std::vector<std::string> all;
    for (const auto& error : out.error().errors) all.push_back(error.pointer);
    return all;
  };
  EXPECT_EQ(pointers(parse("{}")), (std::vector<std::string>{"/task", "/input"}));
  const auto out = parse(R"({"task": "video-upscal", "input": 3, "wait_s": 61})");
  EXPECT_EQ(out.error().code, "task_not_found");
  EXPECT_EQ(pointers(out), (std::vector<std::string>{"/task", "/input", "/wait_s"}));
}

TEST(Submission, tells_a_wrong_input_from_a_wrong_request) {
  EXPECT_EQ(
      first_error(parse(R"({"task": "video-upscale", "input": {"video": {"artifact": "art_01KE0000000000000000000001"}, "scale": 9}})")),
      "schema_invalid at /input/scale");
  EXPECT_EQ(first_error(parse(with_input(R"(, "priorty": 1)"))), "unknown_field at /priorty");
  EXPECT_EQ(first_error(parse("{}")), "missing_field at /task");
  EXPECT_EQ(first_error(parse("[]")), "invalid_field at ");
  EXPECT_EQ(first_error(parse(with_input(R"(, "requirements": {"priority": "urgent"})"))), "invalid_field at /requirements/priority");
}

TEST(Submission, collects_errors_of_all_parts) {
  const auto out =
      parse(R"({"task": "video-upscale", "input": {"scale": 0}, "requirements": {"deadline_s": 0, "x": 1}, "retry": {"on": ["client"]},
                             "tags": [""], "metadata": {"a": 1}, "wait_s": 61})");
  ASSERT_FALSE(out);
  std::set<std::string> pointers;
  for (const auto& error : out.error().errors) pointers.insert(error.pointer);
  EXPECT_EQ(pointers, (std::set<std::string>{"/input/video", "/input/scale", "/requirements/deadline_s", "/requirements/x", "/retry/on/0",
                                             "/tags/0", "/metadata/a", "/wait_s"}));
}

TEST(Submission, limits_tags_and_metadata) {
  json::object body{{"task", "ping"}};
  body["tags"] = json::array(kMaxTags, json::value("t"));
  EXPECT_TRUE(parse_submission(body));
  body["tags"] = json::array(kMaxTags + 1, json::value("t"));
  EXPECT_EQ(first_error(parse_submission(body)), "invalid_field at /tags");
  body["tags"] = json::array{std::string(kMaxTagBytes + 1, 't')};
  EXPECT_EQ(first_error(parse_submission(body)), "invalid_field at /tags/0");
  body.erase("tags");
  body["metadata"] = {{"k", std::string(kMaxMetadataBytes + 1, 'v')}};
  EXPECT_EQ(first_error(parse_submission(body)), "invalid_field at /metadata/k");
}

TEST(Submission, what_is_ephemeral_needs_somebody_who_fetches_it) {
  EXPECT_EQ(first_error(parse(with_input(R"(, "ephemeral": true)"))), "invalid_field at /ephemeral");
  EXPECT_EQ(first_error(parse(with_input(R"(, "ephemeral": true, "wait_s": 5, "output": {"retention_s": 7200})"))),
            "invalid_field at /ephemeral");
  EXPECT_TRUE(parse(with_input(R"(, "ephemeral": true, "wait_s": 5)"))->ephemeral);
  EXPECT_TRUE(parse(with_input(R"(, "ephemeral": true, "webhook": {"url": "https://a.example/hook"})")));
  EXPECT_FALSE(parse(with_input(""))->ephemeral);
}

TEST(Submission, flagged_results_are_of_one_replica) {
  const auto with = [](const std::string& more) {
    return parse(with_input(R"(, "requirements": {"verification": {"on_fail": "deliver_flagged"})" + more + "}"));
  };
  EXPECT_TRUE(with(""));
  EXPECT_EQ(first_error(with(R"(, "redundancy": {"replicas": 2})")), "invalid_field at /requirements/verification/on_fail");
}

TEST(Submission, knows_models_only_where_there_are_some) {
  EXPECT_EQ(first_error(parse(R"({"task": "ping", "model": "x"})")), "invalid_field at /model");
  EXPECT_TRUE(parse(R"({"task": "ping", "model": "auto"})"));
}

}  // namespace
}  // namespace kinora::jobs
