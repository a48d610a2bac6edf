#include "kinora_media/utilities.hpp"

#include "kinora_media/result.hpp"

namespace kinora::media_app {
namespace {

namespace json = boost::json;
using base::Result;
using media::Control;
using media::Request;

constexpr const char* kVideoFile = "video.mp4";

Result<json::object> video_result(const Request& request, std::int64_t frames) {
  KINORA_TRY(json::object entry, file_entry(request, "video", kVideoFile, "video/mp4", true));
  return result_of({{"frames", frames}}, {std::move(entry)});
}

Result<json::object> compose(const Request& request, const std::vector<media::Stretch>& stretches, const Control& control) {
  KINORA_TRY(const media::Composed made, media::compose(stretches, request.output_dir + "/" + kVideoFile, request.compose, control));
  return video_result(request, made.frames);
}

Result<json::object> concat(const Request& request, const Control& control) {
  std::vector<media::Stretch> stretches;
  stretches.reserve(request.chunks.size());
  for (const std::string& path : request.chunks) stretches.push_back({path, 0, std::nullopt});
  return compose(request, stretches, control);
}

Result<json::object> mux(const Request& request, const Control& control) {
  KINORA_TRY(const media::Composed made,
             media::mux(request.input, request.second, request.output_dir + "/" + kVideoFile, request.mux, control));
  return video_result(request, made.frames);
}

Result<json::object> overlay(const Request& request, const Control& control) {
  KINORA_TRY(const std::int64_t frames,
             media::overlay(request.input, request.second, request.output_dir + "/" + kVideoFile, request.overlay, control));
  return video_result(request, frames);
}

Result<json::object> extract_frames(const Request& request, const Control& control) {
  KINORA_TRY(const auto made, media::extract_frames(request.input, request.output_dir, request.frames, control));
  const char* mime = request.frames.type == media::ImageType::png ? "image/png" : "image/jpeg";
  json::array files, times;
  for (const media::ExtractedFrame& frame : made) {
    KINORA_TRY(json::object entry, file_entry(request, "images", frame.file, mime, true));
    files.push_back(std::move(entry));
    times.push_back(frame.at_s);
  }
  return result_of({{"times", {{"at_s", std::move(times)}}}}, std::move(files));
}

Result<json::object> extract_audio(const Request& request, const Control& control) {
  const std::string name = std::string("audio.") + media::extension_of(request.audio.type);
  KINORA_TRY(const double seconds, media::extract_audio(request.input, request.output_dir + "/" + name, request.audio, control));
  KINORA_TRY(json::object entry, file_entry(request, "audio", name, media::mime_of(request.audio.type), true));
  return result_of({{"duration_s", seconds}}, {std::move(entry)});
}

}  // namespace

Result<json::object> utility(const Request& request, const Control& control) {
  switch (request.operation) {
    case media::Operation::clip: return compose(request, {request.stretch}, control);
    case media::Operation::concat: return concat(request, control);
    case media::Operation::loop: return compose(request, std::vector(static_cast<std::size_t>(request.times), request.stretch), control);
    case media::Operation::mux: return mux(request, control);
    case media::Operation::overlay: return overlay(request, control);
    case media::Operation::extract_frames: return extract_frames(request, control);
    case media::Operation::extract_audio: return extract_audio(request, control);
    default: return base::fail(base::ErrorCode::internal, "no such operation");
  }
}

}  // namespace kinora::media_app
