#pragma once
// Sound as samples: a file's track read as interleaved floats of one rate and layout, and such samples encoded. Inside this room only.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "media/encoder.hpp"
#include "media/limits.hpp"
#include "media/probe.hpp"

namespace kinora::media {

struct PcmShape {
  int rate = 48000;
  int channels = 2;
};

// The track that a player would choose: the default one, else the first, that can be decoded. nullptr: none.
const StreamInfo* sound_of(const MediaInfo& info);

class PcmReader {
 public:
  // Sample 0 is `start_s` on the file's clock (the earliest stream is at 0). Gaps in the track, and what lies before its first
  // sample, are silence. unsupported: no sound that can be decoded.
  static base::Result<PcmReader> open(const std::string& path, double start_s, PcmShape shape, const Limits& limits);
  PcmReader(PcmReader&&) noexcept;
  PcmReader& operator=(PcmReader&&) noexcept;
  ~PcmReader();

  // Fills up to `samples` (of all channels each) and says how many; fewer only at the end of the track.
  base::Result<std::size_t> read(float* out, std::size_t samples);

 private:
  struct State;
  explicit PcmReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct PcmCodec {
  std::string encoder = "aac";     // FFmpeg's name
  std::int64_t bitrate = 128'000;  // per pair of channels; lossless codecs ignore it
};

class PcmEncoder {
 public:
  // `shape.rate` must be one that the codec has (see fitting_rate). unsupported: no such encoder here, or not so many channels.
  static base::Result<PcmEncoder> open(const PcmCodec& codec, PcmShape shape);
  // The rate nearest to the wanted one, at least as high where there is one, that this encoder takes.
  static int fitting_rate(const std::string& encoder, int wanted);

  // Timestamps of what goes to `sink`: context().time_base; sample 0 is heard at 0.
  base::Status push(const float* interleaved, std::size_t samples, const PacketSink& sink);
  base::Status flush(const PacketSink& sink);
  const AVCodecContext& context() const { return *context_; }

 private:
  base::Status send(std::size_t samples, const PacketSink& sink);
  base::Status drain(const PacketSink& sink);

  Av<AVCodecContext> context_;
  Av<SwrContext> convert_;
  FramePtr frame_;
  PacketPtr packet_;
  std::vector<float> pending_;
  std::int64_t sent_ = 0;
};

}  // namespace kinora::media
