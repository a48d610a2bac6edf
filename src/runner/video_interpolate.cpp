#include "runner/video_interpolate.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include "media/rgb.hpp"
#include "media/video_reader.hpp"
#include "media/video_writer.hpp"
#include "runner/bounded_queue.hpp"
#include "runner/interpolation_walk.hpp"
#include "runner/picture_buffer.hpp"

namespace kinora::runner {
namespace {

using base::ErrorCode;

constexpr std::size_t kQueued = 3;  // pictures waiting between two threads

// A decoded picture on its way to the network.
struct Decoded {
  media::Frame frame;
  Buffer rgb;
};

class Pipeline {
 public:
  Pipeline(const VideoInterpolate& request, models::Interpolator& interpolator, const media::Control& control, media::VideoReader reader)
      : request_(request), interpolator_(interpolator), control_(control), reader_(std::move(reader)) {}
  ~Pipeline() { stop(); }  // threads end before their members go
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  base::Result<VideoInterpolated> run() {
    KINORA_TRY(auto first, reader_.next());
    if (!first || past_end(*first)) return base::fail(ErrorCode::invalid, "no picture lies in the wanted range");
    KINORA_OK(check(*first));
    source_width_ = first->width();
    source_height_ = first->height();
    width_ = source_width_ + source_width_ % 2;
    height_ = source_height_ + source_height_ % 2;
    deep_ = first->bit_depth() > 8;
    type_ = sample_type(first->bit_depth());
    color_ = first->color();
    // The first chunk begins with the video; a file that could not be cut is one chunk without bounds.
    const bool later_part = request_.range && request_.range->start_pts > request_.range->origin_pts;
    const auto origin = later_part ? request_.range->origin_pts : first->pts().ticks;
    timeline_.emplace(reader_.time_base(), origin, request_.rate);
    KINORA_TRY(auto writer, media::VideoWriter::open(request_.output, writer_options(*first)));
    writer_.emplace(std::move(writer));

    decoder_ = std::jthread([this, frame = std::move(*first)]() mutable { keep(decode(std::move(frame))); });
    encoder_ = std::jthread([this] { keep(encode()); });
    keep(interpolate());
    if (error()) stop();  // else the encoder drains its queue
    made_.close();
    decoder_.join();
    encoder_.join();
    if (const auto failed = error()) return base::fail(*failed);
    if (control_.stop.stop_requested()) return canceled();
    KINORA_OK(writer_->finish());
    result_.frames = writer_->frames_written();
    result_.damaged_frames = reader_.damaged_frames();
    result_.width = width_;
    result_.height = height_;
    return result_;
  }

 private:
  static tl::unexpected<base::Error> canceled() { return base::fail(ErrorCode::canceled, "canceled"); }
  bool past_end(const media::Frame& frame) const { return request_.range && frame.pts().ticks >= request_.range->end_pts; }

  base::Status check(const media::Frame& first) const {
    if (first.interlaced())
      return base::fail(ErrorCode::unsupported, "the video is interlaced: deinterlace it first, its fields are two moments in one picture");
    if (request_.ensemble && !interpolator_.ensembles())
      return base::fail(ErrorCode::invalid, "this network has no ensemble (RIFE 4.6 has one)");
    const auto needed = interpolator_.memory_needed(first.width(), first.height());
    if (request_.memory_bytes != 0 && needed > request_.memory_bytes)
      return base::fail(ErrorCode::exhausted, "pictures of " + std::to_string(first.width()) + "x" + std::to_string(first.height()) +
                                                  " need about " + std::to_string(needed >> 20) + " MiB, there are " +
                                                  std::to_string(request_.memory_bytes >> 20));
    return {};
  }

