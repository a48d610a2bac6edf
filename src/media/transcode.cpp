#include "media/transcode.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <thread>

#include "media/fit.hpp"
#include "media/outputs.hpp"
#include "media/prefilter.hpp"
#include "media/video_reader.hpp"

namespace kinora::media {
namespace {

using base::ErrorCode;

constexpr double kMinSegmentSeconds = 0.5, kMaxSegmentSeconds = 30;
// Only forced key frames: the longest distance that encoders accept without meaning "never".
constexpr int kNoNaturalKeys = 1 << 20;
constexpr int kMaxScalerThreads = 4;

struct Encoding {
  VideoEncoder encoder;
  std::unique_ptr<Scaler> scaler;
  Rendition rendition;
  double next_due_s = 0;     // with max_fps: the first time at which a frame is wanted again
  bool key_pending = false;  // a segment began at a frame that was left out
};

// Is this frame kept below the rendition's highest rate? Frames are kept at an even pace, never moved.
bool keeps(Encoding& e, double at_s) {
  if (e.rendition.max_fps <= 0) return true;
  const double interval = 1 / e.rendition.max_fps;
  if (at_s < e.next_due_s - interval * 0.01) return false;
  e.next_due_s = std::max(e.next_due_s + interval, at_s + interval * 0.01);
  return true;
}

class Transcoder {
 public:
  Transcoder(std::string folder, const TranscodeOptions& options, const Control& control, AudioFeed audio)
      : options_(options), control_(control), audio_(std::move(audio)), outputs_(std::move(folder), options_, audio_) {}

  base::Result<TranscodeResult> video(VideoReader reader);
  base::Result<TranscodeResult> sound_only();

 private:
  base::Status start(const VideoReader& reader, const Frame& first);
  base::Status take(const Frame& frame);
  base::Status encode(std::size_t i, const Frame& frame, bool key);
  base::Status packet(std::size_t i, AVPacket& packet);
  base::Status sound_until(double seconds);
  base::Result<TranscodeResult> finish();
  bool stopped() const { return control_.stop.stop_requested(); }

