#include "nn/shard_index.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nn/load_error.hpp"

namespace kinora::nn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string refusal(const std::string& json) {
  try {
    parse_shard_index(json, "model.safetensors.index.json");
  } catch (const LoadError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(ShardIndex, gives_the_file_of_every_tensor) {
  const auto index =
      parse_shard_index(R"({"weight_map": {"b": "2.safetensors", "a": "1.safetensors", "c": "2.safetensors"}, "x": 1})", "f");
  EXPECT_EQ(index.weight_map.at("b"), "2.safetensors");
  EXPECT_THAT(index.files(), ElementsAre("1.safetensors", "2.safetensors"));
}

TEST(ShardIndex, refuses_what_is_no_index) {
  EXPECT_THAT(refusal(""), HasSubstr("index.json: not a JSON object"));
  EXPECT_THAT(refusal("[]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(refusal("{}"), HasSubstr("weight_map: must be an object"));
  EXPECT_THAT(refusal(R"({"weight_map": {}})"), HasSubstr("weight_map: must be an object"));
  EXPECT_THAT(refusal(R"({"weight_map": ["a"]})"), HasSubstr("weight_map: must be an object"));
  EXPECT_THAT(refusal(R"({"weight_map": {"a": 1}})"), HasSubstr("weight_map.a: must be the plain name"));
  EXPECT_THAT(refusal(std::string(1'000'000, '[')), HasSubstr("not a JSON object"));
  EXPECT_THAT(refusal(std::string(kMaxShardIndexBytes + 1, ' ')), HasSubstr("limit of 32 MiB"));
}

TEST(ShardIndex, cannot_name_a_file_outside_its_folder) {
  for (const char* name : {"../x.safetensors", "/etc/passwd", "a/b.safetensors", "..", ".hidden", "", "a\\\\b", "a\\u0000b"})
    EXPECT_THAT(refusal(std::string(R"({"weight_map": {"a": ")") + name + "\"}}"), HasSubstr("plain name")) << name;
}

TEST(ShardIndex, has_a_limit_of_files) {
  std::string map;
  for (std::size_t i = 0; i <= kMaxShards; ++i) {
    if (i == kMaxShards) EXPECT_EQ(refusal("{\"weight_map\": {" + map + "}}"), "accepted");
    map += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":\"" + std::to_string(i) + ".bin\"";
  }
  EXPECT_THAT(refusal("{\"weight_map\": {" + map + "}}"), HasSubstr("more than the limit of 4096 files"));
}

}  // namespace
}  // namespace kinora::nn
