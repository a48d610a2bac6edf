#pragma once
// One operation: a request in, the result object of docs/media.md out (without "type" and "metrics").
#include <boost/json.hpp>

#include "base/result.hpp"
#include "media/progress.hpp"
#include "media/request.hpp"

namespace kinora::media_app {

// A result is one line, which its reader bounds: with more frames than this the list of single frames is left out.
inline constexpr std::size_t kMaxListedFrames = 10'000;

base::Result<boost::json::object> perform(const media::Request& request, const media::Control& control);

}  // namespace kinora::media_app
