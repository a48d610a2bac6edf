#include "runner/video_enhance.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <thread>
#include <utility>

#include "base/check.hpp"
#include "media/joints.hpp"
#include "media/motion_vectors.hpp"
#include "media/video_reader.hpp"
#include "media/video_writer.hpp"
#include "runner/bounded_queue.hpp"

namespace kinora::runner {
namespace {

using base::ErrorCode;

constexpr std::size_t kQueuedPictures = 3;  // waiting between two threads

// The codec's vectors; those into a later picture count turned round, for where there are no others.
std::vector<models::fast::BlockMotion> motion_of(const media::Frame& frame) {
  std::vector<models::fast::BlockMotion> out;
  const auto vectors = media::motion_vectors(frame);
  for (const bool later : {true, false})
    for (const media::MotionVector& v : vectors)
      if (v.later == later) out.push_back({v.x, v.y, v.width, v.height, later ? -v.dx : v.dx, later ? -v.dy : v.dy});
  return out;
}

bool accelerates(const VideoEnhance& request) { return request.upscale && request.upscale->accelerate != Upscaling::Accelerate::off; }

std::vector<Op> order_of(const VideoEnhance& request) {
  if (!request.upscale) return {Op::interpolate};
  if (!request.interpolate) return {Op::upscale};
  return {request.first, request.first == Op::upscale ? Op::interpolate : Op::upscale};
}

class Pipeline {
 public:
  Pipeline(const VideoEnhance& request, const Networks& networks, const media::Control& control, media::VideoReader reader)
      : request_(request), networks_(networks), control_(control), reader_(std::move(reader)) {}
  ~Pipeline() { stop(); }  // threads end before their members go
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  base::Result<VideoEnhanced> run() {
    KINORA_TRY(auto first, reader_.next());
    if (!first || beyond(*first)) return base::fail(ErrorCode::invalid, "no picture lies in the wanted range");
    KINORA_OK(open(*first));
    decoder_ = std::jthread([this, frame = std::move(*first)]() mutable { keep(decode(std::move(frame))); });
    encoder_ = std::jthread([this] { keep(encode()); });
    keep(run_networks());
    if (error()) stop();  // else the encoder drains its queue
    made_.close();
    decoder_.join();
    encoder_.join();
    if (const auto failed = error()) return base::fail(*failed);
    if (control_.stop.stop_requested()) return canceled();
    KINORA_OK(writer_->finish());
    result_.frames = writer_->frames_written();
    result_.source_frames = reader_.frames_read() - looked_at_;
    result_.damaged_frames = reader_.damaged_frames();
    result_.deinterlaced_frames = reader_.deinterlaced_frames();
    result_.resized_frames = reader_.resized_frames();
    if (upscale_) result_.accelerated = upscale_->accelerated();
    if (interpolation_) result_.interpolated = interpolation_->counts();
    return std::move(result_);
  }

 private:
  static tl::unexpected<base::Error> canceled() { return base::fail(ErrorCode::canceled, "canceled"); }
  bool beyond(const media::Frame& frame) const { return request_.range && frame.pts().ticks >= request_.range->end_pts; }

  // The steps, and the file that what they make goes to.
  base::Status open(const media::Frame& first) {
    Look look = source_look(first);
    result_.alpha_dropped = first.has_alpha();
    result_.ops = order_of(request_);
    // The first chunk begins with the video; a file that could not be cut is one chunk without bounds.
    const bool later_part = request_.range && request_.range->start_pts > request_.range->origin_pts;
    if (request_.upscale)
      upscale_.emplace(*request_.upscale, *networks_.upscaler, [this](double part) {
        upscaled_ = part;
        report();
        return !control_.stop.stop_requested();
      });
    if (request_.interpolate)
      interpolation_.emplace(*request_.interpolate, *networks_.interpolator, later_part ? request_.range->origin_pts : first.pts().ticks);
    for (const Op op : result_.ops) {
      Step& step = op == Op::upscale ? static_cast<Step&>(*upscale_) : *interpolation_;
      KINORA_TRY(look, step.begin(look));
      steps_.push_back(&step);
    }
    result_.width = look.width;
    result_.height = look.height;
    frames_expected_ = look.frames;
    KINORA_TRY(auto writer, media::VideoWriter::open(request_.output, writer_options(look)));
    writer_.emplace(std::move(writer));
    return {};
  }

  Look source_look(const media::Frame& first) const {
    const auto& stream = reader_.stream();
    media::ColorTags color = first.color();
    if (color.matrix == 0) color = {color.primaries, color.transfer, 2, media::ColorRange::unspecified};  // RGB: what is made of it is not
    return {.width = first.width(),
            .height = first.height(),
            .bit_depth = first.bit_depth(),
            .color = color,
            .sample_aspect = first.sample_aspect(),
            .clock = reader_.time_base(),
            .rate = stream.average_rate.known() ? stream.average_rate : stream.frame_rate,
            .frames = source_frames_expected()};
  }

