#include "media/ladder.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace kinora::media {
namespace {

using base::ErrorCode;

constexpr std::array kShortSides{1080, 720, 480, 360, 240};
// Beyond this a stated pixel shape is a mistake of the file and is ignored.
constexpr double kMaxSampleAspect = 20.0;
constexpr std::int64_t kMinBitrate = 16'000;
constexpr std::int64_t kMaxBitrate = 288'000'000;
constexpr std::size_t kMaxNameBytes = 32;
constexpr double kMaxFps = 1000;

int even(double side) { return std::max(2, 2 * static_cast<int>(std::lround(side / 2))); }

bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= kMaxNameBytes && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

Rendition scaled(const DisplaySize& source, double factor) {
  const double f = std::min(factor, 1.0);
  Rendition r;
  r.width = even(source.width * f);
  r.height = even(source.height * f);
  // Rounding must not make it larger than the source, but for a source of one pixel.
  if (r.width > source.width && r.width > 2) r.width -= 2;
  if (r.height > source.height && r.height > 2) r.height -= 2;
  return r;
}

std::string short_side_name(const Rendition& r) { return std::to_string(std::min(r.width, r.height)) + "p"; }

double rate_of(const StreamInfo& video) {
  const double rate = video.average_rate.value();
  return rate > 0 && rate <= 240 ? rate : 30;
}

}  // namespace

DisplaySize display_size(const StreamInfo& video) {
  double width = video.width, height = video.height;
  const double sar = video.sample_aspect.known() ? video.sample_aspect.value() : 1.0;
  if (sar > 1.0 && sar <= kMaxSampleAspect) width *= sar;
  if (sar < 1.0 && sar >= 1.0 / kMaxSampleAspect) height /= sar;
  if (video.rotation == 90 || video.rotation == 270) std::swap(width, height);
  const double too_long = std::max(width, height) / kMaxSide;
  if (too_long > 1) {
    width /= too_long;
    height /= too_long;
  }
  return {std::max(1, static_cast<int>(std::lround(width))), std::max(1, static_cast<int>(std::lround(height)))};
}

std::int64_t default_bitrate(int width, int height, double frame_rate) {
  // 5 Mbit/s for 1080p30; fewer pixels need more bits each, and twice the frames half as many again.
  const double size = static_cast<double>(width) * height / (1920.0 * 1080.0);
  const double bits = 5'000'000.0 * std::pow(size, 0.75) * std::sqrt(std::clamp(frame_rate, 1.0, 240.0) / 30.0);
  return std::clamp<std::int64_t>(std::llround(bits / 1000) * 1000, 50'000, kMaxBitrate);
}

std::vector<Rendition> auto_ladder(const StreamInfo& video, int count) {
  const DisplaySize source = display_size(video);
  const int short_side = std::min(source.width, source.height);
  std::vector<Rendition> ladder;
  for (const int side : kShortSides) {
    if (side > short_side || static_cast<int>(ladder.size()) >= count) continue;
    ladder.push_back(scaled(source, static_cast<double>(side) / short_side));
  }
  if (ladder.empty()) ladder.push_back(scaled(source, 1.0));
  for (Rendition& r : ladder) {
    r.name = short_side_name(r);
    r.bitrate = default_bitrate(r.width, r.height, rate_of(video));
  }
  return ladder;
}

base::Result<std::vector<Rendition>> fit_ladder(const StreamInfo& video, const std::vector<RenditionRequest>& requests) {
  if (requests.empty()) return auto_ladder(video);
  if (requests.size() > static_cast<std::size_t>(kMaxRenditions))
    return base::fail(ErrorCode::invalid, "more than " + std::to_string(kMaxRenditions) + " renditions");
  const DisplaySize source = display_size(video);
  std::vector<Rendition> ladder;
  for (const RenditionRequest& request : requests) {
    if (request.width < 0 || request.height < 0 || request.width > kMaxSide || request.height > kMaxSide)
      return base::fail(ErrorCode::invalid, "a rendition's sides are 0 (from the source) to " + std::to_string(kMaxSide));
    if (request.bitrate != 0 && (request.bitrate < kMinBitrate || request.bitrate > kMaxBitrate))
      return base::fail(ErrorCode::invalid, "a rendition's bitrate is 16000 to 288000000 bits per second");
    if (request.crf < -1 || request.crf > 51) return base::fail(ErrorCode::invalid, "crf is 0 to 51");
    if (!(request.max_fps >= 0 && request.max_fps <= kMaxFps))
      return base::fail(ErrorCode::invalid, "a rendition's rate is at most 1000 frames per second");
    int box_width = request.width, box_height = request.height;
    // "1280x720" asks for 720p whichever way up the picture is.
    const bool both = box_width > 0 && box_height > 0;
    if (both && (box_width > box_height) != (source.width > source.height) && source.width != source.height)
      std::swap(box_width, box_height);
    double factor = 1.0;
    if (box_width > 0) factor = std::min(factor, static_cast<double>(box_width) / source.width);
    if (box_height > 0) factor = std::min(factor, static_cast<double>(box_height) / source.height);
    Rendition r = scaled(source, factor);
    r.name = request.name.empty() ? short_side_name(r) : request.name;
    r.crf = request.crf;
    r.max_fps = request.max_fps;
    r.bitrate = request.bitrate != 0 ? request.bitrate
                : request.crf >= 0
                    ? 0
                    : default_bitrate(r.width, r.height, r.max_fps > 0 ? std::min(r.max_fps, rate_of(video)) : rate_of(video));
    if (!is_name(r.name)) return base::fail(ErrorCode::invalid, "a rendition's name is 1 to 32 of a-z 0-9 _ -");
    if (r.name == "master" || r.name == "audio" || r.name.starts_with("audio_"))
      return base::fail(ErrorCode::conflict, "the name \"" + r.name + "\" is taken by another output");
    for (const Rendition& other : ladder)
      if (other.name == r.name) return base::fail(ErrorCode::conflict, "two renditions are called \"" + r.name + "\"");
    ladder.push_back(std::move(r));
  }
  return ladder;
}

}  // namespace kinora::media
