#pragma once
// All audio tracks of a file as AAC packets: copied where they are AAC, transcoded otherwise. Inside this room only.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "media/av.hpp"
#include "media/limits.hpp"
#include "media/probe.hpp"

namespace kinora::media {

class AudioFeed {
 public:
  struct Track {
    StreamInfo stream;
    Av<AVCodecParameters> parameters;  // of the packets
    AVRational time_base{1, 1};        // of the packets
  };
  // Called with a packet that may be changed and is blank afterwards. Its times are on the source's clock.
  using Sink = std::function<base::Status(std::size_t track, AVPacket& packet)>;

  // Tracks that nobody here can decode are left out. bitrate: per pair of channels.
  static base::Result<AudioFeed> open(const std::string& path, std::int64_t bitrate, const Limits& limits);
  AudioFeed(AudioFeed&&) noexcept;
  AudioFeed& operator=(AudioFeed&&) noexcept;
  ~AudioFeed();

  const std::vector<Track>& tracks() const;
  const MediaInfo& info() const;
  // The file's start in microseconds, and its metadata.
  std::int64_t start_us() const;
  const AVFormatContext& format() const;
  // Gives the packets up to `until_s` on the source's clock; past the end of the file, everything left. False: no more.
  base::Result<bool> advance(double until_s, const Sink& sink);

 private:
  struct State;
  explicit AudioFeed(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace kinora::media
