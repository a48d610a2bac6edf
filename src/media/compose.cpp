#include "media/compose.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "media/blend.hpp"
#include "media/muxer.hpp"
#include "media/tracks.hpp"

namespace kinora::media {
namespace {

using base::ErrorCode;

// Holds the frame times of all common rates: 24, 25, 30, 50, 60, 24000/1001, 30000/1001, 60000/1001.
constexpr Rational kCommonClock{1, 120'000};
constexpr std::int64_t kFinestClock = 1'000'000;

struct Part {
  Stretch stretch;
  double length_s = 0;
  double begin_s = 0;  // on the film's clock
  double end_s() const { return begin_s + length_s; }
};

// The stretch that fades out: which of its pictures is on the screen?
class Leaving {
 public:
  Leaving(Reel reel, Frame now, std::optional<Frame> next) : reel_(std::move(reel)), now_(std::move(now)), next_(std::move(next)) {}
  base::Result<const Frame*> at(std::int64_t ticks) {
    while (next_ && next_->pts().ticks <= ticks) {
      now_ = std::move(*next_);
      KINORA_TRY(next_, reel_.next());
    }
    return &now_;
  }

 private:
  Reel reel_;
  Frame now_;
  std::optional<Frame> next_;
};

class Composer {
 public:
  Composer(const ComposeOptions& options, const Control& control) : options_(options), control_(control) {}
  base::Status plan(const std::vector<Stretch>& stretches);
  base::Result<Composed> run(const std::string& output);

 private:
  base::Result<Reel> open(std::size_t number);
  base::Status start(const Reel& first, const std::string& output);
  base::Status open_sound();
  base::Status play(std::size_t number, Reel reel);
  base::Status write(const Frame& frame, std::int64_t pts, std::int64_t end, bool key);
  std::int64_t ticks(double seconds) const { return std::llround(seconds / clock_.value()); }
  base::Status sound_until(double seconds);
  std::string what(std::size_t number) const { return several_ ? fmt::format("video {}: ", number) : ""; }

  const ComposeOptions& options_;
  const Control& control_;
  std::vector<Part> parts_;
  bool several_ = false;
  double length_s_ = 0;
  Canvas canvas_;
  Rational clock_ = kCommonClock;
  std::optional<Muxer> muxer_;
  std::optional<VideoEncoder> encoder_;
  std::optional<Soundtrack> sound_;
  PacketSink video_sink_, sound_sink_;
  std::optional<Leaving> leaving_;
  bool hdr_ = false;
  std::int64_t frames_ = 0, last_pts_ = -1;
};

base::Status Composer::plan(const std::vector<Stretch>& stretches) {
  if (stretches.empty() || stretches.size() > static_cast<std::size_t>(kMaxStretches))
    return base::fail(ErrorCode::invalid, "a film is made of 1 to 1024 videos");
  several_ = stretches.size() > 1;
  double end = 0;
  for (const Stretch& stretch : stretches) {
    Part part;
    part.stretch = stretch;
    const bool again = !parts_.empty() && parts_.back().stretch.path == stretch.path && parts_.back().stretch.start_s == stretch.start_s &&
                       parts_.back().stretch.end_s == stretch.end_s;
    if (again) {
      part.length_s = parts_.back().length_s;
    } else {
      auto length = Reel::length_of(stretch, options_.limits);
      if (!length) return base::fail(length.error().code, what(parts_.size()) + length.error().message);
      part.length_s = *length;
    }
    if (options_.crossfade_s > 0 && part.length_s < 2 * options_.crossfade_s)
      return base::fail(ErrorCode::invalid,
                        fmt::format("video {} is {:.3f} s long: too short for crossfades of {:g} s (twice that is needed)", parts_.size(),
                                    part.length_s, options_.crossfade_s));
    part.begin_s = parts_.empty() ? 0 : end - options_.crossfade_s;
    end = part.end_s();
    parts_.push_back(std::move(part));
    if (options_.length_s && end >= *options_.length_s) break;
  }
  constexpr double kHair = 1e-6;
  if (options_.length_s && end + kHair < *options_.length_s)
    return base::fail(ErrorCode::conflict, fmt::format("{} times the video is {:.3f} s: shorter than duration_s", parts_.size(), end));
  length_s_ = options_.length_s ? std::min(end, *options_.length_s) : end;
  if (length_s_ > kMaxDurationSeconds) return base::fail(ErrorCode::too_large, "the film would be longer than 24 hours");
  return {};
}

base::Result<Reel> Composer::open(std::size_t number) {
  const Part& part = parts_[number];
  auto reel = Reel::open(part.stretch, part.length_s, options_.limits, options_.threads);
  if (!reel) return base::fail(reel.error().code, what(number) + reel.error().message);
  return reel;
}

base::Status Composer::open_sound() {
  std::vector<SoundClip> clips;
  if (options_.sound) {
    clips = *options_.sound;
  } else {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const Part& part = parts_[i];
      clips.push_back({part.stretch.path, part.stretch.start_s, part.begin_s, part.end_s(), i > 0 ? options_.crossfade_s : 0,
                       i + 1 < parts_.size() ? options_.crossfade_s : 0});
    }
  }
  PcmCodec codec;
  codec.bitrate = options_.audio_bitrate;
  KINORA_TRY(sound_, Soundtrack::open(std::move(clips), length_s_, codec, options_.limits));
  return {};
}

base::Status Composer::start(const Reel& first, const std::string& output) {
  canvas_ = canvas_of(first.first());
  if (options_.width > 0) canvas_.width = options_.width;
  if (options_.height > 0) canvas_.height = options_.height;
  // One file's pictures stay on its clock to the tick; those of several meet on one that holds the usual rates.
  const bool one_file =
      std::all_of(parts_.begin(), parts_.end(), [&](const Part& part) { return part.stretch.path == parts_.front().stretch.path; });
  const Rational own = first.stream().time_base;
  if (one_file && own.num >= 1 && own.den >= 1000 && own.den <= kFinestClock) clock_ = own;
  EncoderOptions encoding;
  encoding.codec = options_.codec;
  encoding.width = canvas_.width;
  encoding.height = canvas_.height;
  encoding.format = canvas_.format;
  encoding.color = canvas_.color;
  encoding.time_base = clock_;
  const double rate = first.stream().average_rate.value();
  if (rate > 0 && rate <= 240) encoding.frame_rate = first.stream().average_rate;
  encoding.crf = options_.crf;
  encoding.preset = options_.preset;
  encoding.threads = options_.threads;
  KINORA_TRY(encoder_, VideoEncoder::open(encoding));
  KINORA_OK(open_sound());
  KINORA_TRY(muxer_, Muxer::open(output, muxer_name(Container::mp4), muxer_options(Container::mp4)));
  KINORA_TRY(const Av<AVCodecParameters> parameters, encoder_->parameters());
  KINORA_TRY(AVStream * video, muxer_->add_stream(*parameters, to_av(clock_)));
  if (options_.codec == VideoCodec::h265) video->codecpar->codec_tag = MKTAG('h', 'v', 'c', '1');
  video->sample_aspect_ratio = {1, 1};
  if (encoding.frame_rate.known()) video->avg_frame_rate = to_av(encoding.frame_rate);
  if (sound_) {
    Av<AVCodecParameters> coded(avcodec_parameters_alloc());
    if (!coded || avcodec_parameters_from_context(coded.get(), &sound_->encoder()) < 0)
      return base::fail(ErrorCode::internal, "output: out of memory");
    KINORA_OK(muxer_->add_stream(*coded, sound_->encoder().time_base));
    sound_sink_ = [this](AVPacket& packet) { return muxer_->write(packet, 1, sound_->encoder().time_base); };
  }
  video_sink_ = [this](AVPacket& packet) -> base::Status {
    const double at = static_cast<double>(packet.dts) * clock_.value();
    KINORA_OK(muxer_->write(packet, 0, to_av(clock_)));
    return sound_until(at);
  };
  return muxer_->start();
}

base::Status Composer::sound_until(double seconds) { return sound_ ? sound_->advance(seconds, sound_sink_) : base::Status{}; }

base::Status Composer::write(const Frame& frame, std::int64_t pts, std::int64_t end, bool key) {
  if (control_.stop.stop_requested()) return base::fail(ErrorCode::canceled, "canceled");
  // Rounding of two stretches may meet in one tick.
  pts = std::max(pts, last_pts_ + 1);
  KINORA_OK(encoder_->encode(*frame.av(), pts, std::max<std::int64_t>(end - pts, 1), key, video_sink_));
  last_pts_ = pts;
  ++frames_;
  if (control_.report) control_.report({std::min(static_cast<double>(pts) * clock_.value() / length_s_, 0.999), frames_, 0});
  return {};
}

base::Status Composer::play(std::size_t number, Reel reel) {
  const Part& part = parts_[number];
  reel.fit_to(canvas_, clock_);
  const bool fades_in = number > 0 && options_.crossfade_s > 0;
  const bool fades_out = number + 1 < parts_.size() && options_.crossfade_s > 0;
  const std::int64_t begin = ticks(part.begin_s), film_end = ticks(length_s_);
  const std::int64_t length = ticks(part.length_s - (fades_out ? options_.crossfade_s : 0));  // until the next one begins
  const std::int64_t fade = ticks(options_.crossfade_s);
  std::optional<Frame> last;
  for (;;) {
    KINORA_TRY(std::optional<Frame> frame, reel.next());
    if (!frame || (fades_out && frame->pts().ticks >= length)) {
      if (fades_out && last) leaving_.emplace(std::move(reel), std::move(*last), std::move(frame));
      return {};
    }
    const std::int64_t at = frame->pts().ticks;
    const std::int64_t end = std::min({begin + at + frame->duration_ticks(), begin + length, film_end});
    if (begin + at >= film_end) return {};
    if (fades_in && at < fade && leaving_) {
      KINORA_TRY(const Frame* under, leaving_->at(at + ticks(parts_[number - 1].length_s - options_.crossfade_s)));
      KINORA_TRY(const Frame mixed, crossfade(*under, *frame, static_cast<double>(at) / static_cast<double>(fade)));
      KINORA_OK(write(mixed, begin + at, end, false));
    } else {
      if (fades_in) leaving_.reset();
      KINORA_OK(write(*frame, begin + at, end, at == 0));
    }
    if (fades_out) last = std::move(frame);
  }
}

base::Result<Composed> Composer::run(const std::string& output) {
  for (std::size_t i = 0; i < parts_.size() && parts_[i].begin_s < length_s_; ++i) {
    KINORA_TRY(Reel reel, open(i));
    const bool hdr = reel.first().color().hdr();
    if (i == 0) {
      hdr_ = hdr;
      KINORA_OK(start(reel, output));
    }
    if (hdr != hdr_)
      return base::fail(ErrorCode::invalid, what(i) + (hdr ? "it is HDR, the first is not" : "the first is HDR, this one is not") +
                                                ": bring all to one kind first");
    KINORA_OK(play(i, std::move(reel)));
  }
  KINORA_OK(encoder_->flush(video_sink_));
  if (sound_) KINORA_OK(sound_->finish(sound_sink_));
  KINORA_OK(muxer_->finish());
  if (control_.report) control_.report({1.0, frames_, frames_});
  return Composed{frames_, length_s_};
}

}  // namespace

base::Result<Composed> compose(const std::vector<Stretch>& stretches, const std::string& output, const ComposeOptions& options,
                               const Control& control) {
  const auto even_side = [](int side) { return side == 0 || (side >= 2 && side <= kMaxSide && side % 2 == 0); };
  if (!even_side(options.width) || !even_side(options.height)) return base::fail(ErrorCode::invalid, "a film's sides are even, 2 to 16384");
  if (!(options.crossfade_s >= 0 && options.crossfade_s <= kMaxCrossfadeSeconds))
    return base::fail(ErrorCode::invalid, "a crossfade lasts 0 to 5 seconds");
  Composer composer(options, control);
  KINORA_OK(composer.plan(stretches));
  return composer.run(output);
}

}  // namespace kinora::media
