#include "kinora_media/result.hpp"

#include <filesystem>

#include "media/probe.hpp"

namespace kinora::media_app {

namespace json = boost::json;

base::Result<json::object> file_entry(const media::Request& request, const std::string& slot, const std::string& path,
                                      const std::string& mime, bool describe) {
  const std::string full = request.output_dir + "/" + path;
  std::error_code error;
  const auto bytes = std::filesystem::file_size(full, error);
  if (error) return base::fail(base::ErrorCode::io, "a file that was just written is gone");
  json::object entry{{"slot", slot}, {"path", path}, {"bytes", bytes}, {"mime", mime}};
  if (describe) {
    KINORA_TRY(const media::MediaInfo info, media::probe(full));
    entry["media"] = media::to_json(info);
  }
  return entry;
}

json::object result_of(json::object outputs, json::array files) { return {{"outputs", std::move(outputs)}, {"files", std::move(files)}}; }

}  // namespace kinora::media_app
