#pragma once
// What a stranger's file may make us do. Every limit here has a test that goes past it.
#include <cstdint>

namespace kinora::media {

// 8192 x 8192: holds 8K UHD in any orientation.
inline constexpr std::int64_t kMaxPixels = 8192LL * 8192;
inline constexpr int kMaxSide = 16384;
// Longest side of a picture that we make: 2x of the longest that we take.
inline constexpr int kMaxMadeSide = 32768;
inline constexpr int kMaxStreams = 64;
inline constexpr double kMaxDurationSeconds = 24 * 3600.0;
// How much of a file is read to find out what it is: bytes, and seconds of media.
inline constexpr std::int64_t kMaxProbeBytes = 16 << 20;
inline constexpr std::int64_t kMaxProbeSeconds = 15;
inline constexpr int kMaxRenditions = 10;
inline constexpr int kMaxThreads = 64;
// Frames of one measured pair, and chunks of one plan.
inline constexpr std::int64_t kMaxMeasuredFrames = 10'000'000;
inline constexpr int kMaxChunks = 100'000;

// The part of the limits that a request may tighten (never widen beyond the constants above).
struct Limits {
  std::int64_t max_pixels = kMaxPixels;
  int max_streams = kMaxStreams;
  double max_duration_s = kMaxDurationSeconds;
  std::int64_t max_probe_bytes = kMaxProbeBytes;
};

}  // namespace kinora::media
