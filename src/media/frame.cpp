#include "media/frame.hpp"

#include "media/av.hpp"
#include "media/limits.hpp"

namespace kinora::media {
namespace {

std::string_view or_unknown(const char* text) { return text != nullptr ? std::string_view(text) : std::string_view("unknown"); }

}  // namespace

std::string_view primaries_name(int primaries) { return or_unknown(av_color_primaries_name(static_cast<AVColorPrimaries>(primaries))); }
std::string_view transfer_name(int transfer) {
  return or_unknown(av_color_transfer_name(static_cast<AVColorTransferCharacteristic>(transfer)));
}
std::string_view matrix_name(int matrix) { return or_unknown(av_color_space_name(static_cast<AVColorSpace>(matrix))); }
std::string_view range_name(ColorRange range) { return range == ColorRange::limited ? "tv" : range == ColorRange::full ? "pc" : "unknown"; }

void Frame::Free::operator()(AVFrame* frame) const { av_frame_free(&frame); }

Frame::Frame() = default;
Frame::Frame(AVFrame* owned) : frame_(owned) {
  if (owned != nullptr) duration_ = frame_duration(*owned);
}
Frame::Frame(const Frame& other)
    : frame_(other.frame_ ? av_frame_clone(other.frame_.get()) : nullptr), base_(other.base_), duration_(other.duration_) {}
Frame& Frame::operator=(const Frame& other) {
  if (this != &other) *this = Frame(other);
  return *this;
}
Frame::Frame(Frame&&) noexcept = default;
Frame& Frame::operator=(Frame&&) noexcept = default;
Frame::~Frame() = default;

base::Result<Frame> Frame::create(int width, int height, PixelFormat format) {
  if (width < 1 || height < 1 || width > kMaxMadeSide || height > kMaxMadeSide)
    return base::fail(base::ErrorCode::invalid, "a picture of " + std::to_string(width) + "x" + std::to_string(height));
  Frame frame(av_frame_alloc());
  AVFrame* av = frame.av();
  if (av == nullptr) return base::fail(base::ErrorCode::internal, "out of memory for a picture");
  av->width = width;
  av->height = height;
  av->format = format == PixelFormat::yuv420p ? AV_PIX_FMT_YUV420P : AV_PIX_FMT_YUV420P10;
  if (av_frame_get_buffer(av, 0) < 0) return base::fail(base::ErrorCode::internal, "out of memory for a picture");
  return frame;
}

int Frame::width() const { return frame_->width; }
int Frame::height() const { return frame_->height; }
int Frame::bit_depth() const {
  const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame_->format));
  return format != nullptr ? format->comp[0].depth : 0;
}
std::string_view Frame::pixel_format() const { return or_unknown(av_get_pix_fmt_name(static_cast<AVPixelFormat>(frame_->format))); }

ColorTags Frame::color() const {
  ColorTags tags{frame_->color_primaries, frame_->color_trc, frame_->colorspace, ColorRange::unspecified};
  if (frame_->color_range == AVCOL_RANGE_MPEG) tags.range = ColorRange::limited;
  if (frame_->color_range == AVCOL_RANGE_JPEG) tags.range = ColorRange::full;
  return tags;
}
void Frame::set_color(const ColorTags& tags) {
  frame_->color_primaries = static_cast<AVColorPrimaries>(tags.primaries);
  frame_->color_trc = static_cast<AVColorTransferCharacteristic>(tags.transfer);
  frame_->colorspace = static_cast<AVColorSpace>(tags.matrix);
  frame_->color_range = tags.range == ColorRange::limited ? AVCOL_RANGE_MPEG
                        : tags.range == ColorRange::full  ? AVCOL_RANGE_JPEG
                                                          : AVCOL_RANGE_UNSPECIFIED;
}
Rational Frame::sample_aspect() const { return from_av(frame_->sample_aspect_ratio); }
void Frame::set_sample_aspect(Rational sar) { frame_->sample_aspect_ratio = to_av(sar); }
Timestamp Frame::pts() const { return {frame_->pts, base_}; }
void Frame::set_pts(Timestamp pts) {
  frame_->pts = pts.ticks;
  base_ = pts.base;
}
bool Frame::interlaced() const { return frame_interlaced(*frame_); }
bool Frame::has_alpha() const {
  const AVPixFmtDescriptor* description = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame_->format));
  return description != nullptr && (description->flags & AV_PIX_FMT_FLAG_ALPHA) != 0;
}
bool Frame::key() const { return frame_key(*frame_); }
bool Frame::damaged() const { return frame_->decode_error_flags != 0 || (frame_->flags & AV_FRAME_FLAG_CORRUPT) != 0; }

}  // namespace kinora::media
