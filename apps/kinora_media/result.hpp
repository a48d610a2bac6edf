#pragma once
// The JSON of a result: what an operation found, and the files that it made.
#include <boost/json.hpp>
#include <string>

#include "media/request.hpp"

namespace kinora::media_app {

// A file below the output folder; `describe`: with the media object inside.
base::Result<boost::json::object> file_entry(const media::Request& request, const std::string& slot, const std::string& path,
                                             const std::string& mime, bool describe);
boost::json::object result_of(boost::json::object outputs, boost::json::array files = {});

}  // namespace kinora::media_app
