#include "media/video_reader.hpp"

#include <cmath>
#include <deque>
#include <utility>

#include "media/describe.hpp"
#include "media/input.hpp"
#include "media/prefilter.hpp"
#include "media/scaler.hpp"

namespace kinora::media {

using base::ErrorCode;

struct VideoReader::State {
  State(Input input_, const VideoReaderOptions& options_) : input(std::move(input_)), options(options_) {}

  base::Result<std::optional<Frame>> next();
  // progressive(), and what shown_at_start adds before the first frame from `start` on.
  base::Result<std::optional<Frame>> in_range();
  // decode(), deinterlaced when that is wanted.
  base::Result<std::optional<Frame>> progressive();
  // The next frame of the decoder, whatever its time; nullopt at the end.
  base::Result<std::optional<Frame>> decode();
  base::Status feed();
  base::Status normalise(Frame& frame);
  void tag(AVFrame& frame) const;
  bool counts(const Frame& frame) const;

  Input input;
  VideoReaderOptions options;
  StreamInfo stream;
  Av<AVCodecContext> decoder;
  PacketPtr packet{av_packet_alloc()};
  std::unique_ptr<Scaler> scaler;  // only when the stream changes its shape
  int width = 0, height = 0, format = -1;
  bool drained = false;
  bool hides_before_start = false;
  std::optional<Prefilter> deinterlacer;  // from the first interlaced frame on
  std::optional<Frame> passed;            // the last one before, which that frame's deinterlacing looks at
  std::deque<Frame> filtered;
  bool flushed = false, ended = false;
  std::optional<Frame> after;  // with shown_at_start: the frame behind the one that was on the screen
  std::int64_t decoded = 0, given = 0, damaged = 0, deinterlaced = 0, resized = 0;
  std::int64_t last_pts = AV_NOPTS_VALUE;      // given out
  std::int64_t last_raw_pts = AV_NOPTS_VALUE;  // as decoded
};

base::Status VideoReader::State::feed() {
  for (;;) {
    if (!input.read(*packet)) {
      drained = true;
      avcodec_send_packet(decoder.get(), nullptr);
      return {};
    }
    if (packet->stream_index != stream.index) continue;
    const int code = avcodec_send_packet(decoder.get(), packet.get());
    if (code == AVERROR(ENOMEM)) return av_fail(code, "decoding");
    if (code < 0 && code != AVERROR(EAGAIN)) ++damaged;
    return {};
  }
}

void VideoReader::State::tag(AVFrame& frame) const {
  name_range_honestly(frame);
  if (frame.color_primaries == AVCOL_PRI_UNSPECIFIED) frame.color_primaries = static_cast<AVColorPrimaries>(stream.color.primaries);
  if (frame.color_trc == AVCOL_TRC_UNSPECIFIED) frame.color_trc = static_cast<AVColorTransferCharacteristic>(stream.color.transfer);
  if (frame.colorspace == AVCOL_SPC_UNSPECIFIED) frame.colorspace = static_cast<AVColorSpace>(stream.color.matrix);
  if (frame.color_range == AVCOL_RANGE_UNSPECIFIED && stream.color.range != ColorRange::unspecified)
    frame.color_range = stream.color.range == ColorRange::full ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
  if (frame.sample_aspect_ratio.num == 0 && stream.sample_aspect.known()) frame.sample_aspect_ratio = to_av(stream.sample_aspect);
}

bool VideoReader::State::counts(const Frame& frame) const {
  return (!options.start || compare(frame.pts(), *options.start) >= 0) && (!options.end || compare(frame.pts(), *options.end) < 0);
}

base::Status VideoReader::State::normalise(Frame& frame) {
  const AVFrame& av = *frame.av();
  if (format < 0) {
    width = av.width;
    height = av.height;
    format = av.format;
    return {};
  }
  if (av.width == width && av.height == height && av.format == format) return {};
  resized += counts(frame) ? 1 : 0;
  if (!scaler) scaler = std::make_unique<Scaler>(SWS_BICUBIC | SWS_ACCURATE_RND);
  Frame scaled(av_frame_alloc());
  AVFrame* to = scaled.av();
  if (to == nullptr) return base::fail(ErrorCode::internal, "out of memory for a picture");
  to->width = width;
  to->height = height;
  to->format = format;
  if (av_frame_get_buffer(to, 0) < 0 || av_frame_copy_props(to, &av) < 0)
    return base::fail(ErrorCode::internal, "out of memory for a picture");
  KINORA_OK(scaler->run(av, *to, av.width, av.height));
  scaled.set_pts(frame.pts());
  scaled.set_duration_ticks(frame.duration_ticks());
  frame = std::move(scaled);
  return {};
}

base::Result<std::optional<Frame>> VideoReader::State::decode() {
  FramePtr av(av_frame_alloc());
  if (!av) return base::fail(ErrorCode::internal, "out of memory for a picture");
  for (;;) {
    const int code = avcodec_receive_frame(decoder.get(), av.get());
    if (code == AVERROR(EAGAIN) && !drained) {
      KINORA_OK(feed());
      continue;
    }
    if (code == AVERROR_EOF || (code == AVERROR(EAGAIN) && drained)) return std::nullopt;
    if (code == AVERROR(ENOMEM)) return av_fail(code, "decoding");
    if (code < 0) {
      ++damaged;
      if (!drained) KINORA_OK(feed());
      continue;
    }
    break;
  }
  ++decoded;
  tag(*av);
  std::int64_t pts = av->best_effort_timestamp;
  const std::int64_t duration = frame_duration(*av);
  if (pts == AV_NOPTS_VALUE) pts = last_raw_pts == AV_NOPTS_VALUE ? 0 : last_raw_pts + std::max<std::int64_t>(duration, 1);
  last_raw_pts = pts;
  Frame frame(av.release());
  frame.set_pts({pts, stream.time_base});
  if (frame.damaged() && counts(frame)) ++damaged;
  KINORA_OK(normalise(frame));
  return std::optional<Frame>(std::move(frame));
}

base::Result<std::optional<Frame>> VideoReader::State::progressive() {
  const auto keep = [this](const Frame& frame) -> base::Status {
    if (!std::exchange(passed, std::nullopt)) filtered.push_back(frame);
    return {};
  };
  while (filtered.empty()) {
    KINORA_TRY(std::optional<Frame> frame, decode());
    if (frame && hides_before_start && options.start && compare(frame->pts(), *options.start) < 0) continue;
    if (frame && options.deinterlace && !deinterlacer && (stream.interlaced || frame->interlaced())) {
      KINORA_TRY(deinterlacer, Prefilter::make(stream, *frame, Prefilter::Turn::no));
      if (passed) KINORA_OK(deinterlacer->push(*passed, keep));
    }
    if (!deinterlacer) {
      if (options.deinterlace) passed = frame;
      return frame;
    }
    if (frame) {
      if (frame->interlaced() && counts(*frame)) ++deinterlaced;
      KINORA_OK(deinterlacer->push(*frame, keep));
    } else if (!flushed) {
      flushed = true;
      KINORA_OK(deinterlacer->flush(keep));
    } else {
      return std::nullopt;
    }
  }
  Frame frame = std::move(filtered.front());
  filtered.pop_front();
  return std::optional<Frame>(std::move(frame));
}

base::Result<std::optional<Frame>> VideoReader::State::in_range() {
  if (after) return std::exchange(after, std::nullopt);
  std::optional<Frame> before;
  for (;;) {
    KINORA_TRY(std::optional<Frame> frame, progressive());
    if (!frame && decoded == 0) return base::fail(ErrorCode::invalid, "the video holds no picture that can be decoded");
    if (frame && options.start && compare(frame->pts(), *options.start) < 0) {
      if (options.shown_at_start && given == 0) before = std::move(frame);
      continue;
    }
    if (!before || (frame && compare(frame->pts(), *options.start) == 0)) return frame;
    const std::int64_t start = rescale(*options.start, before->pts().base);
    // The last frame of a file stays for its duration only; where an MP4 gives packets none, for that of a frame at the mean rate.
    const double rate = stream.average_rate.value();
    std::int64_t shown = before->duration_ticks();
    if (shown <= 0 && rate > 0) shown = std::llround(1 / (rate * before->pts().base.value()));
    if (!frame && before->pts().ticks + shown <= start) return std::nullopt;
    before->set_pts({start, before->pts().base});
    after = std::move(frame);
    return before;
  }
}

base::Result<std::optional<Frame>> VideoReader::State::next() {
  KINORA_TRY(std::optional<Frame> frame, in_range());
  if (!frame) return std::nullopt;
  const Timestamp pts = frame->pts();
  // Frames come in display order, so the first one behind the end ends the reading.
  if (options.end && compare(pts, *options.end) >= 0 && (std::exchange(ended, true) || !options.look_ahead)) return std::nullopt;
  if (last_pts != AV_NOPTS_VALUE && pts.ticks <= last_pts) frame->set_pts({last_pts + 1, pts.base});
  last_pts = frame->pts().ticks;
  ++given;
  return frame;
}

VideoReader::VideoReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
VideoReader::VideoReader(VideoReader&&) noexcept = default;
VideoReader& VideoReader::operator=(VideoReader&&) noexcept = default;
VideoReader::~VideoReader() = default;

base::Result<VideoReader> VideoReader::open(const std::string& path, VideoReaderOptions options) {
  KINORA_TRY(Input input, Input::open(path, options.limits));
  const StreamInfo* video = input.info().video();
  if (video == nullptr) return base::fail(ErrorCode::unsupported, "the file has no video stream");
  auto state = std::make_unique<State>(std::move(input), options);
  state->stream = *state->input.info().video();
  const int index = state->stream.index;
  state->input.keep_only(index);
  AVStream& stream = state->input.stream(index);
  const bool jumps = state->options.seek && state->options.start.has_value();
  const bool mid_stream = jumps || av_dict_get(stream.metadata, kMidStreamKey, nullptr, 0) != nullptr;
  state->hides_before_start = av_dict_get(stream.metadata, kFirstChunkKey, nullptr, 0) != nullptr;
  KINORA_TRY(state->decoder,
             open_decoder(stream, state->options.threads, state->options.limits, mid_stream, state->options.motion_vectors));
  if (!state->packet) return base::fail(ErrorCode::internal, "out of memory");
  if (jumps) {
    const std::int64_t at = rescale(*state->options.start, state->stream.time_base);
    // No index, no jump: then everything before is decoded and dropped, which is right but slower.
    av_seek_frame(&state->input.format(), index, at, AVSEEK_FLAG_BACKWARD);
  }
  return VideoReader(std::move(state));
}

base::Result<std::optional<Frame>> VideoReader::next() { return state_->next(); }
const StreamInfo& VideoReader::stream() const { return state_->stream; }
const MediaInfo& VideoReader::media() const { return state_->input.info(); }
Rational VideoReader::time_base() const { return state_->stream.time_base; }
std::int64_t VideoReader::frames_read() const { return state_->given; }
std::int64_t VideoReader::damaged_frames() const { return state_->damaged; }
std::int64_t VideoReader::deinterlaced_frames() const { return state_->deinterlaced; }
std::int64_t VideoReader::resized_frames() const { return state_->resized; }
std::int64_t VideoReader::frames_expected() const {
  const StreamInfo& stream = state_->stream;
  double seconds = stream.duration_s.value_or(state_->input.info().duration_s);
  const double first = stream.start_s.value_or(0);
  if (state_->options.start || state_->options.end) {
    const double from = state_->options.start ? state_->options.start->seconds() : first;
    const double to = state_->options.end ? state_->options.end->seconds() : first + seconds;
    seconds = std::max(0.0, std::min(to, first + seconds) - std::max(from, first));
  } else if (stream.frames > 0) {
    return stream.frames;
  }
  return static_cast<std::int64_t>(std::llround(seconds * stream.average_rate.value()));
}

}  // namespace kinora::media
