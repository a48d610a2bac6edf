#include "runner/video_upscale.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <thread>
#include <utility>

#include "media/motion_vectors.hpp"
#include "media/rgb.hpp"
#include "media/video_reader.hpp"
#include "media/video_writer.hpp"
#include "runner/bounded_queue.hpp"
#include "runner/enlarger.hpp"

namespace kinora::runner {
namespace {

using base::ErrorCode;

// A decoded or enlarged picture on its way. Sides are the picture's own, `key` stays with the encoder.
struct Carried {
  Buffer rgb;
  std::vector<models::fast::BlockMotion> motion{};  // of a decoded one, when it is asked for
  media::Timestamp pts;
  std::int64_t duration_ticks = 0;
};

// What every frame of the source has in common.
struct Look {
  int width = 0, height = 0, bit_depth = 8;
  media::ColorTags color;
  media::Rational sample_aspect;
};

// A player judges untagged colours by size. When the larger picture would be judged otherwise than the source, the tag says it.
media::ColorTags output_color(const Look& look, int width, int height) {
  media::ColorTags tags = look.color;
  const int source = media::effective_matrix(tags, look.width, look.height);
  if (tags.matrix == 2 && media::effective_matrix(tags, width, height) != source) tags.matrix = source;
  return tags;
}

// The codec's vectors; those into a later picture count turned round, for where there are no others.
std::vector<models::fast::BlockMotion> motion_of(const media::Frame& frame) {
  std::vector<models::fast::BlockMotion> out;
  const auto vectors = media::motion_vectors(frame);
  for (const bool later : {true, false})
    for (const media::MotionVector& v : vectors)
      if (v.later == later) out.push_back({v.x, v.y, v.width, v.height, later ? -v.dx : v.dx, later ? -v.dy : v.dy});
  return out;
}

class Pipeline {
 public:
  Pipeline(const VideoUpscale& request, models::Upscaler& upscaler, const media::Control& control, media::VideoReader reader)
      : request_(request),
        control_(control),
        fast_(accelerated(request, upscaler)),
        enlarger_(fast_ ? *fast_ : upscaler, request.scale, /*even=*/true),
        reader_(std::move(reader)) {}

  // Threads end before their members go.
  ~Pipeline() { stop(); }
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  base::Result<VideoUpscaled> run() {
    KINORA_TRY(auto first, reader_.next());
    if (!first) return base::fail(ErrorCode::invalid, "no picture lies in the wanted range");
    look_ = {.width = first->width(),
             .height = first->height(),
             .bit_depth = first->bit_depth(),
             .color = first->color(),
             .sample_aspect = first->sample_aspect()};
    type_ = sample_type(look_.bit_depth);
    width_ = static_cast<int>(enlarger_.target(look_.width));
    height_ = static_cast<int>(enlarger_.target(look_.height));
    if (std::max(width_, height_) > media::kMaxMadeSide) return base::fail(ErrorCode::too_large, "the enlarged picture would be too large");
    KINORA_TRY(auto writer, media::VideoWriter::open(request_.output, writer_options()));
    writer_.emplace(std::move(writer));

    decoder_ = std::jthread([this, frame = std::move(*first)]() mutable { keep(decode(std::move(frame))); });
    encoder_ = std::jthread([this] { keep(encode()); });
    keep(enlarge());
    if (error()) stop();  // else the encoder drains its queue
    large_.close();
    decoder_.join();
    encoder_.join();
    if (const auto failed = error()) return base::fail(*failed);
    if (control_.stop.stop_requested()) return canceled();
    KINORA_OK(writer_->finish());
    VideoUpscaled done{.frames = writer_->frames_written(), .damaged_frames = reader_.damaged_frames(), .width = width_, .height = height_};
    if (fast_) done.accelerated = fast_->counts();
    return done;
  }

 private:
  static std::unique_ptr<models::fast::FastUpscaler> accelerated(const VideoUpscale& request, models::Upscaler& upscaler) {
    using Accelerate = VideoUpscale::Accelerate;
    if (request.accelerate == Accelerate::off) return nullptr;
    const auto mode = request.accelerate == Accelerate::fast ? models::fast::Mode::always : models::fast::Mode::when_it_pays;
    return std::make_unique<models::fast::FastUpscaler>(upscaler, mode);
  }
  static tl::unexpected<base::Error> canceled() { return base::fail(ErrorCode::canceled, "canceled"); }

  media::VideoWriterOptions writer_options() const {
    const auto& stream = reader_.stream();
    const bool deep = look_.bit_depth > 8;
    return {.container = request_.video_only ? media::Container::nut : media::Container::mp4,
            .codec = deep ? media::VideoCodec::h265 : media::VideoCodec::h264,
            .width = width_,
            .height = height_,
            .format = deep ? media::PixelFormat::yuv420p10 : media::PixelFormat::yuv420p,
            .color = output_color(look_, width_, height_),
            .sample_aspect = look_.sample_aspect,
            .time_base = reader_.time_base(),
            .frame_rate = stream.average_rate.known() ? stream.average_rate : stream.frame_rate,
            .crf = request_.crf,
            .bitrate = 0,
            .preset = request_.preset,
            .tune = {},
            .threads = request_.codec_threads,
            .gop = 250,
            .scene_cuts = true,
            .b_frames = -1,
            .rotation = std::nullopt,
            .source = request_.video_only ? std::string() : request_.input,
            .limits = request_.limits};
  }

