#include "media/rgb.hpp"

#include "base/check.hpp"
#include "media/limits.hpp"
#include "media/scaler.hpp"

namespace kinora::media {
namespace {

using base::ErrorCode;

constexpr int kExact = SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP;

int av_format(RgbType type) {
  switch (type) {
    case RgbType::packed_u8: return AV_PIX_FMT_RGB24;
    case RgbType::planar_u8: return AV_PIX_FMT_GBRP;
    case RgbType::planar_u16: return AV_PIX_FMT_GBRP16;
    case RgbType::planar_f32: break;
  }
  return AV_PIX_FMT_GBRPF32;
}

std::ptrdiff_t bytes_per_value(RgbType type) { return type == RgbType::planar_f32 ? 4 : type == RgbType::planar_u16 ? 2 : 1; }

void keep(void*, std::uint8_t*) {}  // the memory is the caller's

// An AVFrame over the view's memory; the frame must not outlive the call.
base::Result<FramePtr> wrap(const RgbView& view) {
  if (view.data == nullptr || view.width < 1 || view.height < 1 || view.width > kMaxMadeSide || view.height > kMaxMadeSide)
    return base::fail(ErrorCode::invalid, "RGB memory without a size");
  FramePtr frame(av_frame_alloc());
  if (!frame) return base::fail(ErrorCode::internal, "out of memory for a picture");
  const bool packed = view.type == RgbType::packed_u8;
  const std::ptrdiff_t size = bytes_per_value(view.type);
  const std::ptrdiff_t row = view.row_stride != 0 ? view.row_stride : (packed ? 3 : 1) * std::ptrdiff_t{view.width};
  const std::ptrdiff_t plane = view.plane_stride != 0 ? view.plane_stride : row * view.height;
  auto* const data = static_cast<std::uint8_t*>(view.data);
  frame->width = view.width;
  frame->height = view.height;
  frame->format = av_format(view.type);
  frame->color_range = AVCOL_RANGE_JPEG;
  frame->colorspace = AVCOL_SPC_RGB;
  // FFmpeg's planar RGB is stored green, blue, red.
  constexpr int kPlaneOf[3] = {1, 2, 0};
  for (int i = 0; i < (packed ? 1 : 3); ++i) {
    frame->data[i] = data + (packed ? 0 : kPlaneOf[i] * plane * size);
    frame->linesize[i] = static_cast<int>(row * size);
  }
  const std::ptrdiff_t bytes = (packed ? row * view.height : plane * 3) * size;
  frame->buf[0] = av_buffer_create(data, static_cast<std::size_t>(bytes), &keep, nullptr, 0);
  if (frame->buf[0] == nullptr) return base::fail(ErrorCode::internal, "out of memory for a picture");
  return frame;
}

}  // namespace

int effective_matrix(const ColorTags& tags, int width, int height) {
  switch (tags.matrix) {
    case AVCOL_SPC_BT709:
    case AVCOL_SPC_FCC:
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M:
    case AVCOL_SPC_SMPTE240M:
    case AVCOL_SPC_BT2020_NCL: return tags.matrix;
    case AVCOL_SPC_BT2020_CL: return AVCOL_SPC_BT2020_NCL;
    default: break;
  }
  // What players do: high definition (either way up) is BT.709.
  const bool high = static_cast<std::int64_t>(width) * height >= 1280 * 720 || width >= 1280 || height >= 1280;
  return high ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
}

struct RgbConverter::State {
  explicit State(int threads)
      : to_rgb(SWS_BICUBIC | kExact, threads), to_rgb_scaled(SWS_LANCZOS | kExact, threads), to_frame(SWS_BICUBIC | kExact, threads) {}
  Scaler to_rgb, to_rgb_scaled, to_frame;
};

RgbConverter::RgbConverter(int threads) : state_(std::make_unique<State>(threads)) {}
RgbConverter::~RgbConverter() = default;
RgbConverter::RgbConverter(RgbConverter&&) noexcept = default;
RgbConverter& RgbConverter::operator=(RgbConverter&&) noexcept = default;

base::Status RgbConverter::to_rgb(const Frame& frame, const RgbView& out) {
  if (!frame || frame.width() != out.width || frame.height() != out.height)
    return base::fail(ErrorCode::invalid, "RGB memory of another size than the frame");
  KINORA_TRY(const FramePtr target, wrap(out));
  return state_->to_rgb.run(*frame.av(), *target, frame.width(), frame.height());
}

base::Status RgbConverter::to_rgb_scaled(const Frame& frame, const RgbView& out) {
  if (!frame) return base::fail(ErrorCode::invalid, "no frame");
  KINORA_TRY(const FramePtr target, wrap(out));
  return state_->to_rgb_scaled.run(*frame.av(), *target, frame.width(), frame.height());
}

base::Result<Frame> RgbConverter::to_frame(const RgbView& rgb, PixelFormat format, const ColorTags& tags, int matrix_width,
                                           int matrix_height) {
  KINORA_TRY(const FramePtr source, wrap(rgb));
  KINORA_TRY(Frame frame, Frame::create(rgb.width, rgb.height, format));
  frame.set_color(tags);
  const bool own = matrix_width <= 0 || matrix_height <= 0;
  KINORA_OK(state_->to_frame.run(*source, *frame.av(), own ? rgb.width : matrix_width, own ? rgb.height : matrix_height));
  return frame;
}

}  // namespace kinora::media
