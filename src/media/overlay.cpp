#include "media/overlay.hpp"

#include <algorithm>
#include <cmath>

#include "media/fit.hpp"
#include "media/image.hpp"
#include "media/ladder.hpp"
#include "media/prefilter.hpp"
#include "media/rgb.hpp"
#include "media/video_reader.hpp"
#include "media/video_writer.hpp"

namespace kinora::media {
namespace {

using base::ErrorCode;

// The picture in the video's size, depth and colour, with its transparency at luma and at chroma resolution.
struct Stamp {
  Frame picture;
  int x = 0, y = 0;  // even, in the video
};

int even_near(double value) { return 2 * static_cast<int>(std::lround(value / 2)); }

base::Result<Stamp> make_stamp(const Frame& image, const Canvas& canvas, const OverlayOptions& options) {
  StreamInfo shape;
  shape.width = image.width();
  shape.height = image.height();
  shape.sample_aspect = image.sample_aspect();
  const DisplaySize size = display_size(shape);
  const double margin = options.margin * std::min(canvas.width, canvas.height);
  const double room_x = std::max(2.0, canvas.width - 2 * margin), room_y = std::max(2.0, canvas.height - 2 * margin);
  const double factor = std::min({options.width * canvas.width / size.width, room_x / size.width, room_y / size.height});
  Stamp stamp;
  const int width = std::clamp(even_near(size.width * factor), 2, canvas.width);
  const int height = std::clamp(even_near(size.height * factor), 2, canvas.height);
  stamp.x = std::clamp(even_near(margin + options.x * (room_x - width)), 0, canvas.width - width);
  stamp.y = std::clamp(even_near(margin + options.y * (room_y - height)), 0, canvas.height - height);
  stamp.picture = Frame(av_frame_alloc());
  AVFrame* to = stamp.picture.av();
  if (to == nullptr) return base::fail(ErrorCode::internal, "out of memory for a picture");
  to->width = width;
  to->height = height;
  to->format = canvas.format == PixelFormat::yuv420p10 ? AV_PIX_FMT_YUVA420P10 : AV_PIX_FMT_YUVA420P;
  if (av_frame_get_buffer(to, 0) < 0) return base::fail(ErrorCode::internal, "out of memory for a picture");
  ColorTags color = canvas.color;
  color.matrix = effective_matrix(color, canvas.width, canvas.height);
  stamp.picture.set_color(color);
  Scaler scaler(SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INP, 1, Scaler::Colors::convert);
  KINORA_OK(scaler.run(*image.av(), *to, image.width(), image.height()));
  return stamp;
}

template <class Sample>
void lay_plane(const AVFrame& stamp, AVFrame& onto, int plane, int x, int y, double opacity, int full) {
  const int shift = plane == 0 ? 0 : 1;
  const int width = stamp.width >> shift, height = stamp.height >> shift;
  const auto row = [](const AVFrame& f, int p, int line) {
    return reinterpret_cast<Sample*>(f.data[p] + static_cast<std::ptrdiff_t>(line) * f.linesize[p]);
  };
  const auto opaque = static_cast<float>(opacity / full);
  for (int line = 0; line < height; ++line) {
    const Sample* from = row(stamp, plane, line);
    const Sample* alpha = row(stamp, 3, line << shift);
    const Sample* alpha_below = row(stamp, 3, std::min((line << shift) + shift, stamp.height - 1));
    Sample* to = row(onto, plane, (y >> shift) + line) + (x >> shift);
    for (int i = 0; i < width; ++i) {
      // A chroma sample lies between two lines: the mean of their transparency.
      const float a = opaque * 0.5F * static_cast<float>(alpha[i << shift] + alpha_below[i << shift]);
      to[i] = static_cast<Sample>(std::lround(static_cast<float>(to[i]) * (1 - a) + static_cast<float>(from[i]) * a));
    }
  }
}

base::Status lay(const Stamp& stamp, Frame& onto, double opacity) {
  // The picture may still be held by a decoder as a reference.
  if (const int code = av_frame_make_writable(onto.av()); code < 0) return av_fail(code, "overlay");
  const bool deep = onto.bit_depth() > 8;
  for (const int plane : {0, 1, 2}) {
    if (deep)
      lay_plane<std::uint16_t>(*stamp.picture.av(), *onto.av(), plane, stamp.x, stamp.y, opacity, 1023);
    else
      lay_plane<std::uint8_t>(*stamp.picture.av(), *onto.av(), plane, stamp.x, stamp.y, opacity, 255);
  }
  return {};
}

class Overlayer {
 public:
  Overlayer(const OverlayOptions& options, const Control& control) : options_(options), control_(control) {}

