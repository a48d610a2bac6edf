#pragma once
// One still picture, through FFmpeg: PNG, JPEG, WebP (reading also BMP, TIFF, GIF's first frame), PNG and JPEG writing.
#include <string>

#include "media/frame.hpp"
#include "media/limits.hpp"

namespace kinora::media {

// The picture turned upright when its EXIF says so is NOT done here. invalid: no picture, cut off before the first line;
// too_large: more than limits.max_pixels (checked before memory is taken); unsupported: no decoder.
base::Result<Frame> read_image(const std::string& path, const Limits& limits = {});

enum class ImageType { png, jpeg };
// The type that the file name's ending asks for: .png, .jpg, .jpeg (any case). unsupported: another one.
base::Result<ImageType> image_type_of(const std::string& path);
// quality: JPEG only, 1..100. `width`: scaled to this width with the shape kept, 0: as it is. Sample aspect is resolved to
// square pixels. The file appears complete or not at all.
base::Status write_image(const std::string& path, const Frame& frame, ImageType type, int quality = 90, int width = 0);

}  // namespace kinora::media