  media::VideoWriterOptions writer_options(const media::Frame& first) const {
    const auto& stream = reader_.stream();
    const auto source_rate = stream.average_rate.known() ? stream.average_rate : stream.frame_rate;
    media::Rational rate{0, 1};
    if (const auto* target = std::get_if<TargetRate>(&request_.rate)) rate = target->rate;
    if (const auto* factor = std::get_if<Factor>(&request_.rate); factor != nullptr && source_rate.known())
      rate = {source_rate.num * factor->factor, source_rate.den};
    return {.container = request_.video_only ? media::Container::nut : media::Container::mp4,
            .codec = deep_ ? media::VideoCodec::h265 : media::VideoCodec::h264,
            .width = width_,
            .height = height_,
            .format = deep_ ? media::PixelFormat::yuv420p10 : media::PixelFormat::yuv420p,
            .color = color_,
            .sample_aspect = first.sample_aspect(),
            .time_base = timeline_->clock(),
            .frame_rate = rate,
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
      const bool last = past_end(frame);
      Decoded picture{.frame = std::move(frame), .rgb = pool_.take(picture_bytes(type_, width_, height_))};
      auto view = view_of(picture.rgb, type_, width_, height_);
      view.row_stride = (type_ == models::SampleType::packed_u8 ? 3 : 1) * width_;
      view.plane_stride = view.row_stride * height_;
      view.width = source_width_;
      view.height = source_height_;
      KINORA_OK(converter.to_rgb(picture.frame, view));
      if (source_width_ != width_ || source_height_ != height_) KINORA_OK(make_even(picture, converter));
      if (!decoded_.push(std::move(picture)) || last) break;
      KINORA_TRY(auto next, reader_.next());
      if (!next) break;
      frame = std::move(*next);
    }
    decoded_.close();
    return {};
  }

  // The last column and row once more, in the picture for the network and in the one that is shown.
  base::Status make_even(Decoded& picture, media::RgbConverter& converter) const {
    const auto repeat = [&](std::size_t pixel_bytes, std::size_t plane) {
      const std::size_t row = static_cast<std::size_t>(width_) * pixel_bytes;
      std::uint8_t* first = picture.rgb.data() + plane * row * static_cast<std::size_t>(height_);
      for (int y = 0; y < source_height_ && source_width_ < width_; ++y) {
        std::uint8_t* end = first + static_cast<std::size_t>(y + 1) * row;
        std::copy(end - 2 * pixel_bytes, end - pixel_bytes, end - pixel_bytes);
      }
      if (source_height_ < height_) {
        std::uint8_t* last = first + static_cast<std::size_t>(source_height_) * row;
        std::copy(last - row, last, last);
      }
    };
    if (type_ == models::SampleType::packed_u8)
      repeat(3, 0);
    else
      for (std::size_t plane = 0; plane < 3; ++plane) repeat(2, plane);
    KINORA_TRY(auto frame, made_frame(picture.rgb, converter, picture.frame.sample_aspect()));
    frame.set_pts(picture.frame.pts());
    frame.set_duration_ticks(picture.frame.duration_ticks());
    picture.frame = std::move(frame);
    return {};
  }

  base::Result<media::Frame> made_frame(Buffer& rgb, media::RgbConverter& converter, media::Rational sample_aspect) const {
    const auto format = deep_ ? media::PixelFormat::yuv420p10 : media::PixelFormat::yuv420p;
    KINORA_TRY(auto frame, converter.to_frame(view_of(rgb, type_, width_, height_), format, color_, source_width_, source_height_));
    frame.set_sample_aspect(sample_aspect);
    return frame;
  }

