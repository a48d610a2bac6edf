#include "net/sse.hpp"

#include <gtest/gtest.h>

namespace kinora::net {
namespace {

std::vector<SseEvent> parse(std::string_view text, std::size_t piece = SIZE_MAX) {
  SseParser parser;
  std::vector<SseEvent> all;
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    const auto events = parser.feed(text.substr(0, piece)).value();
    all.insert(all.end(), events.begin(), events.end());
  }
  return all;
}

TEST(FormatSse, leaves_out_what_is_the_default) {
  EXPECT_EQ(format_sse({"message", "hi", ""}), "data: hi\n\n");
  EXPECT_EQ(format_sse({"progress", "{}", "7"}), "id: 7\nevent: progress\ndata: {}\n\n");
}

TEST(FormatSse, cuts_data_into_lines_and_keeps_other_fields_on_one) {
  EXPECT_EQ(format_sse({"message", "a\nb\r\nc\rd", ""}), "data: a\ndata: b\ndata: c\ndata: d\n\n");
  EXPECT_EQ(format_sse({"x\ndata: y", "", "1\r2"}), "id: 1 2\nevent: x data: y\ndata: \n\n");
}

// The examples of WHATWG HTML 9.2.6.
TEST(SseParser, reads_the_examples_of_the_standard) {
  const auto stocks = parse("data: YHOO\ndata: +2\ndata: 10\n\n");
  ASSERT_EQ(stocks.size(), 1u);
  EXPECT_EQ(stocks[0].data, "YHOO\n+2\n10");
  EXPECT_EQ(stocks[0].type, "message");

  const auto ids = parse(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n");
  ASSERT_EQ(ids.size(), 3u);
  EXPECT_EQ(ids[0].id, "1");
  EXPECT_EQ(ids[1].data, "second event");
  EXPECT_EQ(ids[1].id, "");
  EXPECT_EQ(ids[2].data, " third event");

  const auto blanks = parse("data\n\ndata\ndata\n\ndata:");
  ASSERT_EQ(blanks.size(), 2u);
  EXPECT_EQ(blanks[0].data, "");
  EXPECT_EQ(blanks[1].data, "\n");
}

TEST(SseParser, takes_all_line_ends_in_pieces_of_any_size) {
  const std::string text = "\xEF\xBB\xBFid: 9\r\nevent: a\rdata: 1\n\r\nevent: b\r\rdata: 2\r\n\r\n";
  for (std::size_t piece = 1; piece < text.size(); ++piece) {
    const auto events = parse(text, piece);
    ASSERT_EQ(events.size(), 2u) << piece;
    EXPECT_EQ(events[0].type, "a");
    EXPECT_EQ(events[0].data, "1");
    EXPECT_EQ(events[0].id, "9");
    EXPECT_EQ(events[1].type, "message");
    EXPECT_EQ(events[1].id, "9") << "the last id stays";
  }
}

TEST(SseParser, reads_what_format_sse_writes) {
  const SseEvent event{"result", "line one\n\nline three\n", "id-1"};
  const auto events = parse(format_sse(event), 3);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].type, event.type);
  EXPECT_EQ(events[0].data, event.data);
  EXPECT_EQ(events[0].id, event.id);
}

TEST(SseParser, stops_past_its_limit) {
  SseParser line(100);
  EXPECT_TRUE(line.feed("data: " + std::string(94, 'x')));
  EXPECT_EQ(line.feed("x").error().code, base::ErrorCode::too_large);
  SseParser lines(100);
  base::Result<std::vector<SseEvent>> fed = std::vector<SseEvent>{};
  for (int i = 0; i < 20 && fed; ++i) fed = lines.feed("data: 12345678\n");
  EXPECT_EQ(fed.error().code, base::ErrorCode::too_large);
}

}  // namespace
}  // namespace kinora::net
