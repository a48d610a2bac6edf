#include "media/probe.hpp"

#include <algorithm>
#include <tuple>

#include "media/input.hpp"

namespace kinora::media {
namespace {

namespace json = boost::json;

std::string_view type_name(StreamType type) {
  switch (type) {
    case StreamType::video: return "video";
    case StreamType::audio: return "audio";
    case StreamType::subtitle: return "subtitle";
    case StreamType::cover: return "cover";
    case StreamType::data: break;
  }
  return "data";
}

json::value rational(Rational r) {
  if (!r.known()) return nullptr;
  return json::value_from(std::to_string(r.num) + "/" + std::to_string(r.den));
}

json::object to_json(const StreamInfo& s) {
  json::object out{{"index", s.index}, {"type", type_name(s.type)}, {"codec", s.codec}, {"decodable", s.decodable}};
  if (!s.language.empty()) out["language"] = s.language;
  if (!s.title.empty()) out["title"] = s.title;
  out["default"] = s.is_default;
  out["time_base"] = rational(s.time_base);
  if (s.start_s) out["start_s"] = *s.start_s;
  if (s.duration_s) out["duration_s"] = *s.duration_s;
  if (s.bitrate > 0) out["bitrate"] = s.bitrate;
  if (s.frames > 0) out["frames"] = s.frames;
  if (s.type == StreamType::video || s.type == StreamType::cover) {
    out["width"] = s.width;
    out["height"] = s.height;
    out["sample_aspect"] = rational(s.sample_aspect);
    out["rotation"] = s.rotation;
    out["mirrored"] = s.mirrored;
    out["frame_rate"] = rational(s.frame_rate);
    out["average_rate"] = rational(s.average_rate);
    out["variable_rate"] = s.variable_rate;
    out["pixel_format"] = s.pixel_format;
    out["bit_depth"] = s.bit_depth;
    out["color"] = {{"primaries", primaries_name(s.color.primaries)},
                    {"transfer", transfer_name(s.color.transfer)},
                    {"matrix", matrix_name(s.color.matrix)},
                    {"range", range_name(s.color.range)}};
    out["hdr"] = s.color.hdr();
    out["interlaced"] = s.interlaced;
  }
  if (s.type == StreamType::audio) {
    out["channels"] = s.channels;
    out["sample_rate"] = s.sample_rate;
  }
  return out;
}

}  // namespace

const StreamInfo* MediaInfo::video() const {
  const StreamInfo* best = nullptr;
  const auto rank = [](const StreamInfo& s) {
    return std::tuple(s.decodable, s.is_default, static_cast<std::int64_t>(s.width) * s.height, -s.index);
  };
  for (const StreamInfo& stream : streams)
    if (stream.type == StreamType::video && (best == nullptr || rank(stream) > rank(*best))) best = &stream;
  return best;
}

const StreamInfo* MediaInfo::first(StreamType type) const {
  const auto found = std::find_if(streams.begin(), streams.end(), [&](const StreamInfo& s) { return s.type == type; });
  return found != streams.end() ? &*found : nullptr;
}

base::Result<MediaInfo> probe(const std::string& path, const Limits& limits) {
  KINORA_TRY(const Input input, Input::open(path, limits));
  return input.info();
}

json::object to_json(const MediaInfo& info) {
  json::object out{{"format", info.format}, {"bytes", info.bytes}};
  if (info.duration_s > 0) out["duration_s"] = info.duration_s;
  if (info.start_s != 0) out["start_s"] = info.start_s;
  if (info.bitrate > 0) out["bitrate"] = info.bitrate;
  json::array streams;
  for (const StreamInfo& stream : info.streams) streams.push_back(to_json(stream));
  out["streams"] = std::move(streams);
  // The first thing everybody asks.
  if (const StreamInfo* video = info.video(); video != nullptr) {
    out["width"] = video->width;
    out["height"] = video->height;
    out["rotation"] = video->rotation;
    out["fps"] = video->average_rate.value();
  }
  return out;
}

}  // namespace kinora::media
