#include "nn/gguf/gguf_header.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iterator>

#include "nn/load_error.hpp"

namespace kinora::nn::gguf {
namespace {

using testing::HasSubstr;

template <class T>
std::string number(T value) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}
std::string text(const std::string& value) { return number<std::uint64_t>(value.size()) + value; }
std::string tensor(const std::string& name, const std::vector<std::uint64_t>& fastest_first, std::uint32_t type, std::uint64_t offset) {
  std::string entry = text(name) + number(static_cast<std::uint32_t>(fastest_first.size()));
  for (const auto side : fastest_first) entry += number(side);
  return entry + number(type) + number(offset);
}
// Version 3, as ggml/docs/gguf.md lays it out; the data begin at the next multiple of 32.
std::string file(const std::vector<std::string>& values, const std::vector<std::string>& tensors, std::size_t data_bytes) {
  std::string bytes = "GGUF" + number<std::uint32_t>(3) + number<std::uint64_t>(tensors.size()) + number<std::uint64_t>(values.size());
  for (const auto& value : values) bytes += value;
  for (const auto& entry : tensors) bytes += entry;
  bytes.resize((bytes.size() + 31) / 32 * 32 + data_bytes);
  return bytes;
}
Header parse(const std::string& bytes) { return parse_gguf_header(std::as_bytes(std::span(bytes)), "m.gguf"); }
std::string refusal(const std::string& bytes) {
  try {
    parse(bytes);
  } catch (const LoadError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(GgufHeader, gives_names_shapes_slowest_first_and_places) {
  const auto bytes = file({text("general.architecture") + number<std::uint32_t>(8) + text("wan")},
                          {tensor("a", {3, 2}, 0, 0), tensor("b", {64, 2}, 8, 32)}, 32 + 136);
  const auto header = parse(bytes);
  EXPECT_EQ(header.texts.at("general.architecture"), "wan");
  EXPECT_EQ(header.tensors.at(0).shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(header.tensors.at(1).type.name, "Q8_0");
  EXPECT_EQ(header.tensors.at(1).bytes, 136U);  // 4 blocks of 34
  EXPECT_EQ(header.tensors.at(1).begin + 136, bytes.size());
}

TEST(GgufHeader, refuses_files_that_lie) {
  EXPECT_THAT(refusal("GGML1234"), HasSubstr("is no GGUF file"));
  EXPECT_THAT(refusal("GGUF" + number<std::uint32_t>(1)), HasSubstr("version 1; read are 2 and 3"));
  EXPECT_THAT(refusal("GGUF" + number<std::uint32_t>(3)), HasSubstr("ends early"));
  EXPECT_THAT(refusal("GGUF" + number<std::uint32_t>(3) + number(~0ULL) + number(0ULL)), HasSubstr("1 000 000 tensors"));
  EXPECT_THAT(refusal("GGUF" + number<std::uint32_t>(3) + number(0ULL) + number(~0ULL)), HasSubstr("1 000 000 metadata"));
  EXPECT_THAT(refusal(file({}, {tensor("a", {3, 2}, 0, 0)}, 23)), HasSubstr("a: its data leave the file"));
  EXPECT_THAT(refusal(file({}, {tensor("a", {3, 2}, 0, ~31ULL)}, 64)), HasSubstr("a: its data leave the file"));
  EXPECT_THAT(refusal(file({}, {tensor("a", {3, 2}, 0, 4)}, 64)), HasSubstr("a: its data are not aligned"));
  EXPECT_THAT(refusal(file({}, {tensor("a", {1ULL << 40, 1ULL << 40}, 0, 0)}, 64)), HasSubstr("a: the product of its shape overflows"));
  EXPECT_THAT(refusal(file({}, {tensor("a", {~0ULL}, 0, 0)}, 64)), HasSubstr("a: the product of its shape overflows"));
  EXPECT_THAT(refusal(file({}, {tensor("a", {33}, 8, 0)}, 64)), HasSubstr("a: its rows are no whole blocks of 32"));
  EXPECT_THAT(refusal(file({}, {tensor("a", {32}, 99, 0)}, 64)), HasSubstr("a: has element type 99, which is not read"));
  EXPECT_THAT(refusal(file({}, {tensor("a", std::vector<std::uint64_t>(17, 1), 0, 0)}, 64)), HasSubstr("more than 16 dimensions"));
  EXPECT_THAT(refusal(file({}, {tensor("a", {1}, 0, 0), tensor("a", {1}, 0, 32)}, 64)), HasSubstr("a: is there twice"));
  EXPECT_THAT(refusal(file({text("k") + number<std::uint32_t>(77)}, {}, 0)), HasSubstr("metadata of unknown kind 77"));
  EXPECT_THAT(refusal(file({text("k") + number<std::uint32_t>(9) + number<std::uint32_t>(6) + number(~0ULL)}, {}, 0)),
              HasSubstr("longer than the file"));
  EXPECT_THAT(refusal(file({text("k") + number<std::uint32_t>(9) + number<std::uint32_t>(9) + number(1ULL)}, {}, 0)),
              HasSubstr("unknown kind 9"));
  EXPECT_THAT(refusal(file({text("general.alignment") + number<std::uint32_t>(4) + number<std::uint32_t>(0)}, {}, 0)),
              HasSubstr("general.alignment must"));
}

TEST(GgufHeader, any_changed_byte_gives_an_error_or_tensors_that_lie_in_the_file) {
  std::ifstream in(std::string(KINORA_SOURCE_DIR) + "/tests/golden/gguf_types/types.gguf", std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  const auto end = parse(bytes).tensors.front().begin;
  for (std::size_t i = 0; i < end; ++i) {
    for (const unsigned flip : {0x01U, 0x20U, 0x80U, 0xffU}) {
      bytes[i] = static_cast<char>(static_cast<unsigned char>(bytes[i]) ^ flip);
      try {
        for (const auto& entry : parse(bytes).tensors) ASSERT_LE(entry.begin + entry.bytes, bytes.size());
      } catch (const LoadError&) {
      }
      bytes[i] = static_cast<char>(static_cast<unsigned char>(bytes[i]) ^ flip);
    }
  }
}

}  // namespace
}  // namespace kinora::nn::gguf
