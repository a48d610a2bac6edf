#include "media/scaler.hpp"

#include "media/rgb.hpp"

namespace kinora::media {
namespace {

bool is_rgb(int format) {
  const AVPixFmtDescriptor* description = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(format));
  return description != nullptr && (description->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL)) != 0;
}

ColorTags tags_of(const AVFrame& frame) {
  ColorTags tags{frame.color_primaries, frame.color_trc, frame.colorspace, ColorRange::unspecified};
  if (frame.color_range == AVCOL_RANGE_JPEG) tags.range = ColorRange::full;
  return tags;
}

}  // namespace

void name_range_honestly(AVFrame& frame) {
  switch (frame.format) {
    case AV_PIX_FMT_YUVJ420P: frame.format = AV_PIX_FMT_YUV420P; break;
    case AV_PIX_FMT_YUVJ422P: frame.format = AV_PIX_FMT_YUV422P; break;
    case AV_PIX_FMT_YUVJ444P: frame.format = AV_PIX_FMT_YUV444P; break;
    case AV_PIX_FMT_YUVJ440P: frame.format = AV_PIX_FMT_YUV440P; break;
    case AV_PIX_FMT_YUVJ411P: frame.format = AV_PIX_FMT_YUV411P; break;
    default: return;
  }
  frame.color_range = AVCOL_RANGE_JPEG;
}

base::Status Scaler::set_up(const Shape& from, const Shape& to) {
  context_.reset(sws_alloc_context());
  if (!context_) return base::fail(base::ErrorCode::internal, "out of memory for a scaler");
  SwsContext* context = context_.get();
  av_opt_set_int(context, "srcw", from.width, 0);
  av_opt_set_int(context, "srch", from.height, 0);
  av_opt_set_int(context, "src_format", from.format, 0);
  av_opt_set_int(context, "src_range", from.full, 0);
  av_opt_set_int(context, "dstw", to.width, 0);
  av_opt_set_int(context, "dsth", to.height, 0);
  av_opt_set_int(context, "dst_format", to.format, 0);
  av_opt_set_int(context, "dst_range", to.full, 0);
  av_opt_set_int(context, "sws_flags", flags_, 0);
  av_opt_set_int(context, "threads", threads_, 0);
  if (const int code = sws_init_context(context, nullptr, nullptr); code < 0) {
    context_.reset();
    return base::fail(base::ErrorCode::unsupported, "this pixel format cannot be converted");
  }
  sws_setColorspaceDetails(context, sws_getCoefficients(from.matrix), from.full, sws_getCoefficients(to.matrix), to.full, 0, 1 << 16,
                           1 << 16);
  from_ = from;
  to_ = to;
  return {};
}

base::Status Scaler::run(const AVFrame& from, AVFrame& to, int matrix_width, int matrix_height) {
  const bool from_rgb = is_rgb(from.format), to_rgb = is_rgb(to.format);
  const AVFrame& yuv = from_rgb ? to : from;
  const int matrix = effective_matrix(tags_of(yuv), matrix_width, matrix_height);
  const int full = yuv.color_range == AVCOL_RANGE_JPEG ? 1 : 0;
  const Shape source{from.width, from.height, from.format, matrix, from_rgb ? 1 : full};
  Shape target{to.width, to.height, to.format, matrix, to_rgb ? 1 : full};
  if (colors_ == Colors::convert && !from_rgb && !to_rgb) {
    target.matrix = effective_matrix(tags_of(to), matrix_width, matrix_height);
    target.full = to.color_range == AVCOL_RANGE_JPEG ? 1 : 0;
  }
  if (!context_ || source != from_ || target != to_) KINORA_OK(set_up(source, target));
  if (const int code = sws_scale_frame(context_.get(), &to, &from); code < 0) return av_fail(code, "scaling");
  return {};
}

}  // namespace kinora::media
