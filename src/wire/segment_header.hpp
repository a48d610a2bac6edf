#pragma once
// The Livepeer-Segment header of a transcoding request: base64 of the protobuf message SegData.
// Source: go-livepeer 0.9.1 server/segment_rpc.go, core/livepeernode types. Pure; parse faces strangers.
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "wire/messages.hpp"

namespace kinora::wire {

inline constexpr std::size_t kMaxSegmentHeaderBytes = 32 * 1024;  // base64 text
inline constexpr int kMaxRenditions = 64;
inline constexpr std::chrono::milliseconds kMaxSegmentDuration{300'000};
inline constexpr std::chrono::milliseconds kUnknownSegmentDuration{2'000};  // what duration 0 means

// One wanted rendition as the wire has it.
struct RenditionProfile {
  std::string name;
  std::int32_t width = 0;
  std::int32_t height = 0;
  std::int32_t bitrate = 0;   // bit/s
  std::uint32_t fps = 0;      // 0: as the source
  std::uint32_t fps_den = 0;  // 0: 1
  pb::VideoProfile::Format format = pb::VideoProfile::MPEGTS;
  pb::VideoProfile::Profile profile = pb::VideoProfile::ENCODER_DEFAULT;
  pb::VideoProfile::VideoCodec encoder = pb::VideoProfile::H264;
  std::int32_t gop_ms = 0;  // -1: intra only; 0: the encoder's choice
  std::uint32_t quality = 0;
  friend bool operator==(const RenditionProfile&, const RenditionProfile&) = default;
};

struct SegmentHeader {
  pb::SegData message;  // as received
  std::vector<RenditionProfile> profiles;
  std::chrono::milliseconds duration{};
};

// Error texts are the protocol's: "ErrorSegEncoding" (no base64), "invalid duration", "unrecognized profile output format", ...
base::Result<SegmentHeader> parse_segment_header(std::string_view header);

// Puts the profiles into the list that old readers of such profiles understand (fullProfiles, 2 or 3), and the literal
// "invalid" into the legacy field, as the reference does. Profiles need a name: it takes part in the signature.
void set_profiles(pb::SegData& message, const std::vector<RenditionProfile>& profiles);
std::string format_segment_header(const pb::SegData& message);

}  // namespace kinora::wire