  // The network, on the thread that called run().
  base::Status interpolate() {
    const models::InterpolationOptions options{.scale = request_.scale.value_or(std::max(width_, height_) >= kLargeSide ? 0.5 : 1.0),
                                               .ensemble = request_.ensemble};
    InterpolationWalk walk(*timeline_, nominal_ticks(), request_.keep_repeats, interpolator_);
    // What the walk asks to be shown.
    const auto show = [&](const InterpolationWalk::Picture& picture) -> base::Status {
      if (control_.stop.stop_requested()) return canceled();
      media::Frame frame;
      if (picture.source != nullptr) {
        frame = picture.source->frame;
      } else {
        between_.resize(picture_bytes(type_, width_, height_));
        interpolator_.between(*picture.a->prepared, *picture.b->prepared, picture.t, options, type_, between_.data());
        KINORA_TRY(frame, made_frame(between_, converter_, picture.a->frame.sample_aspect()));
        ++result_.made;
      }
      frame.set_pts({picture.shown.pts, timeline_->clock()});
      frame.set_duration_ticks(picture.shown.duration);
      if (!made_.push(std::move(frame))) return canceled();
      report(++shown_);
      return {};
    };
    while (auto picture = decoded_.pop()) {
      if (control_.stop.stop_requested()) return canceled();
      const models::Picture rgb{.data = picture->rgb.data(), .type = type_, .width = width_, .height = height_};
      InterpolationWalk::Source source{.frame = std::move(picture->frame), .prepared = interpolator_.prepare(rgb, options)};
      pool_.give_back(std::move(picture->rgb));
      const bool looked_at_only = past_end(source.frame);
      if (!looked_at_only) ++result_.source_frames;
      KINORA_OK(walk.add(std::move(source), looked_at_only, show));
    }
    if (error()) return {};
    KINORA_OK(walk.finish(show));
    result_.cuts = walk.cuts();
    result_.repeats = walk.repeats();
    return {};
  }

  base::Status encode() {
    while (auto frame = made_.pop()) KINORA_OK(writer_->write(*frame));
    return {};
  }

  // Ticks of the source's clock from one picture to the next in the mean; 0: unknown.
  double nominal_ticks() const {
    const auto& rate = reader_.stream().average_rate;
    return rate.known() ? 1 / (rate.value() * reader_.time_base().value()) : 0;
  }

  void report(std::int64_t done) const {
    if (!control_.report) return;
    const auto& stream = reader_.stream();
    double source = static_cast<double>(reader_.frames_expected());
    if (request_.range && stream.average_rate.known())
      source = static_cast<double>(request_.range->end_pts - request_.range->start_pts) / nominal_ticks();
    const double expected = std::min(source * timeline_->growth(stream.average_rate), 1e12);
    const std::int64_t total = expected > 0 ? std::max<std::int64_t>(std::llround(expected), done) : 0;
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
    stop();
  }
  std::optional<base::Error> error() {
    const std::lock_guard lock(mutex_);
    return error_;
  }
  void stop() {
    decoded_.abort();
    made_.abort();
  }

  const VideoInterpolate& request_;
  models::Interpolator& interpolator_;
  const media::Control& control_;
  media::VideoReader reader_;  // used by run() before the decoder thread starts, and by that thread then
  std::optional<media::VideoWriter> writer_;
  std::optional<Timeline> timeline_;
  int source_width_ = 0, source_height_ = 0;
  int width_ = 0, height_ = 0;  // even
  bool deep_ = false;
  models::SampleType type_ = models::SampleType::packed_u8;
  media::ColorTags color_;
  BufferPool pool_;
  Buffer between_;
  media::RgbConverter converter_;
  BoundedQueue<Decoded> decoded_{kQueued};
  BoundedQueue<media::Frame> made_{kQueued};
  VideoInterpolated result_;
  std::int64_t shown_ = 0;
  std::mutex mutex_;
  std::optional<base::Error> error_;
  std::jthread decoder_, encoder_;
};

}  // namespace

base::Result<VideoInterpolated> interpolate_video(const VideoInterpolate& request, models::Interpolator& interpolator,
                                                  const media::Control& control) {
  media::VideoReaderOptions options;
  options.threads = request.codec_threads;
  options.limits = request.limits;
  if (request.range) {
    KINORA_TRY(const auto info, media::probe(request.input, request.limits));
    const auto* video = info.video();
    if (video == nullptr) return base::fail(ErrorCode::unsupported, "the file holds no video");
    options.start = media::Timestamp{request.range->start_pts, video->time_base};
  }
  KINORA_TRY(auto reader, media::VideoReader::open(request.input, options));
  return Pipeline(request, interpolator, control, std::move(reader)).run();
}

}  // namespace kinora::runner
