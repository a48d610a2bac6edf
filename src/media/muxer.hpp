#pragma once
// One output file (or HLS playlist with its segments). Inside this room only.
// Timestamps that do not rise (broken sources) are moved up by one tick instead of failing the file.
#include <string>
#include <vector>

#include "media/av.hpp"

namespace kinora::media {

class Muxer {
 public:
  // format: FFmpeg's muxer name. options are given to the muxer at start().
  static base::Result<Muxer> open(const std::string& path, const char* format, std::vector<std::pair<std::string, std::string>> options);
  Muxer(Muxer&&) noexcept;
  Muxer& operator=(Muxer&&) noexcept;
  // Without finish(), closes and removes the file.
  ~Muxer();

  AVFormatContext& format() const { return *format_; }
  bool wants_global_header() const { return (format_->oformat->flags & AVFMT_GLOBALHEADER) != 0; }
  // A new stream with a copy of these parameters; the codec tag is chosen by the container. The pointer is the muxer's.
  base::Result<AVStream*> add_stream(const AVCodecParameters& parameters, AVRational time_base);
  base::Status start();
  // Takes the packet's content (it is blank afterwards). `time_base`: of its timestamps.
  base::Status write(AVPacket& packet, int stream, AVRational time_base);
  base::Status finish();

 private:
  Muxer() = default;
  void discard();

  AVFormatContext* format_ = nullptr;
  std::string path_;
  std::vector<std::pair<std::string, std::string>> options_;
  std::vector<std::int64_t> last_dts_;
  bool started_ = false, finished_ = false, nut_ = false;
};

}  // namespace kinora::media
