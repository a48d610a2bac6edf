#pragma once
// Can decoding start at this packet and give exactly the pictures that follow it in time? Inside this room only.
#include <cstdint>
#include <span>

#include "media/av.hpp"

namespace kinora::media {

// For packets that the container calls key frames. Containers also mark plain intra pictures, after which pictures may still
// refer further back. True for H.264: an IDR picture, or a recovery point SEI with recovery_frame_cnt 0 (H.264 D.2.8);
// HEVC: an IRAP picture (nal_unit_type 16..21, H.265 7.4.2.2); any other codec: taken at the container's word.
bool is_entry_point(const AVCodecParameters& parameters, std::span<const std::uint8_t> packet);

}  // namespace kinora::media
