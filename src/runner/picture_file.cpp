#include "runner/picture_file.hpp"

extern "C" {
#include <libavutil/frame.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "runner/orientation.hpp"

namespace kinora::runner {
namespace {

using base::ErrorCode;
using models::SampleType;

bool has_alpha(const AVFrame& frame) {
  const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  return format != nullptr && (format->flags & AV_PIX_FMT_FLAG_ALPHA) != 0;
}

Orientation lie_of(const AVFrame& frame) {
  const AVFrameSideData* side = av_frame_get_side_data(&frame, AV_FRAME_DATA_DISPLAYMATRIX);
  std::array<std::int32_t, 9> matrix{};
  if (side == nullptr || side->size < sizeof matrix) return {};
  std::memcpy(matrix.data(), side->data, sizeof matrix);
  return orientation_of(matrix);
}

// The alpha samples alone, by way of RGBA: alpha has no matrix and no range.
base::Result<Buffer> alpha_of(const AVFrame& frame, SampleType type) {
  const bool deep = type == SampleType::planar_u16;
  const std::size_t sample = deep ? 2 : 1, pixels = static_cast<std::size_t>(frame.width) * static_cast<std::size_t>(frame.height);
  const std::unique_ptr<SwsContext, decltype(&sws_freeContext)> scaler(
      sws_getContext(frame.width, frame.height, static_cast<AVPixelFormat>(frame.format), frame.width, frame.height,
                     deep ? AV_PIX_FMT_RGBA64 : AV_PIX_FMT_RGBA, SWS_BICUBIC | SWS_ACCURATE_RND, nullptr, nullptr, nullptr),
      &sws_freeContext);
  if (!scaler) return base::fail(ErrorCode::unsupported, "a pixel format whose transparency cannot be read");
  Buffer rgba(pixels * 4 * sample);
  std::uint8_t* planes[4] = {rgba.data(), nullptr, nullptr, nullptr};
  const int strides[4] = {static_cast<int>(static_cast<std::size_t>(frame.width) * 4 * sample), 0, 0, 0};
  if (sws_scale(scaler.get(), frame.data, frame.linesize, 0, frame.height, planes, strides) != frame.height)
    return base::fail(ErrorCode::internal, "the picture's transparency could not be read");
  Buffer alpha(pixels * sample);
  for (std::size_t i = 0; i < pixels; ++i) std::memcpy(alpha.data() + i * sample, rgba.data() + (4 * i + 3) * sample, sample);
  if (std::all_of(alpha.begin(), alpha.end(), [](std::uint8_t byte) { return byte == 0xff; })) alpha.clear();
  return alpha;
}

// Copies the samples of one pixel after the other into an interleaved row of FFmpeg's.
template <class Sample>
void fill(AVFrame& frame, const StillPicture& picture, bool planar) {
  const auto pixels = static_cast<std::size_t>(picture.width * picture.height);
  const auto* rgb = reinterpret_cast<const Sample*>(picture.rgb.data());
  const auto* alpha = picture.alpha.empty() ? nullptr : reinterpret_cast<const Sample*>(picture.alpha.data());
  const std::size_t channels = alpha != nullptr ? 4 : 3;
  for (std::int64_t y = 0; y < picture.height; ++y) {
    auto* out = reinterpret_cast<Sample*>(frame.data[0] + y * frame.linesize[0]);
    for (std::int64_t x = 0; x < picture.width; ++x, out += channels) {
      const auto i = static_cast<std::size_t>(y * picture.width + x);
      for (std::size_t c = 0; c < 3; ++c) out[c] = planar ? rgb[c * pixels + i] : rgb[3 * i + c];
      if (alpha != nullptr) out[3] = alpha[i];
    }
  }
}

}  // namespace

base::Result<StillPicture> read_picture(const std::string& path, const media::Limits& limits) {
  KINORA_TRY(const media::Frame frame, media::read_image(path, limits));
  StillPicture picture{.type = sample_type(frame.bit_depth()), .width = frame.width(), .height = frame.height(), .rgb = {}, .alpha = {}};
  picture.rgb.resize(picture_bytes(picture.type, picture.width, picture.height));
  media::RgbConverter converter;
  KINORA_OK(converter.to_rgb(frame, view_of(picture.rgb, picture.type, picture.width, picture.height)));
  if (has_alpha(*frame.av())) {
    KINORA_TRY(picture.alpha, alpha_of(*frame.av(), picture.type));
  }
  const Orientation lies = lie_of(*frame.av());
  if (lies.upright()) return picture;

  const bool deep = picture.type == SampleType::planar_u16;
  const std::size_t sample = deep ? 2 : 1;
  if (deep) {  // plane by plane
    const std::size_t plane = picture.rgb.size() / 3;
    for (std::size_t c = 0; c < 3; ++c) {
      auto* const begin = picture.rgb.data() + c * plane;
      const Buffer turned = turn(Buffer(begin, begin + plane), picture.width, picture.height, sample, lies);
      std::copy(turned.begin(), turned.end(), begin);
    }
  } else {
    picture.rgb = turn(picture.rgb, picture.width, picture.height, 3, lies);
  }
  if (!picture.alpha.empty()) picture.alpha = turn(picture.alpha, picture.width, picture.height, sample, lies);
  if (lies.swaps_sides()) std::swap(picture.width, picture.height);
  return picture;
}

base::Status write_picture(const std::string& path, const StillPicture& picture, media::ImageType type) {
  const bool deep = picture.type == SampleType::planar_u16;
  StillPicture opaque;
  const StillPicture* shown = &picture;
  if (type == media::ImageType::jpeg && !picture.alpha.empty()) {
    opaque = picture;
    opaque.alpha.clear();
    shown = &opaque;
  }
  const bool alpha = !shown->alpha.empty();
  media::Frame frame(av_frame_alloc());
  if (!frame) return base::fail(ErrorCode::internal, "out of memory for a picture");
  AVFrame& av = *frame.av();
  av.width = static_cast<int>(shown->width);
  av.height = static_cast<int>(shown->height);
  av.format = deep ? (alpha ? AV_PIX_FMT_RGBA64 : AV_PIX_FMT_RGB48) : (alpha ? AV_PIX_FMT_RGBA : AV_PIX_FMT_RGB24);
  av.color_range = AVCOL_RANGE_JPEG;
  av.colorspace = AVCOL_SPC_RGB;
  av.sample_aspect_ratio = {1, 1};
  if (av_frame_get_buffer(&av, 0) < 0) return base::fail(ErrorCode::internal, "out of memory for a picture");
  if (deep)
    fill<std::uint16_t>(av, *shown, /*planar=*/true);
  else
    fill<std::uint8_t>(av, *shown, /*planar=*/false);
  return media::write_image(path, frame, type);
}

}  // namespace kinora::runner
