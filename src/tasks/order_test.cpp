#include "tasks/order.hpp"

#include <gtest/gtest.h>

namespace kinora::tasks {
namespace {

constexpr auto kHash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";  // sha256("test")

json::object sample() {
  // docs/protocol.md, section 4
  return json::parse(R"({"version": 1, "attempt": "att_01KE0000000000000000000001", "task": "video-upscale", "model": "kinora-sr2x",
    "params": {"scale": 2, "crf": 18},
    "inputs": [{"slot": "video", "url": "http://gateway/x?exp=1&kid=1&sig=a", "name": "clip.mp4", "bytes": 123,
                "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}],
    "upload": {"url": "http://gateway/v1/attempts/att_01KE0000000000000000000001/files/", "token": "t0ken"},
    "tls_pin": "sha256/abc", "deadline_s": 900})")
      .as_object();
}

std::string refused(const json::value& value) {
  const auto order = parse_order(json::serialize(value));
  return order ? std::string() : std::string(base::name(order.error().code)) + ": " + order.error().message;
}

TEST(TaskOrder, reads_the_example_of_the_protocol) {
  const auto order = parse_order(json::serialize(sample()));
  ASSERT_TRUE(order) << order.error().message;
  EXPECT_EQ(order->attempt, "att_01KE0000000000000000000001");
  EXPECT_EQ(order->task, "video-upscale");
  EXPECT_EQ(order->model, "kinora-sr2x");
  EXPECT_EQ(order->params.at("scale"), 2.0);
  EXPECT_EQ(order->params.at("preset"), "superfast");  // a default
  ASSERT_EQ(order->inputs.size(), 1u);
  EXPECT_EQ(order->inputs[0], (OrderInput{"video", "http://gateway/x?exp=1&kid=1&sig=a", "clip.mp4", 123, kHash}));
  EXPECT_EQ(order->upload->token, "t0ken");
  EXPECT_EQ(order->deadline_s, 900);
  EXPECT_EQ(capability_name(*order), "video-upscale:kinora-sr2x");
}

TEST(TaskOrder, says_the_same_again_when_written) {
  const auto order = parse_order(json::serialize(sample()));
  const auto again = parse_order(json::serialize(to_json(*order)));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(to_json(*again), to_json(*order));
}

TEST(TaskOrder, tolerates_members_of_a_newer_gateway) {
  auto value = sample();
  value["priority"] = "high";
  value["inputs"].as_array()[0].as_object()["etag"] = "x";
  EXPECT_EQ(refused(value), "");
}

TEST(TaskOrder, refuses_other_versions_and_unknown_tasks) {
  auto value = sample();
  value["version"] = 2;
  EXPECT_EQ(refused(value), "unsupported: task order: version 2 is not known here");
  value = sample();
  value["task"] = "mine-bitcoin";
  EXPECT_EQ(refused(value), "unsupported: task order: the task \"mine-bitcoin\" is not known here");
  value = sample();
  value.erase("version");
  EXPECT_TRUE(refused(value).starts_with("invalid: task order: /version is required"));
}

TEST(TaskOrder, checks_parameters_against_the_catalogue) {
  auto value = sample();
  value["params"] = {{"scale", 40}, {"range", {{"start_pts", 0}}}};
  const std::string why = refused(value);
  EXPECT_NE(why.find("/params/scale must be at most 8"), std::string::npos) << why;
  EXPECT_NE(why.find("/params/range/end_pts is required"), std::string::npos) << why;
}

TEST(TaskOrder, refuses_wrong_types_and_hostile_values) {
  const auto with = [](std::string_view key, const auto& member) {
    auto value = sample();
    value[key] = json::value_from(member);
    return refused(value);
  };
  EXPECT_NE(with("attempt", "../../etc"), "");
  EXPECT_NE(with("attempt", 7), "");
  EXPECT_NE(with("model", std::string(kMaxModelBytes + 1, 'm')), "");
  EXPECT_NE(with("deadline_s", 0), "");
  EXPECT_NE(with("deadline_s", kMaxDeadlineS + 1), "");
  EXPECT_NE(with("inputs", "clip"), "");
  EXPECT_NE(with("upload", json::object{{"url", "file:///etc/"}, {"token", "t"}}), "");
  EXPECT_NE(with("upload", json::object{{"url", "http://x/no-slash"}, {"token", "t"}}), "");
  EXPECT_NE(with("upload", json::object{{"url", "http://x/"}, {"token", "a b"}}), "");
}

TEST(TaskOrder, refuses_hostile_inputs) {
  const auto with = [](std::string_view key, const auto& member) {
    auto value = sample();
    value["inputs"].as_array()[0].as_object()[key] = json::value_from(member);
    return refused(value);
  };
  EXPECT_NE(with("slot", "mask"), "");
  EXPECT_NE(with("url", "ftp://x/y"), "");
  EXPECT_NE(with("url", "http://x/a b"), "");
  EXPECT_NE(with("url", "http://x/" + std::string(kMaxUrlBytes, 'u')), "");
  EXPECT_NE(with("name", "../clip.mp4"), "");
  EXPECT_NE(with("name", ".."), "");
  EXPECT_NE(with("bytes", -1), "");
  EXPECT_NE(with("bytes", kMaxInputBytes + 1), "");
  EXPECT_NE(with("sha256", "ABC"), "");
}

TEST(TaskOrder, wants_each_required_slot_once) {
  auto value = sample();
  value["inputs"] = json::array();
  EXPECT_NE(refused(value).find("slot \"video\" is required"), std::string::npos);
  value = sample();
  value["inputs"].as_array().push_back(value["inputs"].as_array()[0]);
  EXPECT_NE(refused(value).find("slot \"video\" takes one file"), std::string::npos);
}

TEST(TaskOrder, refuses_more_inputs_than_the_limit) {
  auto value = sample();
  value["task"] = "join";
  value["params"] = json::object();
  json::object chunk{{"slot", "chunk"}, {"url", "http://g/c"}};
  json::array inputs{{{"slot", "source"}, {"url", "http://g/s"}}};
  for (std::size_t i = 1; i < kMaxOrderInputs; ++i) inputs.push_back(chunk);
  value["inputs"] = inputs;
  EXPECT_EQ(refused(value), "");
  inputs.push_back(chunk);
  value["inputs"] = inputs;
  EXPECT_NE(refused(value).find("at most 1025 items"), std::string::npos);
}

TEST(TaskOrder, refuses_a_text_past_the_limit_and_deep_nesting) {
  const auto order = parse_order(std::string(kMaxOrderBytes + 1, ' '));
  ASSERT_FALSE(order);
  EXPECT_EQ(order.error().code, base::ErrorCode::too_large);
  EXPECT_FALSE(parse_order(std::string(100, '[')));
  EXPECT_FALSE(parse_order(""));
  EXPECT_FALSE(parse_order("null"));
}

TEST(FileName, allows_names_of_the_protocol_and_nothing_that_leaves_the_folder) {
  for (const char* good : {"a", "master.m3u8", "720p/seg_0001.ts", "a-b_c.D/e/f", ".hidden"}) EXPECT_TRUE(is_file_name(good)) << good;
  for (const char* bad :
       {"", "/a", "a/", "a//b", "..", "a/../b", "a/..", "x..y", ".", "./a", "a/./b", "a/.", "a b", "a\\b", "a%2fb", "\xc3\xa4"})
    EXPECT_FALSE(is_file_name(bad)) << bad;
  EXPECT_TRUE(is_file_name(std::string(200, 'x')));
  EXPECT_FALSE(is_file_name(std::string(201, 'x')));
  EXPECT_FALSE(is_file_name(std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace kinora::tasks
