#pragma once
// Where a ladder's packets go: per rendition an HLS playlist and an MP4 file, fed by one encoder. Inside this room only.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "media/audio_feed.hpp"
#include "media/encoder.hpp"
#include "media/hls.hpp"
#include "media/muxer.hpp"
#include "media/scaler.hpp"
#include "media/transcode.hpp"

namespace kinora::media {

// One muxer of packets that come on the source's clock; it shifts them to its own (MP4: 0, HLS: kHlsStartSeconds).
struct Sink {
  Muxer muxer;
  std::int64_t shift_us = 0;
  int video = -1;          // stream numbers inside the muxer, -1: none
  std::vector<int> audio;  // per track of the AudioFeed
  base::Status write(const AVPacket& packet, int stream, AVRational time_base);
};

class Outputs {
 public:
  Outputs(std::string folder, const TranscodeOptions& options, const AudioFeed& audio)
      : folder_(std::move(folder)), options_(options), audio_(audio), several_tracks_(audio.tracks().size() > 1) {}

  // Opens the files of one rendition. `video`: the encoder's parameters and clock.
  base::Status add_rendition(const Rendition& rendition, const AVCodecParameters& video, AVRational time_base, double frame_rate);
  // Files for sound alone: a playlist per track when a source has several or no video, and audio.mp4 without video.
  base::Status add_audio(bool with_video);
  base::Status write_video(std::size_t rendition, const AVPacket& packet, AVRational time_base);
  base::Status write_audio(std::size_t track, const AVPacket& packet);
  // Closes all files, writes the master playlist, lists what was made.
  base::Result<std::vector<OutputFile>> finish();

 private:
  struct Made {
    Rendition rendition;
    std::optional<Sink> hls, mp4;
  };
  base::Status add_tracks(Sink& sink);
  base::Result<Sink> open_mp4(const std::string& name);
  base::Result<Sink> open_playlist(const std::string& name);
  base::Status list_playlist(const std::string& name, std::vector<OutputFile>& files) const;

  std::string folder_;
  const TranscodeOptions& options_;
  const AudioFeed& audio_;
  bool several_tracks_;
  std::vector<Made> made_;
  std::vector<std::pair<std::string, Sink>> audio_playlists_;  // name, one per track
  std::optional<Sink> audio_file_;
  std::vector<HlsVariant> variants_;
  std::vector<HlsAudio> audio_variants_;
};

}  // namespace kinora::media
