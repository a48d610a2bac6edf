#include "proc/tool_event.hpp"

#include <gtest/gtest.h>

namespace kinora::proc {
namespace {

using base::ErrorCode;

TEST(ToolEvent, reads_the_types_of_the_protocol) {
  const auto progress = parse_tool_event(R"({"type":"progress","fraction":0.25,"stage":"run","units_done":3})");
  ASSERT_TRUE(progress.has_value());
  const auto& object = std::get<ToolProgress>(*progress).object;
  EXPECT_EQ(object.at("fraction").as_double(), 0.25);
  EXPECT_EQ(object.at("units_done").as_int64(), 3);

  const auto result = parse_tool_event(R"({"type":"result","files":[]})");
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(std::get<ToolResult>(*result).object.at("files").is_array());

  const auto error =
      parse_tool_event(R"({"type":"error","error":{"code":"input_invalid","fault":"client","retryable":false,"detail":"no streams"}})");
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(std::get<ToolError>(*error),
            (ToolError{.code = "input_invalid", .fault = "client", .retryable = false, .detail = "no streams"}));
}

TEST(ToolEvent, passes_over_what_it_does_not_know) {
  for (const char* line : {R"({"type":"hello"})", R"({"balance":0})", R"({})", R"({"type":7})"}) {
    const auto event = parse_tool_event(line);
    ASSERT_TRUE(event.has_value()) << line;
    EXPECT_TRUE(std::holds_alternative<ToolUnknown>(*event)) << line;
  }
}

TEST(ToolEvent, brings_a_fraction_into_its_range) {
  const auto fraction = [](std::string_view json) {
    const auto event = parse_tool_event(json);
    return std::get<ToolProgress>(*event).object.at("fraction").as_double();
  };
  EXPECT_EQ(fraction(R"({"type":"progress","fraction":-3})"), 0.0);
  EXPECT_EQ(fraction(R"({"type":"progress","fraction":7e300})"), 1.0);
  EXPECT_EQ(fraction(R"({"type":"progress","fraction":1})"), 1.0);
  EXPECT_EQ(fraction(R"({"type":"progress","fraction":"half"})"), 0.0);
  EXPECT_EQ(fraction(R"({"type":"progress"})"), 0.0);
}

TEST(ToolEvent, refuses_what_is_no_event) {
  for (const char* line :
       {"", "Segmentation fault", "[1]", "7", R"({"type":"result")", R"({"type":"error"})", R"({"type":"error","error":"x"})",
        R"({"type":"error","error":{"code":"Bad Code","fault":"worker"}})", R"({"type":"error","error":{"code":"","fault":"worker"}})",
        R"({"type":"error","error":{"code":"a","fault":"nobody"}})"}) {
    const auto event = parse_tool_event(line);
    ASSERT_FALSE(event.has_value()) << line;
    EXPECT_EQ(event.error().code, ErrorCode::invalid) << line;
  }
  const auto code = R"({"type":"error","error":{"code":")" + std::string(65, 'a') + R"(","fault":"worker"}})";
  EXPECT_FALSE(parse_tool_event(code).has_value());
}

TEST(ToolEvent, refuses_an_event_past_its_limit) {
  const std::string head = R"({"type":"result","x":")";
  const std::string tail = R"("})";
  const std::string most = head + std::string(kMaxEventBytes - head.size() - tail.size(), 'x') + tail;
  EXPECT_TRUE(parse_tool_event(most).has_value());
  const auto over = parse_tool_event(most + " ");
  ASSERT_FALSE(over.has_value());
  EXPECT_EQ(over.error().code, ErrorCode::too_large);
}

TEST(ToolEvent, cuts_a_long_detail_between_characters) {
  std::string detail;
  for (int i = 0; i < 1001; ++i) detail += "\xC3\xA9";  // é: two bytes each, 2002 in all
  const auto event = parse_tool_event(R"({"type":"error","error":{"code":"a","fault":"worker","detail":"x)" + detail + R"("}})");
  ASSERT_TRUE(event.has_value());
  const auto& cut = std::get<ToolError>(*event).detail;
  EXPECT_EQ(cut.size(), kMaxDetailBytes - 1);  // 1 + 2 * 999: the 1000th é would pass the limit by one byte
  EXPECT_EQ(cut.substr(cut.size() - 2), "\xC3\xA9");
}

TEST(ToolEvent, an_error_that_does_not_say_is_retryable_unless_the_client_is_at_fault) {
  EXPECT_TRUE(std::get<ToolError>(*parse_tool_event(R"({"type":"error","error":{"code":"a","fault":"worker"}})")).retryable);
  EXPECT_FALSE(std::get<ToolError>(*parse_tool_event(R"({"type":"error","error":{"code":"a","fault":"client"}})")).retryable);
}

}  // namespace
}  // namespace kinora::proc
