#pragma once
// One picture of a video, upright and with square pixels.
#include <cstdint>
#include <optional>
#include <string>

#include "media/image.hpp"
#include "media/limits.hpp"

namespace kinora::media {

// Times past the end give the last frame, but not any number.
inline constexpr double kMaxThumbnailSeconds = 1e6;
inline constexpr std::int64_t kMaxThumbnailFrame = 1'000'000;

struct ThumbnailOptions {
  std::optional<double> at_s;         // the first frame at or after this time; past the end: the last one
  std::optional<std::int64_t> frame;  // the picture of that number instead, from 0; -1: the last
  double at_fraction = 0.1;           // of the duration, when neither is there
  int width = 0;                      // 0: as the source; never larger than the source
  ImageType type = ImageType::jpeg;
  int quality = 85;
  Limits limits;
};
// Also of a file that has a cover but no video, and of a still picture. unsupported: no picture at all.
base::Status thumbnail(const std::string& path, const std::string& output, const ThumbnailOptions& options = {});

}  // namespace kinora::media
