#include "media/muxer.hpp"

#include <unistd.h>

#include <utility>

namespace kinora::media {

using base::ErrorCode;

Muxer::Muxer(Muxer&& other) noexcept { *this = std::move(other); }
Muxer& Muxer::operator=(Muxer&& other) noexcept {
  std::swap(format_, other.format_);
  std::swap(path_, other.path_);
  std::swap(options_, other.options_);
  std::swap(last_dts_, other.last_dts_);
  std::swap(started_, other.started_);
  std::swap(finished_, other.finished_);
  std::swap(nut_, other.nut_);
  return *this;
}
Muxer::~Muxer() {
  if (format_ != nullptr) discard();
}

void Muxer::discard() {
  const bool file = (format_->oformat->flags & AVFMT_NOFILE) == 0;
  if (file && format_->pb != nullptr) avio_closep(&format_->pb);
  avformat_free_context(std::exchange(format_, nullptr));
  if (!finished_) ::unlink(path_.c_str());
}

base::Result<Muxer> Muxer::open(const std::string& path, const char* format, std::vector<std::pair<std::string, std::string>> options) {
  quiet_logs();
  Muxer muxer;
  // "file:" so that no other protocol can be named by a path.
  const std::string url = "file:" + path;
  if (const int code = avformat_alloc_output_context2(&muxer.format_, nullptr, format, url.c_str()); code < 0)
    return av_fail(code, "output");
  muxer.path_ = path;
  muxer.nut_ = std::string_view(format) == "nut";
  // NUT has no times below zero, and FFmpeg would move the whole file: pictures must stay where they are (see write()).
  if (muxer.nut_) muxer.format_->avoid_negative_ts = AVFMT_AVOID_NEG_TS_DISABLED;
  muxer.options_ = std::move(options);
  if ((muxer.format_->oformat->flags & AVFMT_NOFILE) == 0)
    if (const int code = avio_open(&muxer.format_->pb, url.c_str(), AVIO_FLAG_WRITE); code < 0) {
      muxer.finished_ = true;  // nothing was made: nothing to remove
      return base::fail(ErrorCode::io, av_failure(code, "output").message);
    }
  return muxer;
}

base::Result<AVStream*> Muxer::add_stream(const AVCodecParameters& parameters, AVRational time_base) {
  AVStream* stream = avformat_new_stream(format_, nullptr);
  if (stream == nullptr || avcodec_parameters_copy(stream->codecpar, &parameters) < 0)
    return base::fail(ErrorCode::internal, "output: out of memory");
  stream->codecpar->codec_tag = 0;
  stream->time_base = time_base;
  last_dts_.push_back(AV_NOPTS_VALUE);
  return stream;
}

base::Status Muxer::start() {
  AvOptions options;
  for (const auto& [key, value] : options_) options.set(key.c_str(), value);
  if (const int code = avformat_write_header(format_, options.get()); code < 0) return av_fail(code, "output header");
  started_ = true;
  return {};
}

base::Status Muxer::write(AVPacket& packet, int stream, AVRational time_base) {
  packet.stream_index = stream;
  packet.pos = -1;
  av_packet_rescale_ts(&packet, time_base, format_->streams[stream]->time_base);
  std::int64_t& last = last_dts_[static_cast<std::size_t>(stream)];
  if (packet.dts == AV_NOPTS_VALUE) packet.dts = packet.pts;
  if (packet.dts != AV_NOPTS_VALUE) {
    // Only the decoding times of reordered pictures at the start fall below zero; NUT does not keep those anyway.
    if (nut_ && packet.dts < 0) packet.dts = 0;
    if (last != AV_NOPTS_VALUE && packet.dts <= last) packet.dts = last + 1;
    if (packet.pts != AV_NOPTS_VALUE && packet.pts < packet.dts) packet.pts = packet.dts;
    last = packet.dts;
  }
  if (const int code = av_interleaved_write_frame(format_, &packet); code < 0) return av_fail(code, "writing the output");
  return {};
}

base::Status Muxer::finish() {
  if (const int code = av_write_trailer(format_); code < 0) return av_fail(code, "finishing the output");
  if ((format_->oformat->flags & AVFMT_NOFILE) == 0) {
    const int written = format_->pb->error;
    const int closed = avio_closep(&format_->pb);
    if (written < 0 || closed < 0) return base::fail(ErrorCode::io, av_failure(written < 0 ? written : closed, "output").message);
  }
  finished_ = true;
  return {};
}

}  // namespace kinora::media
