#include "kinora_train/h264_loop.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
}

#include <memory>

#include "kinora_train/error.hpp"

namespace kinora::train {
namespace {

struct Free {
  void operator()(AVCodecContext* p) const { avcodec_free_context(&p); }
  void operator()(AVPacket* p) const { av_packet_free(&p); }
  void operator()(AVFrame* p) const { av_frame_free(&p); }
};
using Codec = std::unique_ptr<AVCodecContext, Free>;
using Packet = std::unique_ptr<AVPacket, Free>;

void check(int code, const char* doing) {
  if (code < 0) throw Failure(std::string(doing) + " failed with FFmpeg's error " + std::to_string(code));
}

Codec open_encoder(const media::Frame& first, const H264Settings& settings) {
  const AVCodec* codec = avcodec_find_encoder_by_name("libx264");
  if (codec == nullptr) throw Failure("this FFmpeg has no libx264");
  Codec context(avcodec_alloc_context3(codec));
  context->width = first.width();
  context->height = first.height();
  context->pix_fmt = AV_PIX_FMT_YUV420P;
  context->time_base = {1, settings.fps};
  context->framerate = {settings.fps, 1};
  context->thread_count = 1;
  context->colorspace = first.av()->colorspace;
  context->color_primaries = first.av()->color_primaries;
  context->color_trc = first.av()->color_trc;
  context->color_range = first.av()->color_range;
  av_opt_set_int(context->priv_data, "crf", settings.crf, 0);
  av_opt_set(context->priv_data, "preset", settings.preset.c_str(), 0);
  context->log_level_offset = AV_LOG_MAX_OFFSET;  // its statistics are of no interest here
  check(avcodec_open2(context.get(), codec, nullptr), "opening libx264");
  return context;
}

Codec open_decoder() {
  const AVCodec* codec = avcodec_find_decoder(AV_CODEC_ID_H264);
  if (codec == nullptr) throw Failure("this FFmpeg has no H.264 decoder");
  Codec context(avcodec_alloc_context3(codec));
  context->thread_count = 1;
  check(avcodec_open2(context.get(), codec, nullptr), "opening the H.264 decoder");
  return context;
}

class Loop {
 public:
  Loop(const media::Frame& first, const H264Settings& settings) : encoder_(open_encoder(first, settings)), decoder_(open_decoder()) {}

  void encode(const AVFrame* picture) {
    check(avcodec_send_frame(encoder_.get(), picture), "encoding");
    while (true) {
      const int code = avcodec_receive_packet(encoder_.get(), packet_.get());
      if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) break;
      check(code, "encoding");
      bytes_ += static_cast<std::size_t>(packet_->size);
      decode(packet_.get());
      av_packet_unref(packet_.get());
    }
    if (picture == nullptr) decode(nullptr);
  }

  std::vector<media::Frame> pictures;
  std::size_t bytes() const { return bytes_; }

 private:
  void decode(const AVPacket* packet) {
    check(avcodec_send_packet(decoder_.get(), packet), "decoding");
    while (true) {
      std::unique_ptr<AVFrame, Free> picture(av_frame_alloc());
      const int code = avcodec_receive_frame(decoder_.get(), picture.get());
      if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return;
      check(code, "decoding");
      pictures.emplace_back(picture.release());
    }
  }

  Codec encoder_, decoder_;
  Packet packet_{av_packet_alloc()};
  std::size_t bytes_ = 0;
};

}  // namespace

std::vector<media::Frame> through_h264(std::span<const media::Frame> pictures, const H264Settings& settings, std::size_t* bytes) {
  if (pictures.empty()) return {};
  Loop loop(pictures.front(), settings);
  std::int64_t pts = 0;
  std::vector<media::Frame> copies(pictures.begin(), pictures.end());  // of their times, not of their pixels
  for (media::Frame& copy : copies) {
    copy.av()->pts = pts++;
    copy.av()->pict_type = AV_PICTURE_TYPE_NONE;
    loop.encode(copy.av());
  }
  loop.encode(nullptr);
  if (loop.pictures.size() != pictures.size()) throw Failure("H.264 gave another number of pictures than it was given");
  for (media::Frame& picture : loop.pictures) picture.set_color(pictures.front().color());
  if (bytes != nullptr) *bytes = loop.bytes();
  return std::move(loop.pictures);
}

}  // namespace kinora::train
