#pragma once
// One audio stream -> AAC packets, its timing kept: gaps become silence, overlaps are trimmed. Inside this room only.
#include <functional>
#include <memory>

#include "media/av.hpp"
#include "media/encoder.hpp"
#include "media/limits.hpp"

namespace kinora::media {

class AudioTranscoder {
 public:
  // bitrate: per pair of channels. unsupported: no decoder, no AAC encoder, or a layout that AAC cannot hold (more than 8).
  static base::Result<AudioTranscoder> open(const AVStream& stream, std::int64_t bitrate, const Limits& limits);
  AudioTranscoder(AudioTranscoder&&) noexcept;
  AudioTranscoder& operator=(AudioTranscoder&&) noexcept;
  ~AudioTranscoder();

  const AVCodecContext& encoder() const;
  // Damaged packets are skipped. Timestamps of what goes to `sink`: encoder().time_base.
  base::Status push(const AVPacket& packet, const PacketSink& sink);
  base::Status flush(const PacketSink& sink);

 private:
  struct State;
  explicit AudioTranscoder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace kinora::media
