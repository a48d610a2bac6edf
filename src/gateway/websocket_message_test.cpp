#include "gateway/websocket_message.hpp"

#include <gtest/gtest.h>

namespace kinora::gateway {
namespace {

TEST(WebSocketMessage, a_preview_is_its_header_with_a_length_in_front_then_the_picture) {
  const json::object data{{"artifact", "art_1"}, {"mime", "image/jpeg"}, {"step", 12}, {"at", 0.5}};
  const std::string frame = ws_preview("job_1", data, std::string_view("\xff\xd8\0x", 4));
  const std::string header = R"({"subject":"job_1","mime":"image/jpeg","step":12,"at":5E-1})";
  EXPECT_EQ(frame, std::string("\0\0\0", 3) + static_cast<char>(header.size()) + header + std::string("\xff\xd8\0x", 4));
}

}  // namespace
}  // namespace kinora::gateway
