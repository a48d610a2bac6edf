#include "media/fit.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "media/ladder.hpp"
#include "media/rgb.hpp"

namespace kinora::media {
namespace {

using base::ErrorCode;

constexpr int even_down(int side) { return std::max(2, side - side % 2); }

DisplaySize shown_size(const Frame& upright) {
  StreamInfo shape;
  shape.width = upright.width();
  shape.height = upright.height();
  shape.sample_aspect = upright.sample_aspect();
  return display_size(shape);
}

void fill_plane(std::uint8_t* data, int stride, int width, int height, int value, bool deep) {
  for (int y = 0; y < height; ++y) {
    std::uint8_t* row = data + static_cast<std::ptrdiff_t>(y) * stride;
    if (deep)
      std::fill_n(reinterpret_cast<std::uint16_t*>(row), width, static_cast<std::uint16_t>(value));
    else
      std::memset(row, value, static_cast<std::size_t>(width));
  }
}

void fill_black(AVFrame& f, const Canvas& canvas) {
  const bool deep = canvas.format == PixelFormat::yuv420p10;
  const int shift = deep ? 2 : 0;
  const int black = canvas.color.range == ColorRange::full ? 0 : 16 << shift;
  fill_plane(f.data[0], f.linesize[0], canvas.width, canvas.height, black, deep);
  for (const int plane : {1, 2}) fill_plane(f.data[plane], f.linesize[plane], canvas.width / 2, canvas.height / 2, 128 << shift, deep);
}

// A frame over the part of `whole` at (x, y), both even. It shares the pixels.
base::Result<FramePtr> window(const AVFrame& whole, int x, int y, int width, int height, bool deep) {
  FramePtr part(av_frame_alloc());
  if (!part || av_frame_ref(part.get(), &whole) < 0) return base::fail(ErrorCode::internal, "out of memory for a picture");
  const int bytes = deep ? 2 : 1;
  part->data[0] += static_cast<std::ptrdiff_t>(y) * whole.linesize[0] + x * bytes;
  for (const int plane : {1, 2}) part->data[plane] += static_cast<std::ptrdiff_t>(y / 2) * whole.linesize[plane] + x / 2 * bytes;
  part->width = width;
  part->height = height;
  return part;
}

}  // namespace

ColorTags yuv_color(const Frame& frame) {
  ColorTags tags = frame.color();
  const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.av()->format));
  const bool rgb = format != nullptr && (format->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL)) != 0;
  if (rgb || tags.matrix == AVCOL_SPC_RGB) {
    tags.matrix = effective_matrix({}, frame.width(), frame.height());
    tags.range = ColorRange::limited;
  }
  return tags;
}

Canvas canvas_of(const Frame& upright) {
  const DisplaySize size = shown_size(upright);
  return {even_down(size.width), even_down(size.height), upright.bit_depth() > 8 ? PixelFormat::yuv420p10 : PixelFormat::yuv420p,
          yuv_color(upright)};
}

base::Result<Frame> Fitter::fit(const Frame& upright) {
  const bool deep = canvas_.format == PixelFormat::yuv420p10;
  const int format = deep ? AV_PIX_FMT_YUV420P10 : AV_PIX_FMT_YUV420P;
  const DisplaySize size = shown_size(upright);
  if (size.width == canvas_.width && size.height == canvas_.height && upright.av()->format == format && upright.width() == canvas_.width &&
      upright.height() == canvas_.height && upright.color() == canvas_.color)
    return upright;
  KINORA_TRY(Frame out, Frame::create(canvas_.width, canvas_.height, canvas_.format));
  out.set_color(canvas_.color);
  const double factor = std::min(static_cast<double>(canvas_.width) / size.width, static_cast<double>(canvas_.height) / size.height);
  // A pixel of an odd side more or less is no reason for a black line.
  const auto side = [factor](int shown, int room) {
    const int fitted = even_down(static_cast<int>(std::lround(shown * factor)));
    return room - fitted <= 2 ? room : std::min(fitted, room);
  };
  const int width = side(size.width, canvas_.width), height = side(size.height, canvas_.height);
  const int x = (canvas_.width - width) / 4 * 2, y = (canvas_.height - height) / 4 * 2;
  if (width != canvas_.width || height != canvas_.height) fill_black(*out.av(), canvas_);
  KINORA_TRY(const FramePtr part, window(*out.av(), x, y, width, height, deep));
  KINORA_OK(scaler_.run(*upright.av(), *part, upright.width(), upright.height()));
  out.set_pts(upright.pts());
  out.set_duration_ticks(upright.duration_ticks());
  return out;
}

}  // namespace kinora::media