  const TranscodeOptions& options_;
  const Control& control_;
  AudioFeed audio_;
  Outputs outputs_;
  std::vector<Encoding> encodings_;
  ColorTags color_;
  PixelFormat format_ = PixelFormat::yuv420p;
  Rational base_;
  double first_pts_s_ = 0;
  std::int64_t next_segment_ = 0;
  std::int64_t expected_ = 0;
  TranscodeResult result_;
};

base::Status Transcoder::start(const VideoReader& reader, const Frame& first) {
  StreamInfo source = reader.stream();
  source.width = first.width();
  source.height = first.height();
  if (first.sample_aspect().known()) source.sample_aspect = first.sample_aspect();
  KINORA_TRY(result_.renditions, fit_ladder(source, options_.renditions));
  format_ = first.bit_depth() > 8 ? PixelFormat::yuv420p10 : PixelFormat::yuv420p;
  color_ = yuv_color(first);
  base_ = reader.time_base();
  first_pts_s_ = first.pts().seconds();
  expected_ = reader.frames_expected();
  const double rate = source.average_rate.value();
  const bool sane_rate = rate > 0 && rate <= 240;
  const auto rate_for = [&](const Rendition& r) { return r.max_fps > 0 ? std::min(rate, r.max_fps) : rate; };
  const int processors = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  for (const Rendition& rendition : result_.renditions) {
    EncoderOptions encoding;
    encoding.codec = options_.codec;
    encoding.width = rendition.width;
    encoding.height = rendition.height;
    encoding.format = format_;
    encoding.color = color_;
    encoding.time_base = base_;
    if (sane_rate) encoding.frame_rate = from_av(av_d2q(rate_for(rendition), 100'000));
    encoding.bitrate = rendition.bitrate;
    if (rendition.crf >= 0) encoding.crf = rendition.crf;
    encoding.preset = options_.preset;
    encoding.threads = options_.threads;
    encoding.gop = kNoNaturalKeys;
    encoding.scene_cuts = false;
    KINORA_TRY(VideoEncoder encoder, VideoEncoder::open(encoding));
    KINORA_TRY(const Av<AVCodecParameters> parameters, encoder.parameters());
    KINORA_OK(outputs_.add_rendition(rendition, *parameters, to_av(base_), sane_rate ? rate_for(rendition) : 0));
    encodings_.push_back(
        {std::move(encoder), std::make_unique<Scaler>(SWS_BICUBIC, std::min(processors, kMaxScalerThreads)), rendition, 0, false});
  }
  return outputs_.add_audio(true);
}

base::Status Transcoder::packet(std::size_t i, AVPacket& packet) {
  const double at = static_cast<double>(packet.dts) * base_.value();
  KINORA_OK(outputs_.write_video(i, packet, to_av(base_)));
  // Sound follows the first rendition's packets; the others lag by no more than the encoders' look-ahead.
  return i == 0 ? sound_until(at) : base::Status{};
}

base::Status Transcoder::sound_until(double seconds) {
  const auto more = audio_.advance(seconds, [this](std::size_t track, AVPacket& packet) -> base::Status {
    if (stopped()) return base::fail(ErrorCode::canceled, "canceled");
    return outputs_.write_audio(track, packet);
  });
  return more ? base::Status{} : base::fail(more.error());
}

base::Status Transcoder::encode(std::size_t i, const Frame& frame, bool key) {
  Encoding& e = encodings_[i];
  const AVFrame* picture = frame.av();
  Frame scaled;
  const AVPixelFormat wanted = e.encoder.context().pix_fmt;
  if (picture->width != e.rendition.width || picture->height != e.rendition.height || picture->format != wanted) {
    KINORA_TRY(scaled, Frame::create(e.rendition.width, e.rendition.height, format_));
    scaled.set_color(color_);
    KINORA_OK(e.scaler->run(*picture, *scaled.av(), frame.width(), frame.height()));
    picture = scaled.av();
  }
  return e.encoder.encode(*picture, frame.pts().ticks, frame.duration_ticks(), key, [&](AVPacket& p) { return packet(i, p); });
}

base::Status Transcoder::take(const Frame& frame) {
  if (stopped()) return base::fail(ErrorCode::canceled, "canceled");
  // A hair of tolerance: 2.0 s in ticks of 1/90000 is exact, in 1001/30000 it is not.
  const double at = frame.pts().seconds() - first_pts_s_;
  const bool key = at + 1e-6 >= static_cast<double>(next_segment_) * options_.segment_s;
  if (key) next_segment_ = static_cast<std::int64_t>(std::floor((at + 1e-6) / options_.segment_s)) + 1;
  for (std::size_t i = 0; i < encodings_.size(); ++i) {
    Encoding& e = encodings_[i];
    e.key_pending = e.key_pending || key;
    if (!keeps(e, at)) continue;
    KINORA_OK(encode(i, frame, e.key_pending));
    e.key_pending = false;
  }
  ++result_.frames;
  if (control_.report) {
    const double fraction = expected_ > 0 ? static_cast<double>(result_.frames) / static_cast<double>(expected_) : 0;
    control_.report({std::min(fraction, 0.999), result_.frames, expected_});
  }
  return {};
}

base::Result<TranscodeResult> Transcoder::video(VideoReader reader) {
  KINORA_TRY(std::optional<Frame> frame, reader.next());
  if (!frame) return base::fail(ErrorCode::invalid, "the video holds no picture");
  KINORA_OK(start(reader, *frame));
  KINORA_TRY(Prefilter prefilter, Prefilter::make(reader.stream(), *frame));
  const Prefilter::Sink sink = [this](const Frame& f) { return take(f); };
  while (frame) {
    KINORA_OK(prefilter.push(*frame, sink));
    KINORA_TRY(frame, reader.next());
  }
  KINORA_OK(prefilter.flush(sink));
  for (std::size_t i = 0; i < encodings_.size(); ++i) {
    KINORA_OK(encodings_[i].encoder.flush([&](AVPacket& p) { return packet(i, p); }));
  }
  result_.damaged_frames = reader.damaged_frames();
  return finish();
}

base::Result<TranscodeResult> Transcoder::sound_only() {
  if (audio_.tracks().empty()) return base::fail(ErrorCode::unsupported, "the file has neither video nor audio that can be decoded");
  KINORA_OK(outputs_.add_audio(false));
  return finish();
}

base::Result<TranscodeResult> Transcoder::finish() {
  KINORA_OK(sound_until(std::numeric_limits<double>::infinity()));
  KINORA_TRY(result_.files, outputs_.finish());
  if (control_.report) control_.report({1.0, result_.frames, result_.frames});
  return std::move(result_);
}

}  // namespace

base::Result<TranscodeResult> transcode(const std::string& path, const std::string& output_dir, const TranscodeOptions& options,
                                        const Control& control) {
  if (!options.hls && !options.mp4) return base::fail(ErrorCode::invalid, "neither HLS nor MP4 is asked for");
  if (!(options.segment_s >= kMinSegmentSeconds && options.segment_s <= kMaxSegmentSeconds))
    return base::fail(ErrorCode::invalid, "a segment is 0.5 to 30 seconds");
  KINORA_TRY(AudioFeed audio, AudioFeed::open(path, options.audio_bitrate, options.limits));
  const StreamInfo* video = audio.info().video();
  if (video != nullptr && video->width <= 0)
    return base::fail(ErrorCode::invalid, "the file announces pictures of which none can be decoded (its sound alone: extract-audio)");
  Transcoder transcoder(output_dir, options, control, std::move(audio));
  if (video == nullptr) return transcoder.sound_only();
  VideoReaderOptions reading;
  reading.threads = options.threads;
  reading.limits = options.limits;
  KINORA_TRY(VideoReader reader, VideoReader::open(path, reading));
  return transcoder.video(std::move(reader));
}

}  // namespace kinora::media
