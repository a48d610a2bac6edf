#pragma once
// Still pictures with their transparency, as memory for the network and back.
#include <string>

#include "base/result.hpp"
#include "media/image.hpp"
#include "runner/picture_buffer.hpp"

namespace kinora::runner {

// One picture: RGB samples of `type`, and alpha samples [H, W] of the same depth (empty: opaque).
struct StillPicture {
  models::SampleType type = models::SampleType::packed_u8;
  std::int64_t width = 0, height = 0;
  Buffer rgb;
  Buffer alpha;
};

// Turned upright when the file says how it lies. Pictures whose alpha is full everywhere count as opaque.
base::Result<StillPicture> read_picture(const std::string& path, const media::Limits& limits);
// Alpha is written where the type can hold it (PNG); JPEG is 8 bits a sample.
base::Status write_picture(const std::string& path, const StillPicture& picture, media::ImageType type);

}  // namespace kinora::runner
