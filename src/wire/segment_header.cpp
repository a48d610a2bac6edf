#include "wire/segment_header.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.hpp"

namespace kinora::wire {
namespace {

using base::ErrorCode;
using base::fail;

base::Result<RenditionProfile> decode(const pb::VideoProfile& message) {
  if (!pb::VideoProfile::Format_IsValid(message.format())) return fail(ErrorCode::invalid, "unrecognized profile output format");
  if (!pb::VideoProfile::Profile_IsValid(message.profile())) return fail(ErrorCode::invalid, "unrecognized encoder profile");
  if (!pb::VideoProfile::VideoCodec_IsValid(message.encoder())) return fail(ErrorCode::invalid, "unrecognized video codec");
  if (message.width() < 0 || message.height() < 0 || message.bitrate() < 0) return fail(ErrorCode::invalid, "negative size or bitrate");
  RenditionProfile profile;
  profile.name = message.name();
  profile.width = message.width();
  profile.height = message.height();
  profile.bitrate = message.bitrate();
  profile.fps = message.fps();
  profile.fps_den = message.fpsden();
  profile.format = message.format();
  profile.profile = message.profile();
  profile.encoder = message.encoder();
  profile.gop_ms = message.gop();
  profile.quality = message.quality();
  // The orchestrator's name for a rendition without one.
  if (profile.name.empty()) profile.name = fmt::format("net_{}x{}_{}", profile.width, profile.height, profile.bitrate);
  return profile;
}

const google::protobuf::RepeatedPtrField<pb::VideoProfile>& newest_list(const pb::SegData& message) {
  if (!message.fullprofiles3().empty()) return message.fullprofiles3();
  if (!message.fullprofiles2().empty()) return message.fullprofiles2();
  return message.fullprofiles();
}

pb::VideoProfile encode(const RenditionProfile& profile) {
  pb::VideoProfile message;
  message.set_name(profile.name);
  message.set_width(profile.width);
  message.set_height(profile.height);
  message.set_bitrate(profile.bitrate);
  message.set_fps(profile.fps);
  message.set_fpsden(profile.fps_den);
  message.set_format(profile.format);
  message.set_profile(profile.profile);
  message.set_encoder(profile.encoder);
  message.set_gop(profile.gop_ms);
  message.set_quality(profile.quality);
  return message;
}

}  // namespace

base::Result<SegmentHeader> parse_segment_header(std::string_view header) {
  if (header.size() > kMaxSegmentHeaderBytes) return fail(ErrorCode::too_large, "segment header too large");
  const auto bytes = base::from_base64(header);
  if (!bytes) return fail(ErrorCode::invalid, "ErrorSegEncoding");
  SegmentHeader parsed;
  if (!parsed.message.ParseFromArray(bytes->data(), static_cast<int>(bytes->size()))) {
    return fail(ErrorCode::invalid, "segment data is no valid message");
  }
  const auto& profiles = newest_list(parsed.message);
  if (profiles.size() > kMaxRenditions) return fail(ErrorCode::too_large, "too many renditions");
  for (const auto& message : profiles) {
    KINORA_TRY(auto profile, decode(message));
    parsed.profiles.push_back(std::move(profile));
  }
  parsed.duration = std::chrono::milliseconds(parsed.message.duration());
  if (parsed.duration.count() < 0 || parsed.duration > kMaxSegmentDuration) return fail(ErrorCode::invalid, "invalid duration");
  if (parsed.duration.count() == 0) parsed.duration = kUnknownSegmentDuration;
  return parsed;
}

void set_profiles(pb::SegData& message, const std::vector<RenditionProfile>& profiles) {
  message.set_profiles("invalid");
  message.clear_fullprofiles();
  message.clear_fullprofiles2();
  message.clear_fullprofiles3();
  const bool plain = std::all_of(profiles.begin(), profiles.end(), [](const auto& profile) {
    return profile.fps_den == 0 && profile.profile == pb::VideoProfile::ENCODER_DEFAULT && profile.gop_ms == 0;
  });
  const bool transport_stream =
      std::all_of(profiles.begin(), profiles.end(), [](const auto& profile) { return profile.format == pb::VideoProfile::MPEGTS; });
  auto* list = !plain             ? message.mutable_fullprofiles3()
               : transport_stream ? message.mutable_fullprofiles()
                                  : message.mutable_fullprofiles2();
  for (const auto& profile : profiles) *list->Add() = encode(profile);
}

std::string format_segment_header(const pb::SegData& message) { return base::to_base64(base::as_bytes(message.SerializeAsString())); }

}  // namespace kinora::wire
