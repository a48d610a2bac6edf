#pragma once
// Which FFmpeg is at work, and what it can write.
#include <boost/json.hpp>

namespace kinora::media {

// {"type":"result","ffmpeg":{"avcodec":"59.37.100",...},"encoders":{"libx264":true,...}}
boost::json::object versions();

}  // namespace kinora::media
