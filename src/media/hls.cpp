#include "media/hls.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace kinora::media {
namespace {

using base::ErrorCode;

struct Bandwidth {
  std::int64_t peak = 0;
  std::int64_t average = 0;
};

// Sizes of the segments that index.m3u8 lists, by their stated lengths.
base::Result<Bandwidth> bandwidth_of(const std::string& folder) {
  std::ifstream in(folder + "/index.m3u8");
  if (!in) return base::fail(ErrorCode::io, "the playlist that was just written cannot be read");
  double seconds = 0, total_seconds = 0, peak = 0, total_bits = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("#EXTINF:")) {
      seconds = std::atof(line.c_str() + 8);
    } else if (!line.empty() && line.front() != '#') {
      std::error_code error;
      const auto bytes = std::filesystem::file_size(std::filesystem::path(folder) / line, error);
      if (error) return base::fail(ErrorCode::io, "a segment that was just written cannot be read");
      const double bits = static_cast<double>(bytes) * 8;
      total_bits += bits;
      total_seconds += seconds;
      // A last segment of a few frames says nothing about the rate that a player must sustain.
      if (seconds >= 0.5 || peak == 0) peak = std::max(peak, bits / std::max(seconds, 0.001));
    }
  }
  const double average = total_seconds > 0 ? total_bits / total_seconds : 0;
  return Bandwidth{static_cast<std::int64_t>(std::ceil(std::max(peak, average))), static_cast<std::int64_t>(std::ceil(average))};
}

// The bytes after the NAL header of the first parameter set of this type, in Annex B form or in an avcC record.
std::string avc_profile(const std::uint8_t* data, int size) {
  char text[16];
  if (size >= 4 && data[0] == 1) {
    std::snprintf(text, sizeof text, "avc1.%02x%02x%02x", data[1], data[2], data[3]);
    return text;
  }
  for (int i = 0; i + 6 < size; ++i) {
    if (data[i] == 0 && data[i + 1] == 0 && data[i + 2] == 1 && (data[i + 3] & 0x1f) == 7) {
      std::snprintf(text, sizeof text, "avc1.%02x%02x%02x", data[i + 4], data[i + 5], data[i + 6]);
      return text;
    }
  }
  return {};
}

std::string quoted(std::string text) {
  // RFC 8216 4.2: a quoted string holds no quotes and no line ends.
  std::erase_if(text, [](char c) { return c == '"' || c == '\n' || c == '\r'; });
  return '"' + text + '"';
}

}  // namespace

base::Result<Muxer> open_hls(const std::string& folder, SegmentType type, double segment_s) {
  const bool fmp4 = type == SegmentType::fmp4;
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.6f", segment_s);
  std::vector<std::pair<std::string, std::string>> options{
      {"hls_time", seconds},
      {"hls_list_size", "0"},
      {"hls_playlist_type", "vod"},
      {"hls_flags", "independent_segments"},
      {"hls_segment_type", fmp4 ? "fmp4" : "mpegts"},
      {"hls_segment_filename", "file:" + folder + (fmp4 ? "/seg_%05d.m4s" : "/seg_%05d.ts")},
  };
  if (fmp4) options.emplace_back("hls_fmp4_init_filename", "init.mp4");
  return Muxer::open(folder + "/index.m3u8", "hls", std::move(options));
}

std::string codec_string(const AVCodecParameters& parameters) {
  char text[48];
  switch (parameters.codec_id) {
    case AV_CODEC_ID_H264: return avc_profile(parameters.extradata, parameters.extradata_size);
    case AV_CODEC_ID_HEVC: {
      // ISO/IEC 14496-15 annex E: profile, compatibility flags (reversed), tier and level, constraint byte.
      const bool ten = parameters.format == AV_PIX_FMT_YUV420P10;
      std::snprintf(text, sizeof text, "hvc1.%d.%d.L%d.B0", ten ? 2 : 1, ten ? 4 : 6, parameters.level > 0 ? parameters.level : 120);
      return text;
    }
    case AV_CODEC_ID_AAC:
      // MPEG-4 audio object type: FFmpeg's profile number plus one (AAC LC is 2).
      std::snprintf(text, sizeof text, "mp4a.40.%d", parameters.profile >= 0 ? parameters.profile + 1 : 2);
      return text;
    default: return {};
  }
}

base::Result<std::string> master_playlist(const std::vector<HlsVariant>& variants, const std::vector<HlsAudio>& audio,
                                          const std::string& muxed_audio) {
  std::string out = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n";
  Bandwidth widest_audio;
  for (const HlsAudio& track : audio) {
    KINORA_TRY(const Bandwidth bandwidth, bandwidth_of(track.folder));
    widest_audio.peak = std::max(widest_audio.peak, bandwidth.peak);
    widest_audio.average = std::max(widest_audio.average, bandwidth.average);
    if (variants.empty()) continue;
    out += "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=" + quoted(track.name);
    if (!track.language.empty()) out += ",LANGUAGE=" + quoted(track.language);
    out += std::string(",DEFAULT=") + (track.is_default ? "YES" : "NO") + ",AUTOSELECT=YES,URI=" + quoted(track.uri) + "\n";
  }
  for (const HlsVariant& variant : variants) {
    KINORA_TRY(Bandwidth bandwidth, bandwidth_of(variant.folder));
    bandwidth.peak += widest_audio.peak;
    bandwidth.average += widest_audio.average;
    const std::string& sound = audio.empty() ? muxed_audio : audio.front().codecs;
    out += "#EXT-X-STREAM-INF:BANDWIDTH=" + std::to_string(bandwidth.peak) + ",AVERAGE-BANDWIDTH=" + std::to_string(bandwidth.average);
    if (!variant.codecs.empty()) out += ",CODECS=" + quoted(variant.codecs + (sound.empty() ? "" : "," + sound));
    out += ",RESOLUTION=" + std::to_string(variant.width) + "x" + std::to_string(variant.height);
    if (variant.frame_rate > 0) {
      char rate[32];
      std::snprintf(rate, sizeof rate, ",FRAME-RATE=%.3f", variant.frame_rate);
      out += rate;
    }
    if (variant.transfer == 16) out += ",VIDEO-RANGE=PQ";
    if (variant.transfer == 18) out += ",VIDEO-RANGE=HLG";
    if (!audio.empty()) out += ",AUDIO=\"audio\"";
    out += "\n" + variant.uri + "\n";
  }
  if (variants.empty()) {
    for (const HlsAudio& track : audio) {
      KINORA_TRY(const Bandwidth bandwidth, bandwidth_of(track.folder));
      out += "#EXT-X-STREAM-INF:BANDWIDTH=" + std::to_string(bandwidth.peak) + ",AVERAGE-BANDWIDTH=" + std::to_string(bandwidth.average) +
             ",CODECS=" + quoted(track.codecs) + "\n" + track.uri + "\n";
    }
  }
  return out;
}

}  // namespace kinora::media
