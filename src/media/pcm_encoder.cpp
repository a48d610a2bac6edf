#include <algorithm>

#include "media/audio_graph.hpp"
#include "media/pcm.hpp"

namespace kinora::media {
namespace {

using base::ErrorCode;

constexpr std::size_t kFreeFrameSamples = 1024;  // for codecs that take frames of any length

}  // namespace

int PcmEncoder::fitting_rate(const std::string& encoder, int wanted) {
  const AVCodec* codec = avcodec_find_encoder_by_name(encoder.c_str());
  if (codec == nullptr || codec->supported_samplerates == nullptr) return wanted;
  int above = 0, highest = 0;
  for (const int* rate = codec->supported_samplerates; *rate != 0; ++rate) {
    highest = std::max(highest, *rate);
    if (*rate >= wanted && (above == 0 || *rate < above)) above = *rate;
  }
  return above != 0 ? above : highest;
}

base::Result<PcmEncoder> PcmEncoder::open(const PcmCodec& codec, PcmShape shape) {
  quiet_logs();
  const AVCodec* found = avcodec_find_encoder_by_name(codec.encoder.c_str());
  if (found == nullptr) return base::fail(ErrorCode::unsupported, "this FFmpeg has no encoder " + codec.encoder);
  PcmEncoder made;
  made.context_.reset(avcodec_alloc_context3(found));
  made.frame_.reset(av_frame_alloc());
  made.packet_.reset(av_packet_alloc());
  if (!made.context_ || !made.frame_ || !made.packet_) return base::fail(ErrorCode::internal, "out of memory for an encoder");
  AVCodecContext& c = *made.context_;
  c.sample_rate = shape.rate;
  c.sample_fmt = found->sample_fmts != nullptr ? found->sample_fmts[0] : AV_SAMPLE_FMT_S16;
  av_channel_layout_default(&c.ch_layout, shape.channels);
  c.bit_rate = std::max<std::int64_t>(codec.bitrate * shape.channels / 2, codec.bitrate / 2);
  c.time_base = {1, shape.rate};
  c.flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  c.thread_count = 1;
  if (avcodec_open2(&c, found, nullptr) < 0)
    return base::fail(ErrorCode::unsupported, codec.encoder + " cannot hold " + std::to_string(shape.channels) + " channels at " +
                                                  std::to_string(shape.rate) + " Hz");
  SwrContext* convert = nullptr;
  int code = swr_alloc_set_opts2(&convert, &c.ch_layout, c.sample_fmt, shape.rate, &c.ch_layout, AV_SAMPLE_FMT_FLT, shape.rate, 0, nullptr);
  made.convert_.reset(convert);
  if (code >= 0) code = swr_init(convert);
  if (code < 0) return av_fail(code, "audio samples");
  return made;
}

base::Status PcmEncoder::drain(const PacketSink& sink) {
  for (;;) {
    const int code = avcodec_receive_packet(context_.get(), packet_.get());
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return {};
    if (code < 0) return av_fail(code, "audio encoding");
    const base::Status status = sink(*packet_);
    av_packet_unref(packet_.get());
    if (!status) return status;
  }
}

// Encodes the first `samples` of what is pending.
base::Status PcmEncoder::send(std::size_t samples, const PacketSink& sink) {
  AVFrame& f = *frame_;
  f.nb_samples = static_cast<int>(samples);
  f.format = context_->sample_fmt;
  f.sample_rate = context_->sample_rate;
  if (av_channel_layout_copy(&f.ch_layout, &context_->ch_layout) < 0 || av_frame_get_buffer(&f, 0) < 0)
    return base::fail(ErrorCode::internal, "out of memory for audio");
  const auto* from = reinterpret_cast<const std::uint8_t*>(pending_.data());
  const int converted = swr_convert(convert_.get(), f.extended_data, f.nb_samples, &from, f.nb_samples);
  f.pts = sent_;
  sent_ += static_cast<std::int64_t>(samples);
  pending_.erase(pending_.begin(),
                 pending_.begin() + static_cast<std::ptrdiff_t>(samples * static_cast<std::size_t>(context_->ch_layout.nb_channels)));
  const int code = converted < 0 ? converted : avcodec_send_frame(context_.get(), &f);
  av_frame_unref(&f);
  if (code < 0) return av_fail(code, "audio encoding");
  return drain(sink);
}

base::Status PcmEncoder::push(const float* interleaved, std::size_t samples, const PacketSink& sink) {
  const auto channels = static_cast<std::size_t>(context_->ch_layout.nb_channels);
  pending_.insert(pending_.end(), interleaved, interleaved + samples * channels);
  const std::size_t frame = context_->frame_size > 0 ? static_cast<std::size_t>(context_->frame_size) : kFreeFrameSamples;
  while (pending_.size() / channels >= frame) KINORA_OK(send(frame, sink));
  return {};
}

base::Status PcmEncoder::flush(const PacketSink& sink) {
  const std::size_t rest = pending_.size() / static_cast<std::size_t>(context_->ch_layout.nb_channels);
  if (rest > 0) KINORA_OK(send(rest, sink));
  if (const int code = avcodec_send_frame(context_.get(), nullptr); code < 0 && code != AVERROR_EOF) return av_fail(code, "audio encoding");
  return drain(sink);
}

}  // namespace kinora::media
