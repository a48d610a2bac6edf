#include "gateway/media_check.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace kinora::gateway {
namespace {

struct FormatMime {
  std::string_view demuxer;  // FFmpeg's name, or a part of its comma-separated list
  std::string_view video, audio;
};
constexpr std::array kFormats{
    FormatMime{"mp4", "video/mp4", "audio/mp4"},         FormatMime{"matroska", "video/x-matroska", "audio/x-matroska"},
    FormatMime{"mpegts", "video/mp2t", "audio/mp2t"},    FormatMime{"mpeg", "video/mpeg", "audio/mpeg"},
    FormatMime{"mpegvideo", "video/mpeg", "video/mpeg"}, FormatMime{"avi", "video/x-msvideo", "video/x-msvideo"},
    FormatMime{"flv", "video/x-flv", "video/x-flv"},     FormatMime{"asf", "video/x-ms-wmv", "audio/x-ms-wma"},
    FormatMime{"ogg", "video/ogg", "audio/ogg"},         FormatMime{"mp3", "audio/mpeg", "audio/mpeg"},
    FormatMime{"wav", "audio/wav", "audio/wav"},         FormatMime{"flac", "audio/flac", "audio/flac"},
    FormatMime{"aac", "audio/aac", "audio/aac"},         FormatMime{"mxf", "application/mxf", "application/mxf"},
    FormatMime{"nut", "video/x-nut", "video/x-nut"},     FormatMime{"gif", "image/gif", "image/gif"},
};
struct CodecMime {
  std::string_view codec, mime;
};
constexpr std::array kPictures{CodecMime{"png", "image/png"},   CodecMime{"apng", "image/apng"}, CodecMime{"mjpeg", "image/jpeg"},
                               CodecMime{"webp", "image/webp"}, CodecMime{"bmp", "image/bmp"},   CodecMime{"tiff", "image/tiff"},
                               CodecMime{"gif", "image/gif"},   CodecMime{"av1", "image/avif"},  CodecMime{"jpegxl", "image/jxl"}};

std::string_view text(const json::object& object, std::string_view key) {
  const json::value* found = object.if_contains(key);
  return found != nullptr && found->is_string() ? std::string_view(found->as_string()) : std::string_view();
}

bool names(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    if (list.substr(0, comma) == name) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

const json::object* first_stream(const json::object& media, std::string_view type) {
  const json::value* streams = media.if_contains("streams");
  if (streams == nullptr || !streams->is_array()) return nullptr;
  for (const auto& stream : streams->as_array())
    if (stream.is_object() && text(stream.as_object(), "type") == type) return &stream.as_object();
  return nullptr;
}

Problem problem_of(const proc::ToolError& error) {
  Problem problem;
  // What the file is to blame for keeps its code; a failure of kinora-media itself is ours.
  const bool of_file = error.code == "input_invalid" || error.code == "unsupported_media" || error.code == "media_too_large";
  problem.code = of_file ? error.code : "internal";
  problem.detail = of_file ? error.detail : "the media could not be looked at; try again";
  return problem;
}

}  // namespace

std::string mime_of(const json::value& media, std::string_view declared) {
  if (!media.is_object()) return std::string(declared);
  const auto& object = media.as_object();
  const auto format = text(object, "format");
  const json::object* video = first_stream(object, "video");
  const bool has_audio = first_stream(object, "audio") != nullptr;
  const bool picture = format == "image2" || format.ends_with("_pipe") || format == "apng";
  if (picture && video != nullptr) {
    const auto codec = text(*video, "codec");
    const auto found = std::ranges::find(kPictures, codec, &CodecMime::codec);
    return found != kPictures.end() ? std::string(found->mime) : "image/" + std::string(codec);
  }
  const std::string_view family = video != nullptr ? "video/" : has_audio ? "audio/" : "";
  if (!family.empty() && declared.starts_with(family)) return std::string(declared);  // more exact than what a demuxer's name tells
  for (const auto& known : kFormats)
    if (names(format, known.demuxer)) return std::string(video != nullptr ? known.video : known.audio);
  if (family.empty()) return std::string(declared);
  return std::string(family) + "octet-stream";
}

MediaCheck::MediaCheck(boost::asio::any_io_executor executor, proc::MediaTool tool, unsigned processes)
    : tool_(std::move(tool)), slots_(std::move(executor), std::max(1u, processes)) {}

net::Task<jobs::Outcome<json::object>> MediaCheck::ask(std::string operation, json::object request) {
  const auto place = co_await slots_.acquire();
  auto outcome = co_await tool_.run(std::move(operation), std::move(request));
  if (const auto* error = outcome.error()) co_return tl::unexpected(problem_of(*error));
  co_return *outcome.result();
}

net::Task<jobs::Outcome<Probed>> MediaCheck::probe(std::string path, std::string declared_mime) {
  json::object request{{"input", path}};
  auto result = co_await ask("probe", std::move(request));
  if (!result) co_return tl::unexpected(std::move(result).error());
  Probed probed;
  if (const json::value* outputs = result->if_contains("outputs"); outputs != nullptr && outputs->is_object())
    if (const json::value* media = outputs->as_object().if_contains("media")) probed.media = *media;
  if (!probed.media.is_object()) co_return jobs::refuse("internal", "kinora-media answered without a media object");
  probed.mime = mime_of(probed.media, declared_mime);
  co_return probed;
}

net::Task<jobs::Outcome<Decoded>> MediaCheck::decode(std::string path) {
  json::object request{{"input", path}};
  auto result = co_await ask("verify", std::move(request));
  if (!result) co_return tl::unexpected(std::move(result).error());
  const json::value* outputs = result->if_contains("outputs");
  const json::value* decoded = outputs != nullptr && outputs->is_object() ? outputs->as_object().if_contains("decoded") : nullptr;
  const json::value* media = outputs != nullptr && outputs->is_object() ? outputs->as_object().if_contains("media") : nullptr;
  if (decoded == nullptr || !decoded->is_object() || media == nullptr)
    co_return jobs::refuse("internal", "kinora-media answered without what it decoded");
  base::FieldErrors errors;
  base::ObjectReader in(*decoded, "", errors);
  Decoded out;
  out.facts = facts_of(*media);
  out.facts.frames = in.integer("frames", 0, std::numeric_limits<std::int64_t>::max()).value_or(0);
  out.facts.video = out.facts.video && out.facts.frames > 0;  // a track without one picture is none
  out.facts.duration_s = in.number("duration_s", 0, 1e9).value_or(0);
  out.facts.width = static_cast<int>(in.integer("width", 0, 1 << 20).value_or(0));
  out.facts.height = static_cast<int>(in.integer("height", 0, 1 << 20).value_or(0));
  out.corrupt_frames = in.integer("corrupt_frames", 0, std::numeric_limits<std::int64_t>::max()).value_or(0);
  out.blank = in.boolean("blank").value_or(false);
  out.movement = in.number("movement", 0, 255).value_or(0);
  out.clarity = in.number("clarity", 0, 1).value_or(0);
  if (!errors.empty()) co_return jobs::refuse("internal", "kinora-media answered in another shape");
  co_return out;
}

net::Task<jobs::Outcome<Likeness>> MediaCheck::compare(std::string path, std::string reference) {
  json::object request{{"input", path}, {"reference", reference}};
  auto result = co_await ask("compare", std::move(request));
  if (!result) co_return tl::unexpected(std::move(result).error());
  boost::system::error_code error;
  const json::value answer(std::move(*result));
  const json::value* mean = answer.find_pointer("/outputs/likeness/mean", error);
  if (mean == nullptr || !mean->is_object()) co_return jobs::refuse("internal", "kinora-media answered without a likeness");
  base::FieldErrors errors;
  base::ObjectReader in(*mean, "", errors);
  const auto psnr = in.number("psnr_y", -1e3, 1e3), ssim = in.number("ssim", -1, 1);
  if (!psnr || !ssim) co_return jobs::refuse("internal", "kinora-media answered in another shape");
  co_return Likeness{*psnr, *ssim};
}

}  // namespace kinora::gateway
