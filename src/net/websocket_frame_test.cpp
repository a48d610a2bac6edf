#include "net/websocket_frame.hpp"

#include <gtest/gtest.h>

#include "base/bytes.hpp"

namespace kinora::net {
namespace {

std::string hex(std::string_view text) { return std::string(base::as_text(base::from_hex(text).value())); }

// A client's frame with the mask of RFC 6455 5.7.
std::string masked(std::uint8_t first, std::string_view payload) {
  const std::string mask = hex("37fa213d");
  std::string out{static_cast<char>(first)};
  if (payload.size() < 126) {
    out += static_cast<char>(0x80 | payload.size());
  } else if (payload.size() < 65536) {
    out += {static_cast<char>(0xfe), static_cast<char>(payload.size() >> 8), static_cast<char>(payload.size())};
  } else {
    out += static_cast<char>(0xff);
    for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(static_cast<std::uint64_t>(payload.size()) >> shift);
  }
  out += mask;
  for (std::size_t i = 0; i < payload.size(); ++i) out += static_cast<char>(payload[i] ^ mask[i % 4]);
  return out;
}

std::vector<WsMessage> good(std::string_view bytes, std::size_t max = 1 << 20) {
  WsParser parser(max);
  auto out = parser.feed(bytes);
  EXPECT_TRUE(out) << out.error().reason;
  return out.value_or(std::vector<WsMessage>{});
}

WsClose fault(std::string_view bytes, std::size_t max = 1 << 20) {
  WsParser parser(max);
  const auto out = parser.feed(bytes);
  EXPECT_FALSE(out) << "taken";
  return out ? WsClose::normal : out.error().code;
}

// The examples of RFC 6455 5.7 and 1.3.
TEST(WebSocketFrame, reads_the_masked_hello_of_the_standard) {
  const auto messages = good(hex("818537fa213d7f9f4d5158"));
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].kind, WsKind::text);
  EXPECT_EQ(messages[0].data, "Hello");
}

TEST(WebSocketFrame, writes_the_unmasked_frames_of_the_standard) {
  EXPECT_EQ(ws_frame(WsKind::text, "Hello"), hex("810548656c6c6f"));
  EXPECT_EQ(ws_frame(WsKind::ping, "Hello"), hex("890548656c6c6f"));
  EXPECT_EQ(ws_frame(WsKind::binary, std::string(256, 'x')).substr(0, 4), hex("827e0100"));
  EXPECT_EQ(ws_frame(WsKind::binary, std::string(65536, 'x')).substr(0, 10), hex("827f0000000000010000"));
}

TEST(WebSocketFrame, answers_the_key_of_the_standard) { EXPECT_EQ(ws_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="); }

TEST(WebSocketFrame, joins_fragments_around_control_frames) {
  const auto messages = good(masked(0x01, "Hel") + masked(0x89, "?") + masked(0x80, "lo") + masked(0x82, "x"));
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_EQ(messages[0].kind, WsKind::ping);
  EXPECT_EQ(messages[1].data, "Hello");
  EXPECT_EQ(messages[2].kind, WsKind::binary);
}

TEST(WebSocketFrame, says_the_same_whatever_the_pieces) {
  const std::string bytes = masked(0x01, "a") + masked(0x80, std::string(200, 'b')) + masked(0x81, std::string(70000, 'c'));
  WsParser parser(1 << 20);
  std::vector<WsMessage> out;
  for (const char c : bytes) {
    auto messages = parser.feed(std::string_view(&c, 1));
    ASSERT_TRUE(messages);
    std::move(messages->begin(), messages->end(), std::back_inserter(out));
  }
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[0].data.size(), 201u);
  EXPECT_EQ(out[1].data, std::string(70000, 'c'));
}

TEST(WebSocketFrame, reads_a_close_with_code_and_reason) {
  const auto messages = good(masked(0x88, hex("03e8") + "bye") + masked(0x88, ""));
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0].code, 1000);
  EXPECT_EQ(messages[0].data, "bye");
  EXPECT_EQ(messages[1].code, 1005);
}

TEST(WebSocketFrame, refuses_what_the_standard_forbids) {
  EXPECT_EQ(fault(hex("810548656c6c6f")), WsClose::protocol_error) << "not masked";
  EXPECT_EQ(fault(masked(0xc1, "x")), WsClose::protocol_error) << "reserved bit";
  EXPECT_EQ(fault(masked(0x83, "x")), WsClose::protocol_error) << "unknown opcode";
  EXPECT_EQ(fault(masked(0x8b, "x")), WsClose::protocol_error) << "unknown control opcode";
  EXPECT_EQ(fault(masked(0x09, "x")), WsClose::protocol_error) << "fragmented control frame";
  EXPECT_EQ(fault(masked(0x89, std::string(126, 'x'))), WsClose::protocol_error) << "long control frame";
  EXPECT_EQ(fault(masked(0x80, "x")), WsClose::protocol_error) << "nothing to continue";
  EXPECT_EQ(fault(masked(0x01, "x") + masked(0x81, "y")), WsClose::protocol_error) << "a message inside another";
  EXPECT_EQ(fault(hex("81fe000537fa213d")), WsClose::protocol_error) << "a length written too long";
  EXPECT_EQ(fault(hex("81ff000000000000000537fa213d")), WsClose::protocol_error);
  EXPECT_EQ(fault(hex("81ff800000000000000037fa213d")), WsClose::protocol_error) << "the highest bit of a length";
  EXPECT_EQ(fault(masked(0x88, "x")), WsClose::protocol_error) << "half a code";
  for (const char* code : {"03e7", "03ec", "03ed", "03ee", "03f7", "0000", "07d0", "1388"})
    EXPECT_EQ(fault(masked(0x88, hex(code))), WsClose::protocol_error) << code;
}

TEST(WebSocketFrame, refuses_text_that_is_not_utf8) {
  EXPECT_EQ(fault(masked(0x81, "\xc3\x28")), WsClose::invalid_text);
  EXPECT_EQ(fault(masked(0x88, hex("03e8") + "\xff")), WsClose::invalid_text);
  EXPECT_EQ(good(masked(0x01, "\xc3") + masked(0x80, "\xa9")).at(0).data, "\xc3\xa9") << "a character may be cut";
  EXPECT_EQ(good(masked(0x82, "\xff")).at(0).data, "\xff") << "binary is anything";
}

TEST(WebSocketFrame, bounds_a_message_before_it_has_arrived) {
  EXPECT_EQ(fault(hex("81fe0400") + std::string(4, 'm'), 1000), WsClose::too_large);
  EXPECT_EQ(fault(masked(0x01, std::string(600, 'a')) + masked(0x80, std::string(600, 'b')), 1000), WsClose::too_large);
  EXPECT_EQ(fault(hex("82ff7fffffffffffffff") + std::string(4, 'm'), 1000), WsClose::too_large);
  EXPECT_EQ(good(masked(0x81, std::string(1000, 'a')), 1000).at(0).data.size(), 1000u);
}

TEST(Utf8, is_that_of_rfc_3629) {
  for (const char* text : {"", "abc", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
                           "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"})
    EXPECT_TRUE(is_utf8(text));
  for (const char* text : {"\x80", "\xc0\x80", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xe2\x82", "\xf0\x8f\xbf\xbf",
                           "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"})
    EXPECT_FALSE(is_utf8(text)) << base::to_hex(base::as_bytes(text));
}

}  // namespace
}  // namespace kinora::net
