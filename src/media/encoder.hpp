#pragma once
// Frames -> H.264 or H.265 packets. Inside this room only.
#include <functional>
#include <map>
#include <string>

#include "media/av.hpp"
#include "media/frame.hpp"
#include "media/video_writer.hpp"

namespace kinora::media {

using PacketSink = std::function<base::Status(AVPacket&)>;

// The common part of VideoWriterOptions and a rendition.
struct EncoderOptions {
  VideoCodec codec = VideoCodec::h264;
  int width = 0, height = 0;
  PixelFormat format = PixelFormat::yuv420p;
  ColorTags color;
  Rational sample_aspect{1, 1}, time_base{1, 90000}, frame_rate{0, 1};
  int crf = 18;
  std::int64_t bitrate = 0;
  std::string preset = "veryfast", tune;
  int threads = 0, gop = 250, b_frames = -1;
  bool scene_cuts = true;
};

class VideoEncoder {
 public:
  // The parameter sets go into the codec parameters (and, by the TS muxer, before each key frame).
  static base::Result<VideoEncoder> open(const EncoderOptions& options);
  // Gives every packet that is ready to `sink`; timestamps in options.time_base. The frame needs the encoder's size and format.
  base::Status encode(const AVFrame& frame, std::int64_t pts, std::int64_t duration, bool key, const PacketSink& sink);
  base::Status flush(const PacketSink& sink);
  const AVCodecContext& context() const { return *context_; }
  base::Result<Av<AVCodecParameters>> parameters() const;

 private:
  base::Status drain(const PacketSink& sink);
  Av<AVCodecContext> context_;
  FramePtr frame_;
  // Encoders give packets without a length; the last one in a file needs it. Holds the frames inside the encoder.
  std::map<std::int64_t, std::int64_t> durations_;
  PacketPtr packet_;
};

}  // namespace kinora::media
