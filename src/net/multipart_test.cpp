#include "net/multipart.hpp"

#include <gtest/gtest.h>

namespace kinora::net {
namespace {

struct Collector : MultipartParser::Sink {
  base::Status begin(const MultipartPart& part) override {
    parts.push_back({part, ""});
    return {};
  }
  base::Status data(std::string_view bytes) override {
    parts.back().second += bytes;
    return {};
  }
  base::Status end() override {
    ++ended;
    return {};
  }
  std::vector<std::pair<MultipartPart, std::string>> parts;
  std::size_t ended = 0;
};

base::Status parse(Collector& sink, std::string_view text, std::size_t piece = SIZE_MAX, MultipartLimits limits = {}) {
  MultipartParser parser("AaB03x", sink, limits);
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) KINORA_OK(parser.feed(text.substr(0, piece)));
  return parser.finish();
}

constexpr std::string_view kForm =
    "preamble\r\n--AaB03x\r\ncontent-disposition: form-data; name=\"field1\"\r\n\r\nJoe\r\n--AaB0\r\n"
    "--AaB03x\r\nContent-Disposition: form-data; name=\"pics\"; filename=\"file1.txt\"\r\nContent-Type: video/mp4\r\n\r\n"
    "\r\n--AaB03\r\n\r\n--AaB03x--\r\nepilogue";

TEST(MultipartParser, hands_on_parts_whatever_the_pieces) {
  for (std::size_t piece = 1; piece <= kForm.size(); ++piece) {
    Collector sink;
    ASSERT_TRUE(parse(sink, kForm, piece)) << piece;
    ASSERT_EQ(sink.parts.size(), 2u);
    EXPECT_EQ(sink.ended, 2u);
    EXPECT_EQ(sink.parts[0].first.name, "field1");
    EXPECT_EQ(sink.parts[0].first.filename, std::nullopt);
    EXPECT_EQ(sink.parts[0].first.content_type, "text/plain");
    EXPECT_EQ(sink.parts[0].second, "Joe\r\n--AaB0");
    EXPECT_EQ(sink.parts[1].first.filename, "file1.txt");
    EXPECT_EQ(sink.parts[1].first.content_type, "video/mp4");
    EXPECT_EQ(sink.parts[1].second, "\r\n--AaB03\r\n");
  }
}

TEST(MultipartParser, takes_parts_without_bytes_with_and_without_the_empty_line) {
  const std::string head = "--AaB03x\r\nContent-Disposition: form-data; name=\"a\"\r\n";
  for (std::size_t piece = 1; piece < 30; ++piece) {
    for (const char* rest : {"\r\n\r\n--AaB03x--", "\r\n--AaB03x--"}) {
      Collector sink;
      ASSERT_TRUE(parse(sink, head + rest, piece)) << piece;
      ASSERT_EQ(sink.parts.size(), 1u);
      EXPECT_EQ(sink.parts[0].second, "");
    }
  }
}

TEST(MultipartParser, takes_padding_after_a_boundary) {
  Collector sink;
  ASSERT_TRUE(parse(sink, "--AaB03x \t\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--AaB03x--", 1));
  EXPECT_EQ(sink.parts.at(0).second, "x");
}

TEST(MultipartParser, reads_quotes_escapes_and_percent_signs_in_names) {
  Collector sink;
  ASSERT_TRUE(
      parse(sink, "--AaB03x\r\nContent-Disposition: form-data; name=\"a\\\"b%22;c\"; filename=\"C:\\dir\\x.mp4\"\r\n\r\n\r\n--AaB03x--"));
  EXPECT_EQ(sink.parts.at(0).first.name, "a\"b%22;c");
  EXPECT_EQ(sink.parts.at(0).first.filename, "C:\\dir\\x.mp4");
}

TEST(MultipartParser, refuses_malformed_bodies) {
  for (const char* text :
       {"", "no boundary", "--AaB03x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nno end", "--AaB03xjunk\r\n\r\n",
        "--AaB03x\r\nContent-Type: text/plain\r\n\r\nno name\r\n--AaB03x--", "--AaB03x\r\nno colon\r\n\r\nx\r\n--AaB03x--",
        "--AaB03x\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\nx\r\n--AaB03x--",
        "--AaB03x\r\nContent-Disposition: form-data; name=\"a\r\n\r\nx\r\n--AaB03x--",
        "--AaB03x\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\nx\r\n--AaB03x--"}) {
    Collector sink;
    const auto parsed = parse(sink, text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, base::ErrorCode::invalid) << text;
  }
}

TEST(MultipartParser, stops_past_its_limits) {
  const std::string part = "--AaB03x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n";
  Collector two;
  EXPECT_TRUE(parse(two, part + part + "--AaB03x--", SIZE_MAX, {2, 8192}));
  Collector three;
  EXPECT_EQ(parse(three, part + part + part + "--AaB03x--", SIZE_MAX, {2, 8192}).error().code, base::ErrorCode::too_large);
  Collector header;
  EXPECT_EQ(parse(header, "--AaB03x\r\nX: " + std::string(9000, 'x'), 100).error().code, base::ErrorCode::too_large);
  Collector padding;
  EXPECT_FALSE(parse(padding, "--AaB03x" + std::string(9000, ' '), 100));
}

TEST(MultipartBoundary, follows_rfc_2046) {
  EXPECT_EQ(multipart_boundary("multipart/form-data; boundary=AaB03x").value(), "AaB03x");
  EXPECT_EQ(multipart_boundary("Multipart/Form-Data; charset=utf-8; boundary=\"gc0pJq0M:08jU534c0p\"").value(), "gc0pJq0M:08jU534c0p");
  EXPECT_TRUE(multipart_boundary("multipart/form-data; boundary=" + std::string(70, 'x')));
  for (const std::string& type :
       {std::string("multipart/form-data"), std::string("multipart/form-data; boundary="), std::string("multipart/mixed; boundary=x"),
        std::string("text/plain"), std::string(), "multipart/form-data; boundary=" + std::string(71, 'x'),
        std::string("multipart/form-data; boundary=\"a \""), std::string("multipart/form-data; boundary=a\"b"),
        std::string("multipart/form-data; boundary=\"x")}) {
    EXPECT_FALSE(multipart_boundary(type)) << type;
  }
}

}  // namespace
}  // namespace kinora::net
