#include "media/mux.hpp"

#include <algorithm>

#include "media/input.hpp"
#include "media/muxer.hpp"
#include "media/tracks.hpp"

namespace kinora::media {
namespace {

using base::ErrorCode;

bool is_copied(const AVCodecParameters& p) {
  return p.codec_id == AV_CODEC_ID_H264 || p.codec_id == AV_CODEC_ID_HEVC || p.codec_id == AV_CODEC_ID_AV1 || p.codec_id == AV_CODEC_ID_VP9;
}

std::vector<SoundClip> sound_clips(const std::string& video, const std::string& audio, double length_s, const MuxOptions& options) {
  std::vector<SoundClip> clips;
  // The added sound is named first: its rate and layout are kept.
  const double begin = std::max(options.offset_s, 0.0);
  clips.push_back({audio, std::max(-options.offset_s, 0.0), begin, std::max(length_s, begin), 0, 0});
  if (options.mix) clips.push_back({video, 0, 0, length_s, 0, 0});
  return clips;
}

base::Result<Composed> copy_pictures(const std::string& path, const std::string& output, double length_s, std::vector<SoundClip> clips,
                                     const MuxOptions& options, const Control& control) {
  KINORA_TRY(Input input, Input::open(path, options.limits));
  const StreamInfo& video = *input.info().video();
  const AVStream& source = input.stream(video.index);
  PcmCodec codec;
  codec.bitrate = options.audio_bitrate;
  KINORA_TRY(std::optional<Soundtrack> sound, Soundtrack::open(std::move(clips), length_s, codec, options.limits));
  KINORA_TRY(Muxer muxer, Muxer::open(output, muxer_name(Container::mp4), muxer_options(Container::mp4)));
  KINORA_TRY(AVStream * out, muxer.add_stream(*source.codecpar, source.time_base));
  if (source.codecpar->codec_id == AV_CODEC_ID_HEVC) out->codecpar->codec_tag = MKTAG('h', 'v', 'c', '1');
  out->sample_aspect_ratio = source.sample_aspect_ratio;
  out->avg_frame_rate = source.avg_frame_rate;
  KINORA_TRY(const SourceTracks tracks, SourceTracks::open(path, Container::mp4, options.limits));
  KINORA_OK(tracks.dress_video(*out));
  PacketSink sound_sink = [&](AVPacket& packet) { return muxer.write(packet, 1, sound->encoder().time_base); };
  if (sound) {
    Av<AVCodecParameters> coded(avcodec_parameters_alloc());
    if (!coded || avcodec_parameters_from_context(coded.get(), &sound->encoder()) < 0)
      return base::fail(ErrorCode::internal, "output: out of memory");
    KINORA_OK(muxer.add_stream(*coded, sound->encoder().time_base));
  }
  KINORA_OK(muxer.start());
  input.keep_only(video.index);
  PacketPtr packet(av_packet_alloc());
  if (!packet) return base::fail(ErrorCode::internal, "out of memory for a packet");
  const std::int64_t origin = av_rescale_q(tracks.origin_us(), kMicroseconds, source.time_base);
  Composed made{0, length_s};
  while (input.read(*packet)) {
    if (packet->stream_index != video.index) continue;
    if (control.stop.stop_requested()) return base::fail(ErrorCode::canceled, "canceled");
    packet->pts -= origin;
    if (packet->dts != AV_NOPTS_VALUE) packet->dts -= origin;
    const double at = static_cast<double>(packet->dts != AV_NOPTS_VALUE ? packet->dts : packet->pts) * av_q2d(source.time_base);
    KINORA_OK(muxer.write(*packet, 0, source.time_base));
    if (sound) KINORA_OK(sound->advance(at, sound_sink));
    ++made.frames;
    if (control.report) control.report({std::clamp(at / length_s, 0.0, 0.999), made.frames, 0});
  }
  if (sound) KINORA_OK(sound->finish(sound_sink));
  KINORA_OK(muxer.finish());
  if (control.report) control.report({1.0, made.frames, made.frames});
  return made;
}

}  // namespace

base::Result<Composed> mux(const std::string& video, const std::string& audio, const std::string& output, const MuxOptions& options,
                           const Control& control) {
  KINORA_TRY(const MediaInfo sound, probe(audio, options.limits));
  if (sound_of(sound) == nullptr) return base::fail(ErrorCode::unsupported, "audio: the file holds no sound that can be decoded");
  KINORA_TRY(const PictureTimes times, picture_times(video, options.limits));
  std::vector<SoundClip> clips = sound_clips(video, audio, times.end_s, options);
  KINORA_TRY(const Input input, Input::open(video, options.limits));
  if (times.plain && is_copied(*input.stream(input.info().video()->index).codecpar))
    return copy_pictures(video, output, times.end_s, std::move(clips), options, control);
  ComposeOptions composing;
  composing.audio_bitrate = options.audio_bitrate;
  composing.limits = options.limits;
  composing.sound = std::move(clips);
  return compose({{video, 0, std::nullopt}}, output, composing, control);
}

}  // namespace kinora::media