  base::Result<std::int64_t> run(const std::string& video, const Frame& image, const std::string& output) {
    VideoReaderOptions reading;
    reading.limits = options_.limits;
    reading.threads = options_.threads;
    KINORA_TRY(VideoReader reader, VideoReader::open(video, reading));
    KINORA_TRY(std::optional<Frame> frame, reader.next());
    if (!frame) return base::fail(ErrorCode::invalid, "the video holds no picture");
    KINORA_TRY(Prefilter prefilter, Prefilter::make(reader.stream(), *frame));
    expected_ = reader.frames_expected();
    zero_s_ = reader.media().start_s;
    const Prefilter::Sink sink = [&](const Frame& upright) -> base::Status {
      if (!writer_) KINORA_OK(start(reader, upright, video, image, output));
      return take(upright);
    };
    while (frame) {
      KINORA_OK(prefilter.push(*frame, sink));
      KINORA_TRY(frame, reader.next());
    }
    KINORA_OK(prefilter.flush(sink));
    KINORA_OK(writer_->finish());
    if (control_.report) control_.report({1.0, done_, done_});
    return done_;
  }

 private:
  base::Status start(const VideoReader& reader, const Frame& first, const std::string& video, const Frame& image,
                     const std::string& output) {
    const Canvas canvas = canvas_of(first);
    fitter_.emplace(canvas);
    KINORA_TRY(stamp_, make_stamp(image, canvas, options_));
    VideoWriterOptions writing;
    writing.width = canvas.width;
    writing.height = canvas.height;
    writing.format = canvas.format;
    writing.color = canvas.color;
    writing.time_base = reader.time_base();
    const double rate = reader.stream().average_rate.value();
    if (rate > 0 && rate <= 240) writing.frame_rate = reader.stream().average_rate;
    writing.crf = options_.crf;
    writing.preset = options_.preset;
    writing.threads = options_.threads;
    writing.rotation = 0;  // the pictures have been turned
    writing.source = video;
    writing.limits = options_.limits;
    KINORA_TRY(writer_, VideoWriter::open(output, writing));
    return {};
  }

  base::Status take(const Frame& upright) {
    if (control_.stop.stop_requested()) return base::fail(ErrorCode::canceled, "canceled");
    KINORA_TRY(Frame frame, fitter_->fit(upright));
    const double at = frame.pts().seconds() - zero_s_;
    constexpr double kHair = 1e-6;
    if (at + kHair >= options_.start_s && (!options_.end_s || at + kHair < *options_.end_s))
      KINORA_OK(lay(stamp_, frame, options_.opacity));
    KINORA_OK(writer_->write(frame));
    ++done_;
    if (control_.report)
      control_.report({expected_ > 0 ? std::min(static_cast<double>(done_) / static_cast<double>(expected_), 0.999) : 0, done_, expected_});
    return {};
  }

  const OverlayOptions& options_;
  const Control& control_;
  std::optional<Fitter> fitter_;
  std::optional<VideoWriter> writer_;
  Stamp stamp_;
  double zero_s_ = 0;
  std::int64_t done_ = 0, expected_ = 0;
};

bool inside(double value, double low, double high) { return value >= low && value <= high; }

}  // namespace

base::Result<std::int64_t> overlay(const std::string& video, const std::string& image, const std::string& output,
                                   const OverlayOptions& options, const Control& control) {
  if (!inside(options.x, 0, 1) || !inside(options.y, 0, 1) || !inside(options.opacity, 0, 1))
    return base::fail(ErrorCode::invalid, "an overlay's x, y and opacity are 0 to 1");
  if (!inside(options.margin, 0, 0.5) || !inside(options.width, 0.01, 1))
    return base::fail(ErrorCode::invalid, "an overlay's margin is 0 to 0.5, its width 0.01 to 1");
  KINORA_TRY(const Frame picture, read_image(image, options.limits));
  return Overlayer(options, control).run(video, picture, output);
}

}  // namespace kinora::media
