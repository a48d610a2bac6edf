#include "media/extract_audio.hpp"

#include <algorithm>
#include <cmath>

#include "media/muxer.hpp"
#include "media/pcm.hpp"

namespace kinora::media {
namespace {

using base::ErrorCode;

struct Format {
  const char* encoder;
  const char* muxer;
  const char* extension;
  const char* mime;
};

Format format_of(AudioType type) {
  switch (type) {
    case AudioType::mp3: return {"libmp3lame", "mp3", "mp3", "audio/mpeg"};
    case AudioType::wav: return {"pcm_s16le", "wav", "wav", "audio/wav"};
    case AudioType::flac: return {"flac", "flac", "flac", "audio/flac"};
    case AudioType::ogg: return {"libopus", "ogg", "ogg", "audio/ogg"};
    case AudioType::m4a: break;
  }
  return {"aac", "ipod", "m4a", "audio/mp4"};
}

constexpr std::size_t kBlock = 4096;

}  // namespace

const char* extension_of(AudioType type) { return format_of(type).extension; }
const char* mime_of(AudioType type) { return format_of(type).mime; }

base::Result<double> extract_audio(const std::string& path, const std::string& output, const ExtractAudioOptions& options,
                                   const Control& control) {
  KINORA_TRY(const MediaInfo info, probe(path, options.limits));
  const StreamInfo* sound = sound_of(info);
  if (sound == nullptr) return base::fail(ErrorCode::unsupported, "the file holds no sound that can be decoded");
  if (options.end_s && *options.end_s <= options.start_s) return base::fail(ErrorCode::conflict, "end_s must lie behind start_s");
  const Format format = format_of(options.type);
  PcmShape shape;
  shape.rate = PcmEncoder::fitting_rate(format.encoder, options.sample_rate > 0 ? options.sample_rate : sound->sample_rate);
  shape.channels = options.channels > 0 ? options.channels : sound->channels;
  KINORA_TRY(PcmEncoder encoder, PcmEncoder::open({format.encoder, options.bitrate}, shape));
  KINORA_TRY(PcmReader reader, PcmReader::open(path, options.start_s, shape, options.limits));
  KINORA_TRY(Muxer muxer, Muxer::open(output, format.muxer, {}));
  Av<AVCodecParameters> coded(avcodec_parameters_alloc());
  if (!coded || avcodec_parameters_from_context(coded.get(), &encoder.context()) < 0)
    return base::fail(ErrorCode::internal, "output: out of memory");
  KINORA_OK(muxer.add_stream(*coded, encoder.context().time_base));
  KINORA_OK(muxer.start());
  const PacketSink sink = [&](AVPacket& packet) { return muxer.write(packet, 0, encoder.context().time_base); };

  const double wanted_s = options.end_s ? *options.end_s - options.start_s : kMaxDurationSeconds;
  const double expected_s = std::max(std::min(wanted_s, info.duration_s - options.start_s), 1e-3);
  const auto wanted = static_cast<std::int64_t>(std::llround(wanted_s * shape.rate));
  std::vector<float> block(kBlock * static_cast<std::size_t>(shape.channels));
  std::int64_t done = 0;
  while (done < wanted) {
    if (control.stop.stop_requested()) return base::fail(ErrorCode::canceled, "canceled");
    KINORA_TRY(const std::size_t got, reader.read(block.data(), static_cast<std::size_t>(std::min<std::int64_t>(kBlock, wanted - done))));
    if (got == 0) break;
    KINORA_OK(encoder.push(block.data(), got, sink));
    done += static_cast<std::int64_t>(got);
    if (control.report) control.report({std::min(static_cast<double>(done) / shape.rate / expected_s, 0.999), done / 1024, 0});
  }
  if (done == 0) return base::fail(ErrorCode::conflict, "there is no sound between start_s and end_s");
  KINORA_OK(encoder.flush(sink));
  KINORA_OK(muxer.finish());
  if (control.report) control.report({1.0, done / 1024, done / 1024});
  return static_cast<double>(done) / shape.rate;
}

}  // namespace kinora::media
