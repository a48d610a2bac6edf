#include "media/video_writer.hpp"

#include "media/describe.hpp"
#include "media/encoder.hpp"
#include "media/scaler.hpp"
#include "media/tracks.hpp"

extern "C" {
#include <libavutil/display.h>
}

namespace kinora::media {

using base::ErrorCode;

struct VideoWriter::State {
  State(Muxer muxer_, VideoEncoder encoder_, VideoWriterOptions options_)
      : muxer(std::move(muxer_)), encoder(std::move(encoder_)), options(std::move(options_)) {}

  base::Status add_video();
  base::Status sink(AVPacket& packet);
  base::Result<const AVFrame*> fitting(const Frame& frame);

  Muxer muxer;
  VideoEncoder encoder;
  VideoWriterOptions options;
  std::optional<SourceTracks> tracks;
  std::int64_t origin = 0;  // in options.time_base
  std::int64_t last_pts = AV_NOPTS_VALUE;
  std::int64_t frames = 0;
  Scaler scaler{SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INP | SWS_FULL_CHR_H_INT};
  Frame converted;
};

base::Status VideoWriter::State::add_video() {
  KINORA_TRY(const Av<AVCodecParameters> parameters, encoder.parameters());
  KINORA_TRY(AVStream * stream, muxer.add_stream(*parameters, to_av(options.time_base)));
  if (options.codec == VideoCodec::h265 && options.container != Container::mpegts) stream->codecpar->codec_tag = MKTAG('h', 'v', 'c', '1');
  if (options.container == Container::nut) {
    stream->codecpar->codec_tag = 0;
    av_dict_set(&stream->metadata, kColorKey, color_text(options.color).c_str(), 0);
  }
  stream->sample_aspect_ratio = encoder.context().sample_aspect_ratio;
  if (options.frame_rate.known()) stream->avg_frame_rate = to_av(options.frame_rate);
  if (tracks) KINORA_OK(tracks->dress_video(*stream));
  if (options.rotation) {
    std::int32_t matrix[9];
    av_display_rotation_set(matrix, *options.rotation);
    if (!set_display_matrix(*stream, matrix)) return base::fail(ErrorCode::internal, "output: out of memory");
  }
  return {};
}

base::Status VideoWriter::State::sink(AVPacket& packet) {
  packet.pts -= origin;
  packet.dts -= origin;
  const double at = static_cast<double>(packet.dts) * options.time_base.value();
  KINORA_OK(muxer.write(packet, 0, to_av(options.time_base)));
  if (tracks) return tracks->advance(muxer, at);
  return {};
}

base::Result<const AVFrame*> VideoWriter::State::fitting(const Frame& frame) {
  if (!frame || frame.width() != options.width || frame.height() != options.height)
    return base::fail(ErrorCode::invalid, "a frame of another size than the output");
  if (frame.av()->format == encoder.context().pix_fmt) return frame.av();
  KINORA_TRY(converted, Frame::create(options.width, options.height, options.format));
  converted.set_color(options.color);
  KINORA_OK(scaler.run(*frame.av(), *converted.av(), options.width, options.height));
  return converted.av();
}

VideoWriter::VideoWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
VideoWriter::VideoWriter(VideoWriter&&) noexcept = default;
VideoWriter& VideoWriter::operator=(VideoWriter&&) noexcept = default;
VideoWriter::~VideoWriter() = default;

base::Result<VideoWriter> VideoWriter::open(const std::string& path, VideoWriterOptions options) {
  if (options.width < 2 || options.height < 2 || options.width > kMaxMadeSide || options.height > kMaxMadeSide || options.width % 2 != 0 ||
      options.height % 2 != 0)
    return base::fail(ErrorCode::invalid, "4:2:0 video needs even sides from 2 to 32768, not " + std::to_string(options.width) + "x" +
                                              std::to_string(options.height));
  if (!options.time_base.known() || options.time_base.num < 0 || options.time_base.den < 0)
    return base::fail(ErrorCode::invalid, "the output needs a clock");
  if (options.rotation && *options.rotation % 90 != 0) return base::fail(ErrorCode::invalid, "rotation is a multiple of 90 degrees");
  std::optional<SourceTracks> tracks;
  if (!options.source.empty()) {
    KINORA_TRY(tracks, SourceTracks::open(options.source, options.container, options.limits));
  }
  EncoderOptions encoding;
  encoding.codec = options.codec;
  encoding.width = options.width;
  encoding.height = options.height;
  encoding.format = options.format;
  encoding.color = options.color;
  encoding.sample_aspect = options.sample_aspect;
  encoding.time_base = options.time_base;
  encoding.frame_rate = options.frame_rate;
  encoding.crf = options.crf;
  encoding.bitrate = options.bitrate;
  encoding.preset = options.preset;
  encoding.tune = options.tune;
  encoding.threads = options.threads;
  encoding.gop = options.gop;
  encoding.b_frames = options.b_frames;
  encoding.scene_cuts = options.scene_cuts;
  KINORA_TRY(VideoEncoder encoder, VideoEncoder::open(encoding));
  KINORA_TRY(Muxer muxer, Muxer::open(path, muxer_name(options.container), muxer_options(options.container)));
  auto state = std::make_unique<State>(std::move(muxer), std::move(encoder), std::move(options));
  state->tracks = std::move(tracks);
  KINORA_OK(state->add_video());
  if (state->tracks) {
    KINORA_OK(state->tracks->add_to(state->muxer));
    state->origin = av_rescale_q(state->tracks->origin_us(), kMicroseconds, to_av(state->options.time_base));
  }
  if (const auto& comment = state->options.comment; !comment.empty())
    av_dict_set(&state->muxer.format().metadata, "comment", comment.c_str(), 0);
  KINORA_OK(state->muxer.start());
  return VideoWriter(std::move(state));
}

base::Status VideoWriter::write(const Frame& frame, bool key) {
  State& s = *state_;
  KINORA_TRY(const AVFrame* fitting, s.fitting(frame));
  const Timestamp at = frame.pts();
  const std::int64_t pts = at.base == s.options.time_base ? at.ticks : rescale(at, s.options.time_base);
  if (s.last_pts != AV_NOPTS_VALUE && pts <= s.last_pts) return base::fail(ErrorCode::invalid, "frames' times must rise");
  s.last_pts = pts;
  const std::int64_t duration = frame.duration_ticks() > 0 ? rescale({frame.duration_ticks(), at.base}, s.options.time_base) : 0;
  KINORA_OK(s.encoder.encode(*fitting, pts, duration, key, [&s](AVPacket& packet) { return s.sink(packet); }));
  ++s.frames;
  return {};
}

base::Status VideoWriter::finish() {
  State& s = *state_;
  KINORA_OK(s.encoder.flush([&s](AVPacket& packet) { return s.sink(packet); }));
  if (s.tracks) KINORA_OK(s.tracks->finish(s.muxer));
  return s.muxer.finish();
}

std::int64_t VideoWriter::frames_written() const { return state_->frames; }

}  // namespace kinora::media
