#include "wire/messages.hpp"

#include <gtest/gtest.h>

namespace kinora::wire {
namespace {

TEST(ProtobufLog, is_silent_about_bytes_that_do_not_parse) {
  silence_protobuf();
  testing::internal::CaptureStderr();
  pb::AuthToken token;
  // Field 2 is a string; its one byte is no UTF-8.
  EXPECT_FALSE(token.ParseFromString("\x12\x01\xff"));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace kinora::wire
