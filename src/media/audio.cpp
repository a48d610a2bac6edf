#include "media/audio.hpp"

#include <algorithm>
#include <array>

#include "media/audio_graph.hpp"
#include "media/input.hpp"

namespace kinora::media {
namespace {

using base::ErrorCode;

// The AAC encoder's rates; others are brought to 48 kHz.
constexpr std::array kAacRates{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000};
constexpr int kMaxAacChannels = 8;

}  // namespace

struct AudioTranscoder::State {
  base::Status open_encoder(int channels, int rate, std::int64_t bitrate);
  base::Status pump(const PacketSink& sink);
  base::Status drain_decoder(const PacketSink& sink);

  Av<AVCodecContext> decoder, encoder;
  AudioGraph graph;
  AVRational in_base{1, 1};
  FramePtr decoded{av_frame_alloc()}, filtered{av_frame_alloc()};
  PacketPtr packet{av_packet_alloc()};
};

base::Status AudioTranscoder::State::open_encoder(int channels, int rate, std::int64_t bitrate) {
  const AVCodec* codec = avcodec_find_encoder(AV_CODEC_ID_AAC);
  if (codec == nullptr) return base::fail(ErrorCode::unsupported, "this FFmpeg has no AAC encoder");
  encoder.reset(avcodec_alloc_context3(codec));
  if (!encoder) return base::fail(ErrorCode::internal, "out of memory for an encoder");
  const bool known = std::find(kAacRates.begin(), kAacRates.end(), rate) != kAacRates.end();
  encoder->sample_rate = known ? rate : 48000;
  encoder->sample_fmt = AV_SAMPLE_FMT_FLTP;
  av_channel_layout_default(&encoder->ch_layout, channels);
  encoder->bit_rate = std::max<std::int64_t>(bitrate * std::max(channels, 1) / 2, bitrate / 2);
  encoder->time_base = {1, encoder->sample_rate};
  encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  encoder->thread_count = 1;
  if (const int code = avcodec_open2(encoder.get(), codec, nullptr); code < 0)
    return base::fail(ErrorCode::unsupported, av_failure(code, "audio encoder").message);
  return {};
}

base::Status AudioTranscoder::State::pump(const PacketSink& sink) {
  const auto take = [&]() -> base::Status {
    for (;;) {
      const int code = avcodec_receive_packet(encoder.get(), packet.get());
      if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return {};
      if (code < 0) return av_fail(code, "audio encoding");
      const base::Status status = sink(*packet);
      av_packet_unref(packet.get());
      if (!status) return status;
    }
  };
  for (;;) {
    KINORA_TRY(const bool more, graph.pull(*filtered));
    if (!more) return {};
    filtered->pts = av_rescale_q(filtered->pts, graph.time_base(), encoder->time_base);
    const int sent = avcodec_send_frame(encoder.get(), filtered.get());
    av_frame_unref(filtered.get());
    if (sent < 0) return av_fail(sent, "audio encoding");
    KINORA_OK(take());
  }
}

base::Status AudioTranscoder::State::drain_decoder(const PacketSink& sink) {
  while (avcodec_receive_frame(decoder.get(), decoded.get()) >= 0) {
    if (decoded->sample_rate <= 0 || decoded->nb_samples <= 0) continue;
    if (decoded->best_effort_timestamp != AV_NOPTS_VALUE) decoded->pts = decoded->best_effort_timestamp;
    if (graph && !graph.fits(*decoded)) {
      // The stream changed its shape: what is inside comes out first (a frame shorter than the encoder's is padded by it).
      if (graph.push(nullptr)) KINORA_OK(pump(sink));
      graph = {};
    }
    if (!graph) {
      KINORA_TRY(graph,
                 AudioGraph::make(*decoded, in_base,
                                  {AV_SAMPLE_FMT_FLTP, encoder->sample_rate, layout_text(encoder->ch_layout), encoder->frame_size, true}));
    }
    KINORA_OK(graph.push(decoded.get()));
    KINORA_OK(pump(sink));
  }
  return {};
}

AudioTranscoder::AudioTranscoder(std::unique_ptr<State> state) : state_(std::move(state)) {}
AudioTranscoder::AudioTranscoder(AudioTranscoder&&) noexcept = default;
AudioTranscoder& AudioTranscoder::operator=(AudioTranscoder&&) noexcept = default;
AudioTranscoder::~AudioTranscoder() = default;

base::Result<AudioTranscoder> AudioTranscoder::open(const AVStream& stream, std::int64_t bitrate, const Limits& limits) {
  auto state = std::make_unique<State>();
  const int channels = stream.codecpar->ch_layout.nb_channels;
  if (channels < 1 || channels > kMaxAacChannels)
    return base::fail(ErrorCode::unsupported, "audio of " + std::to_string(channels) + " channels");
  KINORA_TRY(state->decoder, open_decoder(stream, 1, limits));
  KINORA_OK(state->open_encoder(channels, stream.codecpar->sample_rate, bitrate));
  state->in_base = stream.time_base;
  return AudioTranscoder(std::move(state));
}

const AVCodecContext& AudioTranscoder::encoder() const { return *state_->encoder; }

base::Status AudioTranscoder::push(const AVPacket& packet, const PacketSink& sink) {
  // A packet that the decoder refuses is damage: the gap becomes silence by its timestamps.
  if (avcodec_send_packet(state_->decoder.get(), &packet) < 0) return {};
  return state_->drain_decoder(sink);
}

base::Status AudioTranscoder::flush(const PacketSink& sink) {
  State& s = *state_;
  avcodec_send_packet(s.decoder.get(), nullptr);
  KINORA_OK(s.drain_decoder(sink));
  if (s.graph) {
    KINORA_OK(s.graph.push(nullptr));
    KINORA_OK(s.pump(sink));
  }
  avcodec_send_frame(s.encoder.get(), nullptr);
  for (;;) {
    const int code = avcodec_receive_packet(s.encoder.get(), s.packet.get());
    if (code < 0) return {};
    const base::Status status = sink(*s.packet);
    av_packet_unref(s.packet.get());
    if (!status) return status;
  }
}

}  // namespace kinora::media
