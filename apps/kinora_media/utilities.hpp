#pragma once
// The operations that workflows are glued with: clip, concat, loop, mux, overlay, extract-frames, extract-audio.
#include <boost/json.hpp>

#include "media/request.hpp"

namespace kinora::media_app {

base::Result<boost::json::object> utility(const media::Request& request, const media::Control& control);

}  // namespace kinora::media_app
