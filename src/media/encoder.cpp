#include "media/encoder.hpp"

#include <algorithm>

namespace kinora::media {

using base::ErrorCode;

base::Result<VideoEncoder> VideoEncoder::open(const EncoderOptions& options) {
  quiet_logs();
  const bool h264 = options.codec == VideoCodec::h264;
  const AVCodec* codec = avcodec_find_encoder_by_name(h264 ? "libx264" : "libx265");
  if (codec == nullptr) return base::fail(ErrorCode::unsupported, h264 ? "this FFmpeg has no libx264" : "this FFmpeg has no libx265");
  VideoEncoder encoder;
  encoder.context_.reset(avcodec_alloc_context3(codec));
  encoder.frame_.reset(av_frame_alloc());
  encoder.packet_.reset(av_packet_alloc());
  if (!encoder.context_ || !encoder.frame_ || !encoder.packet_) return base::fail(ErrorCode::internal, "out of memory for an encoder");
  AVCodecContext& c = *encoder.context_;
  c.width = options.width;
  c.height = options.height;
  c.pix_fmt = options.format == PixelFormat::yuv420p ? AV_PIX_FMT_YUV420P : AV_PIX_FMT_YUV420P10;
  c.sample_aspect_ratio = options.sample_aspect.known() ? to_av(options.sample_aspect) : AVRational{0, 1};
  c.time_base = to_av(options.time_base);
  if (options.frame_rate.known()) c.framerate = to_av(options.frame_rate);
  c.color_primaries = static_cast<AVColorPrimaries>(options.color.primaries);
  c.color_trc = static_cast<AVColorTransferCharacteristic>(options.color.transfer);
  c.colorspace = static_cast<AVColorSpace>(options.color.matrix);
  c.color_range = options.color.range == ColorRange::full      ? AVCOL_RANGE_JPEG
                  : options.color.range == ColorRange::limited ? AVCOL_RANGE_MPEG
                                                               : AVCOL_RANGE_UNSPECIFIED;
  c.gop_size = std::max(options.gop, 1);
  c.flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_CLOSED_GOP;
  if (options.b_frames >= 0) c.max_b_frames = options.b_frames;
  c.thread_count = std::clamp(options.threads, 0, kMaxThreads);  // 0: x264's own choice, half more than processors
  AvOptions av;
  av.set("preset", options.preset);
  if (!options.tune.empty()) av.set("tune", options.tune);
  // A forced key frame is an IDR: segments and seams stand on it.
  av.set("forced-idr", 1);
  if (!options.scene_cuts) c.keyint_min = 1;
  std::string extra;
  if (!options.scene_cuts) {
    av.set("sc_threshold", 0);
    extra = "scenecut=0:";
  }
  if (options.bitrate > 0) {
    c.bit_rate = options.bitrate;
    c.rc_max_rate = options.bitrate + options.bitrate / 2;
    c.rc_buffer_size = static_cast<int>(std::min<std::int64_t>(options.bitrate * 2, 2'000'000'000));
  } else {
    av.set("crf", options.crf);
  }
  if (!h264) {
    // x265 keeps its own thread pool, key frame rules and talk.
    extra += "log-level=none:open-gop=0";
    if (c.thread_count > 0) extra += ":pools=" + std::to_string(c.thread_count);
    av.set("x265-params", extra);
    c.codec_tag = MKTAG('h', 'v', 'c', '1');
  }
  if (const int code = avcodec_open2(&c, codec, av.get()); code < 0) {
    // x264 refuses what it cannot do with a plain "external error".
    return base::fail(code == AVERROR(ENOMEM) ? ErrorCode::internal : ErrorCode::invalid, av_failure(code, "encoder").message);
  }
  return encoder;
}

base::Result<Av<AVCodecParameters>> VideoEncoder::parameters() const {
  Av<AVCodecParameters> parameters(avcodec_parameters_alloc());
  if (!parameters || avcodec_parameters_from_context(parameters.get(), context_.get()) < 0)
    return base::fail(ErrorCode::internal, "out of memory for an encoder");
  return parameters;
}

base::Status VideoEncoder::drain(const PacketSink& sink) {
  for (;;) {
    const int code = avcodec_receive_packet(context_.get(), packet_.get());
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return {};
    if (code < 0) return av_fail(code, "encoding");
    if (const auto known = durations_.find(packet_->pts); known != durations_.end()) {
      packet_->duration = known->second;
      durations_.erase(known);
    }
    const base::Status status = sink(*packet_);
    av_packet_unref(packet_.get());
    if (!status) return status;
  }
}

base::Status VideoEncoder::encode(const AVFrame& frame, std::int64_t pts, std::int64_t duration, bool key, const PacketSink& sink) {
  av_frame_unref(frame_.get());
  if (const int code = av_frame_ref(frame_.get(), &frame); code < 0) return av_fail(code, "encoding");
  AVFrame& f = *frame_;
  f.pts = pts;
  set_frame_duration(f, duration);
  f.pict_type = key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
  // Otherwise closed captions and the like of the source's decoder would be encoded at the wrong place.
  for (int i = f.nb_side_data - 1; i >= 0; --i) av_frame_remove_side_data(&f, f.side_data[i]->type);
  if (duration > 0) durations_[pts] = duration;
  const int code = avcodec_send_frame(context_.get(), &f);
  av_frame_unref(&f);
  if (code < 0) return av_fail(code, "encoding");
  return drain(sink);
}

base::Status VideoEncoder::flush(const PacketSink& sink) {
  if (const int code = avcodec_send_frame(context_.get(), nullptr); code < 0 && code != AVERROR_EOF) return av_fail(code, "encoding");
  return drain(sink);
}

}  // namespace kinora::media
