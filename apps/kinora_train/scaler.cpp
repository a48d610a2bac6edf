#include "kinora_train/scaler.hpp"

extern "C" {
#include <libavutil/frame.h>
#include <libswscale/swscale.h>
}

#include <memory>
#include <string>

#include "kinora_train/error.hpp"

namespace kinora::train {
namespace {

int flag_of(Kernel kernel) {
  switch (kernel) {
    case Kernel::area: return SWS_AREA;
    case Kernel::bicubic: return SWS_BICUBIC;
    case Kernel::lanczos: return SWS_LANCZOS;
  }
  return SWS_BICUBIC;
}

}  // namespace

media::Frame resized(const media::Frame& frame, int width, int height, Kernel kernel) {
  media::Frame out = take(media::Frame::create(width, height, media::PixelFormat::yuv420p));
  const AVFrame& from = *frame.av();
  const int flags = flag_of(kernel) | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT;
  const std::unique_ptr<SwsContext, decltype(&sws_freeContext)> scaler(
      sws_getContext(from.width, from.height, static_cast<AVPixelFormat>(from.format), width, height, AV_PIX_FMT_YUV420P, flags, nullptr,
                     nullptr, nullptr),
      sws_freeContext);
  if (!scaler) throw Failure("cannot resize pictures of the format " + std::string(frame.pixel_format()));
  const int rows = sws_scale(scaler.get(), from.data, from.linesize, 0, from.height, out.av()->data, out.av()->linesize);
  if (rows != height) throw Failure("resizing a picture failed");
  out.set_color(frame.color());
  out.set_pts(frame.pts());
  return out;
}

media::Frame cropped(const media::Frame& frame, int width, int height) {
  if (width < 1 || height < 1 || width > frame.width() || height > frame.height()) throw Failure("a crop larger than its picture");
  media::Frame out = frame;
  out.av()->width = width;
  out.av()->height = height;
  return out;
}

}  // namespace kinora::train