  base::Status decode(media::Frame frame) {
    media::RgbConverter converter;
    for (;;) {
      Carried picture{.rgb = small_pool_.take(picture_bytes(type_, look_.width, look_.height)),
                      .motion = fast_ ? motion_of(frame) : std::vector<models::fast::BlockMotion>(),
                      .pts = frame.pts(),
                      .duration_ticks = frame.duration_ticks()};
      KINORA_OK(converter.to_rgb(frame, view_of(picture.rgb, type_, look_.width, look_.height)));
      if (!small_.push(std::move(picture))) return {};
      KINORA_TRY(auto next, reader_.next());
      if (!next) break;
      frame = std::move(*next);
    }
    small_.close();
    return {};
  }

  // The network, on the thread that called run().
  base::Status enlarge() {
    const std::int64_t total = frames_expected();
    for (std::int64_t done = 0;;) {
      if (control_.stop.stop_requested()) return canceled();
      auto picture = small_.pop();
      if (!picture) return {};
      Carried larger{
          .rgb = large_pool_.take(picture_bytes(type_, width_, height_)), .pts = picture->pts, .duration_ticks = picture->duration_ticks};
      if (fast_) fast_->hint(std::move(picture->motion));
      try {
        enlarger_.run({.data = picture->rgb.data(), .type = type_, .width = look_.width, .height = look_.height}, larger.rgb,
                      [this](double) { return !control_.stop.stop_requested(); });
      } catch (const models::Stopped&) {
        return canceled();
      }
      small_pool_.give_back(std::move(picture->rgb));
      if (!large_.push(std::move(larger))) return {};
      report(++done, total);
    }
  }

  base::Status encode() {
    media::RgbConverter converter;
    const auto format = look_.bit_depth > 8 ? media::PixelFormat::yuv420p10 : media::PixelFormat::yuv420p;
    const auto color = output_color(look_, width_, height_);
    while (auto picture = large_.pop()) {
      KINORA_TRY(auto frame, converter.to_frame(view_of(picture->rgb, type_, width_, height_), format, color, look_.width, look_.height));
      large_pool_.give_back(std::move(picture->rgb));
      frame.set_pts(picture->pts);
      frame.set_duration_ticks(picture->duration_ticks);
      frame.set_sample_aspect(look_.sample_aspect);
      KINORA_OK(writer_->write(frame));
    }
    return {};
  }

  std::int64_t frames_expected() const {
    const std::int64_t whole = reader_.frames_expected();
    if (!request_.range) return whole;
    // The last range of a plan may end anywhere behind the last frame.
    const media::Timestamp length{request_.range->end_pts - request_.range->start_pts, reader_.time_base()};
    const double media_s = reader_.media().duration_s;
    if (media_s <= 0 || length.seconds() > media_s) return whole;
    const auto within = std::llround(std::max(0.0, length.seconds()) * reader_.stream().average_rate.value());
    return whole > 0 ? std::min<std::int64_t>(whole, within) : within;
  }

  void report(std::int64_t done, std::int64_t total) const {
    if (!control_.report) return;
    total = total > 0 ? std::max(total, done) : 0;
    // The last per mille is the encoder's and the container's.
    const double fraction = total > 0 ? 0.999 * static_cast<double>(done) / static_cast<double>(total) : 0;
    control_.report({.fraction = fraction, .frames_done = done, .frames_total = total});
  }

  // The first error counts; it ends the other threads.
  void keep(base::Status status) {
    if (status) return;
    {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::move(status).error();
    }
    small_.abort();
    large_.abort();
  }
  std::optional<base::Error> error() {
    const std::lock_guard lock(mutex_);
    return error_;
  }
  void stop() {
    small_.abort();
    large_.abort();
  }

  const VideoUpscale& request_;
  const media::Control& control_;
  std::unique_ptr<models::fast::FastUpscaler> fast_;
  Enlarger enlarger_;
  media::VideoReader reader_;  // used by run() before the decoder thread starts, and by that thread then
  std::optional<media::VideoWriter> writer_;
  Look look_;
  models::SampleType type_ = models::SampleType::packed_u8;
  int width_ = 0, height_ = 0;
  BufferPool small_pool_, large_pool_;
  BoundedQueue<Carried> small_{kQueuedPictures}, large_{kQueuedPictures};
  std::mutex mutex_;
  std::optional<base::Error> error_;
  std::jthread decoder_, encoder_;
};

}  // namespace

base::Result<VideoUpscaled> upscale_video(const VideoUpscale& request, models::Upscaler& upscaler, const media::Control& control) {
  media::VideoReaderOptions options;
  options.threads = request.codec_threads;
  options.motion_vectors = request.accelerate != VideoUpscale::Accelerate::off;
  options.limits = request.limits;
  if (request.range) {
    KINORA_TRY(const auto info, media::probe(request.input, request.limits));
    const auto* video = info.video();
    if (video == nullptr) return base::fail(ErrorCode::unsupported, "the file holds no video");
    options.start = media::Timestamp{request.range->start_pts, video->time_base};
    options.end = media::Timestamp{request.range->end_pts, video->time_base};
  }
  KINORA_TRY(auto reader, media::VideoReader::open(request.input, options));
  return Pipeline(request, upscaler, control, std::move(reader)).run();
}

}  // namespace kinora::runner
