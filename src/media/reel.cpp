#include "media/reel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "media/input.hpp"

namespace kinora::media {
namespace {

using base::ErrorCode;

constexpr std::int64_t kMicros = 1'000'000;

Timestamp at(double seconds) { return {std::llround(seconds * kMicros), {1, kMicros}}; }

}  // namespace

base::Result<PictureTimes> picture_times(const std::string& path, const Limits& limits) {
  KINORA_TRY(Input input, Input::open(path, limits));
  const StreamInfo* video = input.info().video();
  if (video == nullptr) return base::fail(ErrorCode::unsupported, "the file has no video stream");
  const int index = video->index;
  const double rate = video->average_rate.value();
  const double fallback = video->duration_s.value_or(input.info().duration_s) + video->start_s.value_or(0) - input.info().start_s;
  const double tick = video->time_base.value();
  input.keep_only(index);
  PacketPtr packet(av_packet_alloc());
  if (!packet) return base::fail(ErrorCode::internal, "out of memory for a packet");
  PictureTimes times;
  while (input.read(*packet)) {
    if (packet->stream_index != index) continue;
    if (packet->pts == AV_NOPTS_VALUE || (packet->flags & AV_PKT_FLAG_DISCARD) != 0) {
      times.plain = false;
      continue;
    }
    const double shown = packet->duration > 0 ? static_cast<double>(packet->duration) * tick : rate > 0 ? 1 / rate : 0;
    times.end_s = std::max(times.end_s, static_cast<double>(packet->pts) * tick + shown - input.info().start_s);
  }
  if (times.end_s <= 0) times.end_s = fallback;
  return times;
}

base::Result<double> Reel::length_of(const Stretch& stretch, const Limits& limits) {
  KINORA_TRY(const PictureTimes times, picture_times(stretch.path, limits));
  double end = times.end_s;
  if (stretch.start_s >= end)
    return base::fail(ErrorCode::conflict, fmt::format("start_s {:g} lies past the end of the video, {:.3f} s", stretch.start_s, end));
  if (stretch.end_s) end = std::min(end, *stretch.end_s);
  if (stretch.start_s >= end) return base::fail(ErrorCode::conflict, "end_s must lie behind start_s");
  return end - stretch.start_s;
}

base::Result<Reel> Reel::open(const Stretch& stretch, double length_s, const Limits& limits, int threads) {
  VideoReaderOptions reading;
  reading.limits = limits;
  reading.threads = threads;
  KINORA_TRY(const MediaInfo info, probe(stretch.path, limits));
  const double start = info.start_s + stretch.start_s;
  if (stretch.start_s > 0) {
    reading.start = at(start);
    reading.shown_at_start = reading.seek = true;
  }
  reading.end = at(start + length_s);
  KINORA_TRY(VideoReader reader, VideoReader::open(stretch.path, reading));
  KINORA_TRY(std::optional<Frame> frame, reader.next());
  if (!frame) return base::fail(ErrorCode::conflict, "there is no picture between start_s and end_s");
  KINORA_TRY(Prefilter prefilter, Prefilter::make(reader.stream(), *frame));
  Reel reel(std::move(reader), std::move(prefilter));
  reel.start_s_ = start;
  reel.length_s_ = length_s;
  reel.clock_ = reel.reader_.time_base();
  const Prefilter::Sink keep = [&reel](const Frame& f) -> base::Status {
    reel.ready_.push_back(f);
    return {};
  };
  KINORA_OK(reel.prefilter_.push(*frame, keep));
  KINORA_OK(reel.fill());
  if (reel.ready_.empty()) return base::fail(ErrorCode::internal, "the picture was lost in a filter");
  reel.first_ = reel.ready_.front();
  return reel;
}

void Reel::fit_to(const Canvas& canvas, Rational clock) {
  fitter_.emplace(canvas);
  clock_ = clock;
}

// A picture's length is known once the one behind it is.
base::Status Reel::fill() {
  const Prefilter::Sink keep = [this](const Frame& f) -> base::Status {
    ready_.push_back(f);
    return {};
  };
  while (ready_.size() < 2 && !drained_) {
    KINORA_TRY(const std::optional<Frame> frame, reader_.next());
    if (frame) {
      KINORA_OK(prefilter_.push(*frame, keep));
    } else {
      drained_ = true;
      KINORA_OK(prefilter_.flush(keep));
    }
  }
  return {};
}

base::Result<Frame> Reel::placed(const Frame& upright) {
  Frame frame = upright;
  if (fitter_) {
    KINORA_TRY(frame, fitter_->fit(upright));
  }
  // Ticks are rescaled exactly; only the stretch's start may fall between two ticks of the clock.
  const std::int64_t start = rescale(at(start_s_), clock_);
  const std::int64_t end = rescale(at(length_s_), clock_);
  const std::int64_t from = given_ ? std::max<std::int64_t>(rescale(upright.pts(), clock_) - start, 0) : 0;
  const std::int64_t until = ready_.empty() ? end : std::min(rescale(ready_.front().pts(), clock_) - start, end);
  given_ = true;
  frame.set_pts({from, clock_});
  frame.set_duration_ticks(std::max<std::int64_t>(until - from, 1));
  return frame;
}

base::Result<std::optional<Frame>> Reel::next() {
  KINORA_OK(fill());
  if (ready_.empty()) return std::nullopt;
  const Frame upright = std::move(ready_.front());
  ready_.pop_front();
  KINORA_TRY(Frame frame, placed(upright));
  return std::optional<Frame>(std::move(frame));
}

}  // namespace kinora::media
