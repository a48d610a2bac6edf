#pragma once
// Everything of a source file that is not its video, carried into an output: audio, subtitles, chapters, metadata.
// Inside this room only. Bounded memory: packets are read as the output's time advances.
#include <memory>
#include <string>

#include "media/input.hpp"
#include "media/muxer.hpp"
#include "media/video_writer.hpp"

namespace kinora::media {

class SourceTracks {
 public:
  static base::Result<SourceTracks> open(const std::string& path, Container container, const Limits& limits);
  SourceTracks(SourceTracks&&) noexcept;
  SourceTracks& operator=(SourceTracks&&) noexcept;
  ~SourceTracks();

  const MediaInfo& info() const;
  // What becomes zero in the output, in microseconds.
  std::int64_t origin_us() const;
  // Side data of the source's video (display matrix, HDR mastering, light levels) and its metadata for the output's video.
  base::Status dress_video(AVStream& video) const;
  // Adds the streams, chapters and metadata; before Muxer::start().
  base::Status add_to(Muxer& muxer);
  // Writes the packets up to `until_s` on the output's clock.
  base::Status advance(Muxer& muxer, double until_s);
  // Writes the rest.
  base::Status finish(Muxer& muxer);

 private:
  struct State;
  explicit SourceTracks(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Can this container hold packets of this codec as they are?
bool can_copy(Container container, const AVCodecParameters& parameters);
// The muxer's name and its options.
const char* muxer_name(Container container);
std::vector<std::pair<std::string, std::string>> muxer_options(Container container);

}  // namespace kinora::media
