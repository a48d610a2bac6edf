#pragma once
// The first picture of one stream, whichever kind it is (a still, a cover, a video). Inside this room only.
#include <string>

#include "media/frame.hpp"
#include "media/limits.hpp"

namespace kinora::media {

base::Result<Frame> first_picture(const std::string& path, int stream_index, const Limits& limits);

}  // namespace kinora::media
