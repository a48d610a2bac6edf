#include "net/websocket_frame.hpp"

#include <openssl/sha.h>

#include <array>
#include <optional>

#include "base/bytes.hpp"

namespace kinora::net {
namespace {

constexpr std::size_t kMaxControlBytes = 125;
constexpr std::size_t kMaskBytes = 4;

tl::unexpected<WsFault> fault(WsClose code, std::string reason) { return tl::unexpected<WsFault>(WsFault{code, std::move(reason)}); }

bool control(std::uint8_t opcode) { return (opcode & 8) != 0; }

bool known(std::uint8_t opcode) { return opcode <= 2 || (opcode >= 8 && opcode <= 10); }

// Codes that a peer may send (RFC 6455 7.4): the registered ones and those for libraries and applications.
bool may_be_sent(std::uint16_t code) {
  return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) || (code >= 3000 && code <= 4999);
}

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

}  // namespace

struct WsParser::Header {
  bool final = false;
  std::uint8_t opcode = 0;
  std::uint64_t length = 0;
  std::size_t size = 0;  // of the header itself
  std::array<char, kMaskBytes> mask{};
};

tl::expected<std::vector<WsMessage>, WsFault> WsParser::feed(std::string_view bytes) {
  buffer_ += bytes;
  std::vector<WsMessage> out;
  for (;;) {
    const auto taken = take_frame(out);
    if (!taken) return tl::unexpected<WsFault>(taken.error());
    if (!*taken) return out;
  }
}

tl::expected<bool, WsFault> WsParser::take_frame(std::vector<WsMessage>& out) {
  const std::string_view in = buffer_;
  if (in.size() < 2) return false;
  const auto first = static_cast<std::uint8_t>(in[0]);
  const auto second = static_cast<std::uint8_t>(in[1]);
  Header header;
  header.final = (first & 0x80) != 0;
  header.opcode = first & 0x0f;
  if ((first & 0x70) != 0) return fault(WsClose::protocol_error, "a reserved bit is set");
  if (!known(header.opcode)) return fault(WsClose::protocol_error, "an unknown opcode");
  if ((second & 0x80) == 0) return fault(WsClose::protocol_error, "a client's frame must be masked");
  const std::uint8_t short_length = second & 0x7f;
  const std::size_t extended = short_length == 126 ? 2 : short_length == 127 ? 8 : 0;
  if (control(header.opcode) && (extended > 0 || !header.final))
    return fault(WsClose::protocol_error, "a control frame is short and whole");
  header.size = 2 + extended + kMaskBytes;
  if (in.size() < header.size) return false;
  header.length = extended == 0 ? short_length : big_endian(in.substr(2, extended));
  if ((extended == 2 && header.length < 126) || (extended == 8 && (header.length < 65536 || header.length >> 63 != 0)))
    return fault(WsClose::protocol_error, "a length that is not written as short as possible");
  if (!control(header.opcode)) {
    if (header.opcode == 0 && !in_message_) return fault(WsClose::protocol_error, "nothing to continue");
    if (header.opcode != 0 && in_message_) return fault(WsClose::protocol_error, "a message inside another");
    if (header.length > max_ - message_.size())
      return fault(WsClose::too_large, "a message holds at most " + std::to_string(max_) + " bytes");
  }
  if (in.size() - header.size < header.length) return false;

  std::string payload(in.substr(header.size, header.length));
  for (std::size_t i = 0; i < payload.size(); ++i)
    payload[i] = static_cast<char>(payload[i] ^ in[header.size - kMaskBytes + i % kMaskBytes]);
  buffer_.erase(0, header.size + header.length);
  if (control(header.opcode)) {
    const auto taken = take_control(static_cast<WsKind>(header.opcode), std::move(payload), out);
    if (!taken) return tl::unexpected<WsFault>(taken.error());
    return true;
  }
  if (header.opcode != 0) message_kind_ = static_cast<WsKind>(header.opcode);
  message_ += payload;
  in_message_ = !header.final;
  if (!header.final) return true;
  if (message_kind_ == WsKind::text && !is_utf8(message_)) return fault(WsClose::invalid_text, "the text is not UTF-8");
  out.push_back({message_kind_, std::exchange(message_, {}), 0});
  return true;
}

tl::expected<void, WsFault> WsParser::take_control(WsKind kind, std::string payload, std::vector<WsMessage>& out) {
  WsMessage message{kind, std::move(payload), 0};
  if (kind == WsKind::close) {
    if (message.data.size() == 1) return fault(WsClose::protocol_error, "half a close code");
    message.code = static_cast<std::uint16_t>(WsClose::none_given);
    if (message.data.size() >= 2) {
      message.code = static_cast<std::uint16_t>(big_endian(std::string_view(message.data).substr(0, 2)));
      message.data.erase(0, 2);
      if (!may_be_sent(message.code)) return fault(WsClose::protocol_error, "a close code that must not be sent");
      if (!is_utf8(message.data)) return fault(WsClose::invalid_text, "the reason is not UTF-8");
    }
  }
  out.push_back(std::move(message));
  return {};
}

std::string ws_frame(WsKind kind, std::string_view payload) {
  std::string out;
  out += static_cast<char>(0x80 | static_cast<std::uint8_t>(kind));
  const auto append_length = [&](int bytes) {
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out += static_cast<char>(payload.size() >> shift & 0xff);
  };
  if (payload.size() < 126) {
    out += static_cast<char>(payload.size());
  } else if (payload.size() < 65536) {
    out += static_cast<char>(126);
    append_length(2);
  } else {
    out += static_cast<char>(127);
    append_length(8);
  }
  out += payload;
  return out;
}

std::string ws_close_payload(WsClose code, std::string_view reason) {
  const auto value = static_cast<std::uint16_t>(code);
  std::string out{static_cast<char>(value >> 8), static_cast<char>(value & 0xff)};
  out += reason.substr(0, kMaxControlBytes - 2);
  return out;
}

bool is_utf8(std::string_view text) {
  // RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF.
  for (std::size_t i = 0; i < text.size();) {
    const auto at = [&](std::size_t n) { return i + n < text.size() ? static_cast<std::uint8_t>(text[i + n]) : std::uint8_t{0}; };
    const auto tail = [&](std::size_t n) { return (at(n) & 0xc0) == 0x80; };
    const std::uint8_t lead = at(0);
    if (lead < 0x80) {
      ++i;
    } else if (lead >= 0xc2 && lead <= 0xdf && tail(1)) {
      i += 2;
    } else if (lead >= 0xe0 && lead <= 0xef && tail(1) && tail(2) && !(lead == 0xe0 && at(1) < 0xa0) && !(lead == 0xed && at(1) > 0x9f)) {
      i += 3;
    } else if (lead >= 0xf0 && lead <= 0xf4 && tail(1) && tail(2) && tail(3) && !(lead == 0xf0 && at(1) < 0x90) &&
               !(lead == 0xf4 && at(1) > 0x8f)) {
      i += 4;
    } else {
      return false;
    }
  }
  return true;
}

std::string ws_accept(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  base::Bytes digest(SHA_DIGEST_LENGTH);
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return base::to_base64(digest);
}

}  // namespace kinora::net
