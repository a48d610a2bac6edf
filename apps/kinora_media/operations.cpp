#include "kinora_media/operations.hpp"

#include <cmath>
#include <filesystem>

#include "kinora_media/result.hpp"
#include "kinora_media/utilities.hpp"
#include "media/probe.hpp"
#include "media/quality.hpp"
#include "media/verify.hpp"

namespace kinora::media_app {
namespace {

namespace json = boost::json;
using base::Result;
using media::Control;
using media::Request;

Result<json::object> probe(const Request& request, const Control&) {
  KINORA_TRY(const media::MediaInfo info, media::probe(request.input, request.limits));
  return result_of({{"media", media::to_json(info)}});
}

Result<json::object> verify(const Request& request, const Control& control) {
  KINORA_TRY(const media::Verified v, media::verify(request.input, request.limits, control));
  const json::object decoded{{"frames", v.frames},         {"corrupt_frames", v.damaged_frames},
                             {"width", v.width},           {"height", v.height},
                             {"duration_s", v.duration_s}, {"blank", v.blank},
                             {"movement", v.movement},     {"clarity", v.clarity}};
  return result_of({{"media", media::to_json(v.media)}, {"decoded", decoded}});
}

Result<json::object> cut(const Request& request, const Control& control) {
  KINORA_TRY(const media::CutPlan plan, media::cut(request.input, request.output_dir, request.cut, control));
  json::array files;
  for (const media::Chunk& chunk : plan.chunks) {
    KINORA_TRY(json::object entry, file_entry(request, "chunks", chunk.file, "video/x-nut", false));
    files.push_back(std::move(entry));
  }
  return result_of({{"plan", media::to_json(plan)}}, std::move(files));
}

Result<json::object> join(const Request& request, const Control& control) {
  const bool ts = request.join.container == media::Container::mpegts;
  const std::string name = ts ? "video.ts" : "video.mp4";
  KINORA_TRY(const media::Joined joined, media::join(request.chunks, request.output_dir + "/" + name, request.join, control));
  KINORA_TRY(json::object entry, file_entry(request, "video", name, ts ? "video/mp2t" : "video/mp4", true));
  return result_of({{"frames", joined.frames}}, {std::move(entry)});
}

Result<json::object> transcode(const Request& request, const Control& control) {
  KINORA_TRY(const media::TranscodeResult made, media::transcode(request.input, request.output_dir, request.transcode, control));
  json::array files;
  for (const media::OutputFile& file : made.files) {
    KINORA_TRY(json::object entry, file_entry(request, file.slot, file.path, file.mime, file.slot == "renditions"));
    files.push_back(std::move(entry));
  }
  json::array renditions;
  for (const media::Rendition& r : made.renditions) renditions.push_back({{"name", r.name}, {"width", r.width}, {"height", r.height}});
  return result_of({{"renditions", std::move(renditions)}, {"frames", made.frames}, {"corrupt_frames", made.damaged_frames}},
                   std::move(files));
}

Result<json::object> thumbnail(const Request& request, const Control&) {
  const bool png = request.thumbnail.type == media::ImageType::png;
  const std::string name = png ? "thumbnail.png" : "thumbnail.jpg";
  KINORA_OK(media::thumbnail(request.input, request.output_dir + "/" + name, request.thumbnail));
  KINORA_TRY(json::object entry, file_entry(request, "image", name, png ? "image/png" : "image/jpeg", true));
  return result_of({}, {std::move(entry)});
}

double rounded(double value) { return std::round(value * 1e6) / 1e6; }

Result<json::object> measure(const Request& request, const Control& control) {
  KINORA_TRY(const media::Quality q, media::measure(request.second, request.input, request.limits, control));
  json::object out = result_of({});
  out["psnr_y"] = rounded(q.mean.psnr_y);
  out["ssim"] = rounded(q.mean.ssim_y);
  out["flicker"] = rounded(q.mean.flicker);
  out["frames_reference"] = q.frames_a;
  out["frames_input"] = q.frames_b;
  if (q.frames.size() <= kMaxListedFrames) {
    json::array frames;
    for (const media::FrameQuality& f : q.frames)
      frames.push_back({{"psnr_y", rounded(f.psnr_y)}, {"ssim", rounded(f.ssim_y)}, {"flicker", rounded(f.flicker)}});
    out["frames"] = std::move(frames);
  }
  return out;
}

Result<json::object> slider(const Request& request, const Control& control) {
  KINORA_OK(media::slider_video(request.second, request.input, request.output_dir + "/slider.mp4", request.slider, control));
  KINORA_TRY(json::object entry, file_entry(request, "video", "slider.mp4", "video/mp4", true));
  return result_of({}, {std::move(entry)});
}

Result<json::object> compare(const Request& request, const Control& control) {
  KINORA_TRY(const media::Likeness found, media::compare(request.second, request.input, request.compare, control));
  const auto values = [](const media::FrameQuality& q) { return json::object{{"psnr_y", rounded(q.psnr_y)}, {"ssim", rounded(q.ssim_y)}}; };
  return result_of({{"likeness", {{"mean", values(found.mean)}, {"worst", values(found.worst)}, {"samples", found.samples}}}});
}

}  // namespace

Result<json::object> perform(const Request& request, const Control& control) {
  if (!request.output_dir.empty() && !std::filesystem::is_directory(request.output_dir))
    return base::fail(base::ErrorCode::io, "the output folder does not exist");
  switch (request.operation) {
    case media::Operation::probe: return probe(request, control);
    case media::Operation::verify: return verify(request, control);
    case media::Operation::cut: return cut(request, control);
    case media::Operation::join: return join(request, control);
    case media::Operation::transcode: return transcode(request, control);
    case media::Operation::thumbnail: return thumbnail(request, control);
    case media::Operation::measure: return measure(request, control);
    case media::Operation::slider: return slider(request, control);
    case media::Operation::compare: return compare(request, control);
    default: return utility(request, control);
  }
}

}  // namespace kinora::media_app