  double source_frames_expected() const {
    const auto whole = static_cast<double>(reader_.frames_expected());
    if (!request_.range) return whole;
    // The last range of a plan may end anywhere behind the last frame.
    const media::Timestamp length{request_.range->end_pts - request_.range->start_pts, reader_.time_base()};
    const double media_s = reader_.media().duration_s;
    if (media_s <= 0 || length.seconds() > media_s) return whole;
    const double within = std::max(0.0, length.seconds()) * reader_.stream().average_rate.value();
    return whole > 0 ? std::min(whole, within) : within;
  }

  media::VideoWriterOptions writer_options(const Look& look) const {
    return {.container = request_.video_only ? media::Container::nut : media::Container::mp4,
            .codec = look.bit_depth > 8 ? media::VideoCodec::h265 : media::VideoCodec::h264,
            .width = look.width,
            .height = look.height,
            .format = look.format(),
            .color = look.color,
            .sample_aspect = look.sample_aspect,
            .time_base = look.clock,
            .frame_rate = look.rate,
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
    const bool wants_motion = steps_.front() == (upscale_ ? &*upscale_ : nullptr) && accelerates(request_);
    for (media::Joints joints(reader_.time_base());;) {
      StepPicture picture{.pts = frame.pts(),
                          .duration_ticks = frame.duration_ticks(),
                          .beyond = beyond(frame),
                          .joint = joints.next(frame.pts().ticks, frame.key())};
      if (wants_motion) picture.motion = motion_of(frame);
      picture.frame = std::move(frame);
      const bool last = picture.beyond;
      KINORA_OK(steps_.front()->read(picture));
      if (last) ++looked_at_;
      if (!decoded_.push(std::move(picture)) || last) break;
      KINORA_TRY(auto next, reader_.next());
      if (!next) break;
      frame = std::move(*next);
    }
    decoded_.close();
    return {};
  }

  // On the thread that called run().
  base::Status run_networks() {
    while (auto picture = decoded_.pop()) KINORA_OK(add(0, *std::move(picture)));
    if (error()) return {};
    for (std::size_t i = 0; i < steps_.size(); ++i) KINORA_OK(steps_[i]->finish(behind(i)));
    return {};
  }
  base::Status add(std::size_t step, StepPicture picture) {
    if (control_.stop.stop_requested()) return canceled();
    return steps_[step]->add(std::move(picture), behind(step));
  }
  // Where the pictures of a step go.
  Step::Emit behind(std::size_t step) {
    return [this, step](StepPicture picture) -> base::Status {
      if (control_.stop.stop_requested()) return canceled();
      if (step + 1 < steps_.size()) {
        KINORA_OK(steps_[step]->write(picture));
        KINORA_OK(steps_[step + 1]->read(picture));
        return add(step + 1, std::move(picture));
      }
      if (!made_.push(std::move(picture))) return canceled();
      ++shown_;
      report();
      return {};
    };
  }

  base::Status encode() {
    while (auto picture = made_.pop()) {
      KINORA_OK(steps_.back()->write(*picture));
      KINORA_OK(writer_->write(picture->frame));
    }
    return {};
  }

  // A heavy network takes minutes for a picture: it is not silent in them.
  void report() const {
    if (!control_.report) return;
    const std::int64_t total = frames_expected_ > 0 ? std::max<std::int64_t>(std::llround(frames_expected_), shown_) : 0;
    const double shown = total > 0 ? static_cast<double>(shown_) / static_cast<double>(total) : 0;
    // The last per mille is the encoder's and the container's.
    control_.report({.fraction = 0.999 * std::max(shown, upscaled_), .frames_done = shown_, .frames_total = total});
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

  const VideoEnhance& request_;
  const Networks& networks_;
  const media::Control& control_;
  media::VideoReader reader_;  // used by run() before the decoder thread starts, and by that thread then
  std::optional<UpscaleStep> upscale_;
  std::optional<InterpolationStep> interpolation_;
  std::vector<Step*> steps_;
  std::optional<media::VideoWriter> writer_;
  double frames_expected_ = 0;
  std::int64_t shown_ = 0;
  double upscaled_ = 0;         // what the upscaling has done of its pictures, 0..1
  std::int64_t looked_at_ = 0;  // by the decoder thread
  VideoEnhanced result_;
  BoundedQueue<StepPicture> decoded_{kQueuedPictures}, made_{kQueuedPictures};
  std::mutex mutex_;
  std::optional<base::Error> error_;
  std::jthread decoder_, encoder_;
};

}  // namespace

base::Result<VideoEnhanced> enhance_video(const VideoEnhance& request, const Networks& networks, const media::Control& control) {
  KINORA_CHECK(request.upscale || request.interpolate);
  media::VideoReaderOptions options;
  options.threads = request.codec_threads;
  options.deinterlace = true;
  options.motion_vectors = accelerates(request);
  options.limits = request.limits;
  if (request.range) {
    KINORA_TRY(const auto info, media::probe(request.input, request.limits));
    const auto* video = info.video();
    if (video == nullptr) return base::fail(ErrorCode::unsupported, "the file holds no video");
    options.start = media::Timestamp{request.range->start_pts, video->time_base};
    options.end = media::Timestamp{request.range->end_pts, video->time_base};
    options.look_ahead = request.interpolate.has_value();
  }
  KINORA_TRY(auto reader, media::VideoReader::open(request.input, options));
  return Pipeline(request, networks, control, std::move(reader)).run();
}

}  // namespace kinora::runner
