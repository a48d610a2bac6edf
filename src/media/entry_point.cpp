#include "media/entry_point.hpp"

#include <algorithm>
#include <functional>
#include <vector>

namespace kinora::media {
namespace {

using Bytes = std::span<const std::uint8_t>;

// Calls `visit` with each NAL unit until it returns true; whether one did.
bool any_nal(const AVCodecParameters& parameters, Bytes packet, const std::function<bool(Bytes)>& visit) {
  const bool hevc = parameters.codec_id == AV_CODEC_ID_HEVC;
  const std::uint8_t* extra = parameters.extradata;
  // avcC and hvcC records start with version 1; anything else means start codes.
  const int length_at = hevc ? 21 : 4;
  if (parameters.extradata_size > length_at && extra[0] == 1) {
    const std::size_t length_bytes = (extra[length_at] & 3U) + 1U;
    while (packet.size() > length_bytes) {
      std::size_t size = 0;
      for (std::size_t i = 0; i < length_bytes; ++i) size = size << 8 | packet[i];
      packet = packet.subspan(length_bytes);
      size = std::min(size, packet.size());
      if (size > 0 && visit(packet.first(size))) return true;
      packet = packet.subspan(size);
    }
    return false;
  }
  const auto start_code = [&](std::size_t from) {
    for (std::size_t i = from; i + 3 <= packet.size(); ++i)
      if (packet[i] == 0 && packet[i + 1] == 0 && packet[i + 2] == 1) return i;
    return packet.size();
  };
  for (std::size_t at = start_code(0); at < packet.size();) {
    const std::size_t next = start_code(at + 3);
    const Bytes nal = packet.subspan(at + 3, next - at - 3);
    if (!nal.empty() && visit(nal)) return true;
    at = next;
  }
  return false;
}

// Does this SEI NAL unit hold a recovery point whose count is 0?
bool is_exact_recovery(Bytes nal) {
  // Without emulation prevention bytes (7.4.1). Recovery points stand near the front; long user data may follow.
  constexpr std::size_t kLookAt = 4096;
  std::vector<std::uint8_t> rbsp;
  for (std::size_t i = 1; i < nal.size() && rbsp.size() < kLookAt; ++i) {
    const std::size_t n = rbsp.size();
    if (nal[i] == 3 && n >= 2 && rbsp[n - 1] == 0 && rbsp[n - 2] == 0) continue;
    rbsp.push_back(nal[i]);
  }
  constexpr std::size_t kRecoveryPoint = 6;
  for (std::size_t at = 0; at + 2 < rbsp.size();) {
    const auto value = [&] {
      std::size_t sum = 0;
      while (at < rbsp.size() && rbsp[at] == 0xff) sum += rbsp[at++];
      return at < rbsp.size() ? sum + rbsp[at++] : sum;
    };
    const std::size_t type = value();
    const std::size_t size = value();
    // ue(v) of 0 is a single 1 bit.
    if (type == kRecoveryPoint && at < rbsp.size()) return (rbsp[at] & 0x80) != 0;
    at += size;
  }
  return false;
}

}  // namespace

bool is_entry_point(const AVCodecParameters& parameters, std::span<const std::uint8_t> packet) {
  if (parameters.codec_id == AV_CODEC_ID_H264) {
    return any_nal(parameters, packet, [](Bytes nal) {
      const int type = nal[0] & 0x1f;
      return type == 5 || (type == 6 && is_exact_recovery(nal));
    });
  }
  if (parameters.codec_id == AV_CODEC_ID_HEVC) {
    return any_nal(parameters, packet, [](Bytes nal) {
      const int type = nal[0] >> 1 & 0x3f;
      return type >= 16 && type <= 21;
    });
  }
  return true;
}

}  // namespace kinora::media
