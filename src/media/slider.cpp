#include "media/slider.hpp"

#include <algorithm>
#include <cmath>

#include "media/av.hpp"
#include "media/fit.hpp"
#include "media/video_reader.hpp"
#include "media/video_writer.hpp"

namespace kinora::media {
namespace {

using base::ErrorCode;

constexpr int kLine = 2;  // pixels

// Takes [from, width) of another frame of the same shape, with a white line before it.
template <class Sample>
void take_right(AVFrame& to, const AVFrame& other, int from, int white, int grey) {
  for (const int plane : {0, 1, 2}) {
    const int shift = plane == 0 ? 0 : 1;
    const int start = from >> shift, width = to.width >> shift, line = std::min(start + (kLine >> shift), width);
    for (int y = 0; y < to.height >> shift; ++y) {
      auto* row = reinterpret_cast<Sample*>(to.data[plane] + static_cast<std::ptrdiff_t>(y) * to.linesize[plane]);
      const auto* source = reinterpret_cast<const Sample*>(other.data[plane] + static_cast<std::ptrdiff_t>(y) * other.linesize[plane]);
      std::copy(source + start, source + width, row + start);
      if (start > 0) std::fill(row + start, row + line, static_cast<Sample>(plane == 0 ? white : grey));
    }
  }
}

base::Status join_at(Frame& left, const Frame& right, double position, const Canvas& canvas) {
  if (const int code = av_frame_make_writable(left.av()); code < 0) return av_fail(code, "slider");
  const int from = 2 * static_cast<int>(std::lround(position * canvas.width / 2));
  const int white = canvas.color.range == ColorRange::full ? 255 : 235;
  if (canvas.format == PixelFormat::yuv420p10)
    take_right<std::uint16_t>(*left.av(), *right.av(), from, white << 2, 128 << 2);
  else
    take_right<std::uint8_t>(*left.av(), *right.av(), from, white, 128);
  return {};
}

}  // namespace

base::Status slider_video(const std::string& left, const std::string& right, const std::string& output, const SliderOptions& options,
                          const Control& control) {
  VideoReaderOptions reading;
  reading.limits = options.limits;
  KINORA_TRY(VideoReader a, VideoReader::open(left, reading));
  KINORA_TRY(VideoReader b, VideoReader::open(right, reading));
  KINORA_TRY(auto one, a.next());
  KINORA_TRY(auto other, b.next());
  if (!one || !other) return base::fail(ErrorCode::invalid, "no frame to show");
  const Canvas canvas_a = canvas_of(*one), canvas_b = canvas_of(*other);
  Canvas canvas = canvas_a.width * canvas_a.height > canvas_b.width * canvas_b.height ? canvas_a : canvas_b;
  if (canvas_a.format != canvas_b.format) canvas.format = PixelFormat::yuv420p10;
  Fitter fit_a(canvas), fit_b(canvas);
  const Rational average = a.stream().average_rate;
  VideoWriterOptions writing;
  writing.width = canvas.width;
  writing.height = canvas.height;
  writing.format = canvas.format;
  writing.codec = canvas.format == PixelFormat::yuv420p10 ? VideoCodec::h265 : VideoCodec::h264;
  writing.color = canvas.color;
  writing.time_base = a.time_base();
  writing.frame_rate = average.known() ? average : a.stream().frame_rate;
  writing.crf = 12;
  writing.rotation = a.stream().rotation;
  writing.limits = options.limits;
  KINORA_TRY(VideoWriter writer, VideoWriter::open(output, writing));
  const std::int64_t expected = std::min(a.frames_expected(), b.frames_expected());
  for (std::int64_t done = 1; one && other; ++done) {
    if (control.stop.stop_requested()) return base::fail(ErrorCode::canceled, "canceled");
    KINORA_TRY(Frame shown, fit_a.fit(*one));
    KINORA_TRY(const Frame beside, fit_b.fit(*other));
    KINORA_OK(join_at(shown, beside, options.position, canvas));
    KINORA_OK(writer.write(shown));
    if (control.report)
      control.report({expected > 0 ? std::min(0.999, static_cast<double>(done) / static_cast<double>(expected)) : 0, done, expected});
    KINORA_TRY(one, a.next());
    KINORA_TRY(other, b.next());
  }
  return writer.finish();
}

}  // namespace kinora::media
