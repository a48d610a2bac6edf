#include "nn/safetensors_header.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

namespace kinora::nn {
namespace {

using testing::HasSubstr;

std::string file_with(const std::string& header, std::size_t data_bytes) {
  std::string file(8, '\0');
  const std::uint64_t length = header.size();
  std::memcpy(file.data(), &length, 8);
  return file + header + std::string(data_bytes, '\0');
}

SafetensorsHeader parse(const std::string& file) { return parse_safetensors_header(std::as_bytes(std::span(file)), file.size(), "f"); }

std::string refusal(const std::string& file) {
  try {
    parse(file);
  } catch (const LoadError& error) {
    return error.what();
  }
  return "accepted";
}

std::string refusal(const std::string& header, std::size_t data_bytes) { return refusal(file_with(header, data_bytes)); }

std::string golden(const std::string& name) {
  std::ifstream in(std::string(KINORA_SOURCE_DIR) + "/tests/golden/pth_reader/" + name, std::ios::binary);
  EXPECT_TRUE(in) << name;
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(SafetensorsHeader, reads_tensors_metadata_scalars_and_empty_tensors) {
  const auto header = parse(golden("good_padded_header.safetensors"));
  ASSERT_EQ(header.tensors.size(), 3U);
  EXPECT_EQ(header.metadata.at("k"), "v");
  const TensorEntry* weight = header.find("\u00e9.w");
  ASSERT_NE(weight, nullptr);
  EXPECT_EQ(weight->dtype, Dtype::f16);
  EXPECT_EQ(weight->shape, (std::vector<std::int64_t>{2, 2}));
  ASSERT_NE(header.find("z"), nullptr);
  EXPECT_TRUE(header.find("z")->shape.empty());
  EXPECT_EQ(header.find("z")->end - header.find("z")->begin, 2U);
  EXPECT_EQ(header.find("e")->begin, header.find("e")->end);
  EXPECT_EQ(header.find("absent"), nullptr);
}

TEST(SafetensorsHeader, accepts_a_file_without_tensors) { EXPECT_TRUE(parse(file_with("{}", 0)).tensors.empty()); }

// The reasons are those that the golden case names.
TEST(SafetensorsHeader, refuses_the_hostile_files_of_the_golden_data) {
  EXPECT_THAT(refusal(golden("bad_header_too_long.safetensors")), HasSubstr("limit of 100 MB"));  // 2^40
  EXPECT_THAT(refusal(golden("bad_offsets_overlap.safetensors")), HasSubstr("b: overlaps"));
  EXPECT_THAT(refusal(golden("bad_size_mismatch.safetensors")), HasSubstr("a: its data_offsets do not match shape"));
  EXPECT_THAT(refusal(golden("bad_offsets_out_of_file.safetensors")), HasSubstr("a: its data_offsets leave the file"));
  EXPECT_THAT(refusal(golden("bad_hole.safetensors")), HasSubstr("b: a hole"));
  EXPECT_THAT(refusal(golden("bad_shape_overflow.safetensors")), HasSubstr("a: the product of its shape overflows"));
  EXPECT_THAT(refusal(golden("bad_json.safetensors")), HasSubstr("not JSON"));
}

TEST(SafetensorsHeader, refuses_a_header_over_the_limit_before_reading_it) {
  std::string file(16, '{');
  const std::uint64_t length = kMaxSafetensorsHeaderBytes + 1;
  std::memcpy(file.data(), &length, 8);
  EXPECT_THAT(refusal(file), HasSubstr("limit of 100 MB"));
  const std::uint64_t absurd = ~0ULL;
  std::memcpy(file.data(), &absurd, 8);
  EXPECT_THAT(refusal(file), HasSubstr("limit of 100 MB"));
}

TEST(SafetensorsHeader, refuses_short_files_and_headers_that_are_no_object) {
  EXPECT_THAT(refusal(std::string()), HasSubstr("too short"));
  std::string beyond = file_with("{}", 0);
  beyond[0] = 3;
  EXPECT_THAT(refusal(beyond), HasSubstr("header length lies beyond the file"));
  EXPECT_THAT(refusal(std::string(7, '\0')), HasSubstr("too short"));
  EXPECT_THAT(refusal("", 0), HasSubstr("not a JSON object"));
  EXPECT_THAT(refusal("[]", 0), HasSubstr("not a JSON object"));
  EXPECT_THAT(refusal(" {}", 0), HasSubstr("not a JSON object"));
  EXPECT_THAT(refusal("{} x", 0), HasSubstr("not JSON"));
}

TEST(SafetensorsHeader, refuses_duplicate_names_and_fields) {
  const std::string a = R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]})";
  EXPECT_THAT(refusal("{" + a + "," + a + "}", 1), HasSubstr("a: duplicate name"));
  EXPECT_THAT(refusal(R"({"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1), HasSubstr("given twice"));
  EXPECT_THAT(refusal(R"({"__metadata__":{},"__metadata__":{}})", 0), HasSubstr("duplicate"));
  EXPECT_THAT(refusal(R"({"__metadata__":{"k":"1","k":"2"}})", 0), HasSubstr("duplicate key"));
}

