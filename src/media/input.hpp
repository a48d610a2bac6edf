#pragma once
// A demuxer over one plain file. Inside this room only.
// The bytes come through our own reader of one descriptor: FFmpeg's protocols are never asked, and every wish of a demuxer to
// open another file (playlists, external references) is refused. Only the listed demuxers may run.
#include <memory>
#include <string>

#include "media/av.hpp"
#include "media/frame.hpp"
#include "media/limits.hpp"
#include "media/probe.hpp"

namespace kinora::media {

class Input {
 public:
  // Opens, finds the streams' parameters, checks the limits. invalid, unsupported, too_large, not_found, io.
  static base::Result<Input> open(const std::string& path, const Limits& limits);
  Input(Input&&) noexcept;
  Input& operator=(Input&&) noexcept;
  ~Input();

  AVFormatContext& format() const { return *format_; }
  AVStream& stream(int index) const { return *format_->streams[index]; }
  const MediaInfo& info() const { return info_; }
  // The next packet; false at the end (or where the file breaks off: read errors end the stream).
  bool read(AVPacket& packet);
  // Drop all packets of other streams inside FFmpeg.
  void keep_only(int stream);

 private:
  struct File;
  Input() = default;
  base::Status describe(const Limits& limits);

  std::unique_ptr<File> file_;
  AVFormatContext* format_ = nullptr;
  MediaInfo info_;
};

// An opened decoder for the stream. mid_stream: decoding starts at a key frame that is not the first (see describe.hpp).
// unsupported: none; too_large: a picture beyond the limits is refused inside as well.
base::Result<Av<AVCodecContext>> open_decoder(const AVStream& stream, int threads, const Limits& limits, bool mid_stream = false,
                                              bool motion_vectors = false);

}  // namespace kinora::media
