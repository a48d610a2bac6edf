#include "media/describe.hpp"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <utility>

extern "C" {
#include <libavutil/display.h>
}

namespace kinora::media {
namespace {

std::string metadata(const AVDictionary* dictionary, const char* key) {
  const AVDictionaryEntry* entry = av_dict_get(dictionary, key, nullptr, 0);
  return entry != nullptr ? entry->value : std::string();
}

StreamType type_of(const AVStream& stream) {
  if ((stream.disposition & AV_DISPOSITION_ATTACHED_PIC) != 0) return StreamType::cover;
  switch (stream.codecpar->codec_type) {
    case AVMEDIA_TYPE_VIDEO: return StreamType::video;
    case AVMEDIA_TYPE_AUDIO: return StreamType::audio;
    case AVMEDIA_TYPE_SUBTITLE: return StreamType::subtitle;
    default: return StreamType::data;
  }
}

// The display matrix as a flip of the picture followed by a clockwise turn.
void describe_rotation(const AVStream& stream, StreamInfo& info) {
  const std::int32_t* matrix = display_matrix(stream);
  if (matrix == nullptr) return;
  const double a = matrix[0], b = matrix[1], c = matrix[3], d = matrix[4];
  std::int32_t upright[9];
  std::memcpy(upright, matrix, sizeof upright);
  info.mirrored = a * d - b * c < 0;
  if (info.mirrored) av_display_matrix_flip(upright, 1, 0);
  const double counterclockwise = av_display_rotation_get(upright);
  if (std::isnan(counterclockwise)) return;
  info.rotation = (static_cast<int>(std::lround(-counterclockwise / 90.0)) * 90 % 360 + 360) % 360;
}

void describe_video(const AVStream& stream, StreamInfo& info) {
  const AVCodecParameters& parameters = *stream.codecpar;
  info.width = parameters.width;
  info.height = parameters.height;
  const AVRational sar = stream.sample_aspect_ratio.num != 0 ? stream.sample_aspect_ratio : parameters.sample_aspect_ratio;
  info.sample_aspect = sar.num > 0 && sar.den > 0 ? from_av(sar) : Rational{0, 1};
  info.frame_rate = from_av(stream.r_frame_rate);
  info.average_rate = from_av(stream.avg_frame_rate);
  const double real = info.frame_rate.value(), average = info.average_rate.value();
  // The two guesses of a constant-rate file agree but for rounding of its timestamps.
  info.variable_rate = real > 0 && average > 0 && std::abs(real - average) > 0.005 * real + 0.01;
  if (const char* name = av_get_pix_fmt_name(static_cast<AVPixelFormat>(parameters.format)); name != nullptr) info.pixel_format = name;
  if (const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(parameters.format)); format != nullptr)
    info.bit_depth = format->comp[0].depth;
  info.color = color_of(parameters);
  const ColorTags stated = color_from_text(metadata(stream.metadata, kColorKey).c_str());
  if (info.color.primaries == 2) info.color.primaries = stated.primaries;
  if (info.color.transfer == 2) info.color.transfer = stated.transfer;
  if (info.color.matrix == 2) info.color.matrix = stated.matrix;
  if (info.color.range == ColorRange::unspecified) info.color.range = stated.range;
  info.interlaced = parameters.field_order != AV_FIELD_UNKNOWN && parameters.field_order != AV_FIELD_PROGRESSIVE;
  describe_rotation(stream, info);
}

}  // namespace

ColorTags color_of(const AVCodecParameters& parameters) {
  ColorTags tags{parameters.color_primaries, parameters.color_trc, parameters.color_space, ColorRange::unspecified};
  if (parameters.color_range == AVCOL_RANGE_MPEG) tags.range = ColorRange::limited;
  if (parameters.color_range == AVCOL_RANGE_JPEG) tags.range = ColorRange::full;
  return tags;
}

std::string color_text(const ColorTags& tags) {
  return std::to_string(tags.primaries) + '/' + std::to_string(tags.transfer) + '/' + std::to_string(tags.matrix) + '/' +
         std::string(range_name(tags.range));
}

ColorTags color_from_text(const char* text) {
  ColorTags tags;
  char range[8] = {};
  if (std::sscanf(text, "%3d/%3d/%3d/%7s", &tags.primaries, &tags.transfer, &tags.matrix, range) != 4) return {};
  for (const int value : {tags.primaries, tags.transfer, tags.matrix})
    if (value < 0 || value > 255) return {};
  if (std::strcmp(range, "tv") == 0) tags.range = ColorRange::limited;
  if (std::strcmp(range, "pc") == 0) tags.range = ColorRange::full;
  return tags;
}

MediaInfo describe_media(const AVFormatContext& format) {
  MediaInfo media;
  media.format = format.iformat->name;
  if (format.duration > 0) media.duration_s = static_cast<double>(format.duration) / AV_TIME_BASE;
  if (format.start_time != AV_NOPTS_VALUE) media.start_s = static_cast<double>(format.start_time) / AV_TIME_BASE;
  media.bitrate = format.bit_rate > 0 ? format.bit_rate : 0;
  for (unsigned i = 0; i < format.nb_streams; ++i) {
    const AVStream& stream = *format.streams[i];
    const AVCodecParameters& parameters = *stream.codecpar;
    StreamInfo info;
    info.index = static_cast<int>(i);
    info.type = type_of(stream);
    info.codec = parameters.codec_id != AV_CODEC_ID_NONE ? avcodec_get_name(parameters.codec_id) : "unknown";
    info.decodable = avcodec_find_decoder(parameters.codec_id) != nullptr;
    info.language = metadata(stream.metadata, "language");
    if (info.language == "und") info.language.clear();
    info.title = metadata(stream.metadata, "title");
    info.is_default = (stream.disposition & AV_DISPOSITION_DEFAULT) != 0;
    info.time_base = from_av(stream.time_base);
    if (stream.start_time != AV_NOPTS_VALUE) info.start_s = static_cast<double>(stream.start_time) * av_q2d(stream.time_base);
    if (stream.duration != AV_NOPTS_VALUE && stream.duration > 0)
      info.duration_s = static_cast<double>(stream.duration) * av_q2d(stream.time_base);
    info.bitrate = parameters.bit_rate > 0 ? parameters.bit_rate : 0;
    info.frames = stream.nb_frames > 0 ? stream.nb_frames : 0;
    if (parameters.codec_type == AVMEDIA_TYPE_VIDEO) describe_video(stream, info);
    if (parameters.codec_type == AVMEDIA_TYPE_AUDIO) {
      info.channels = parameters.ch_layout.nb_channels;
      info.sample_rate = parameters.sample_rate;
    }
    media.streams.push_back(std::move(info));
  }
  return media;
}

}  // namespace kinora::media