TEST(SafetensorsHeader, refuses_wrong_types_and_missing_or_unknown_fields) {
  EXPECT_THAT(refusal(R"({"a":1})", 0), HasSubstr("a: unexpected a number"));
  EXPECT_THAT(refusal(R"({"a":{"dtype":"U8","shape":[1]}})", 0), HasSubstr("needs dtype, shape and data_offsets"));
  EXPECT_THAT(refusal(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}})", 1), HasSubstr("two numbers"));
  EXPECT_THAT(refusal(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}})", 1), HasSubstr("two numbers"));
  EXPECT_THAT(refusal(R"({"a":{"dtype":"U8","shape":[1.5],"data_offsets":[0,1]}})", 1), HasSubstr("a fraction"));
  EXPECT_THAT(refusal(R"({"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}})", 1), HasSubstr("a negative number"));
  EXPECT_THAT(refusal(R"({"a":{"dtype":"U8","shape":[[1]],"data_offsets":[0,1]}})", 1), HasSubstr("an array"));
  EXPECT_THAT(refusal(R"({"a":{"dtype":"U8","shape":"1","data_offsets":[0,1]}})", 1), HasSubstr("a string"));
  EXPECT_THAT(refusal(R"({"a":{"dtype":"Q4","shape":[1],"data_offsets":[0,1]}})", 1), HasSubstr("unknown dtype \"Q4\""));
  EXPECT_THAT(refusal(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":0}})", 1), HasSubstr("unknown field \"x\""));
  EXPECT_THAT(refusal(R"({"__metadata__":{"k":1}})", 0), HasSubstr("a number"));
}

TEST(SafetensorsHeader, refuses_reversed_offsets_a_rank_over_the_limit_and_trailing_bytes) {
  EXPECT_THAT(refusal(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[1,0]}})", 1), HasSubstr("leave the file"));
  std::string shape = "1";
  for (std::size_t i = 1; i < kMaxTensorRank; ++i) shape += ",1";
  const auto entry = [](const std::string& sides) { return R"({"a":{"dtype":"U8","shape":[)" + sides + R"(],"data_offsets":[0,1]}})"; };
  EXPECT_EQ(parse(file_with(entry(shape), 1)).tensors.front().shape.size(), kMaxTensorRank);
  EXPECT_THAT(refusal(entry(shape + ",1"), 1), HasSubstr("more than 16 dimensions"));
  EXPECT_THAT(refusal(entry("1"), 2), HasSubstr("bytes after the last tensor"));
}

TEST(SafetensorsHeader, survives_deep_nesting) { EXPECT_THAT(refusal("{\"a\":" + std::string(1'000'000, '['), 0), HasSubstr("an array")); }

}  // namespace
}  // namespace kinora::nn
