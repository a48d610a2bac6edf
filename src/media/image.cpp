#include "media/image.hpp"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>

#include "media/input.hpp"
#include "media/ladder.hpp"
#include "media/picture.hpp"
#include "media/scaler.hpp"

namespace kinora::media {
namespace {

using base::ErrorCode;

constexpr int kExact = SWS_LANCZOS | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP;

bool has_alpha(const Frame& frame) {
  const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.av()->format));
  return format != nullptr && (format->flags & AV_PIX_FMT_FLAG_ALPHA) != 0 && (format->flags & AV_PIX_FMT_FLAG_PAL) == 0;
}

base::Result<Frame> converted(const Frame& frame, int width, int height, AVPixelFormat format) {
  Frame out(av_frame_alloc());
  AVFrame* to = out.av();
  if (to == nullptr) return base::fail(ErrorCode::internal, "out of memory for a picture");
  to->width = width;
  to->height = height;
  to->format = format;
  to->color_range = AVCOL_RANGE_JPEG;
  to->colorspace = format == AV_PIX_FMT_YUVJ420P || format == AV_PIX_FMT_YUVJ444P ? AVCOL_SPC_BT470BG : AVCOL_SPC_RGB;
  if (av_frame_get_buffer(to, 0) < 0) return base::fail(ErrorCode::internal, "out of memory for a picture");
  Scaler scaler(kExact);
  KINORA_OK(scaler.run(*frame.av(), *to, frame.width(), frame.height()));
  return out;
}

base::Result<PacketPtr> encode(const Frame& picture, ImageType type, int quality) {
  const AVCodec* codec = avcodec_find_encoder(type == ImageType::png ? AV_CODEC_ID_PNG : AV_CODEC_ID_MJPEG);
  if (codec == nullptr) return base::fail(ErrorCode::unsupported, "this FFmpeg cannot write such pictures");
  Av<AVCodecContext> encoder(avcodec_alloc_context3(codec));
  PacketPtr packet(av_packet_alloc());
  FramePtr frame(av_frame_clone(picture.av()));
  if (!encoder || !packet || !frame) return base::fail(ErrorCode::internal, "out of memory for a picture");
  encoder->width = picture.width();
  encoder->height = picture.height();
  encoder->pix_fmt = static_cast<AVPixelFormat>(picture.av()->format);
  encoder->color_range = AVCOL_RANGE_JPEG;
  encoder->time_base = {1, 1};
  encoder->thread_count = 1;
  if (type == ImageType::jpeg) {
    // FFmpeg's scale is 1 (best) to 31; 100 -> 1, 90 -> 4, 1 -> 31.
    encoder->flags |= AV_CODEC_FLAG_QSCALE;
    const int scale = std::clamp(1 + (100 - quality) * 30 / 99, 1, 31);
    encoder->global_quality = FF_QP2LAMBDA * scale;
    frame->quality = encoder->global_quality;
  }
  frame->pts = 0;
  frame->pict_type = AV_PICTURE_TYPE_NONE;
  if (const int code = avcodec_open2(encoder.get(), codec, nullptr); code < 0) return av_fail(code, "picture encoder");
  int code = avcodec_send_frame(encoder.get(), frame.get());
  if (code >= 0) code = avcodec_send_frame(encoder.get(), nullptr);
  if (code >= 0) code = avcodec_receive_packet(encoder.get(), packet.get());
  if (code < 0) return av_fail(code, "picture encoder");
  return packet;
}

base::Status save(const std::string& path, const AVPacket& packet) {
  const std::string part = path + ".part";
  std::FILE* file = std::fopen(part.c_str(), "wb");
  if (file == nullptr) return base::fail(ErrorCode::io, "the picture's file cannot be made");
  const bool written = std::fwrite(packet.data, 1, static_cast<std::size_t>(packet.size), file) == static_cast<std::size_t>(packet.size);
  const bool closed = std::fclose(file) == 0;
  if (!written || !closed || std::rename(part.c_str(), path.c_str()) != 0) {
    std::remove(part.c_str());
    return base::fail(ErrorCode::io, "the picture cannot be written");
  }
  return {};
}

}  // namespace

base::Result<Frame> read_image(const std::string& path, const Limits& limits) {
  KINORA_TRY(const Input input, Input::open(path, limits));
  const MediaInfo& info = input.info();
  const auto picture = std::find_if(info.streams.begin(), info.streams.end(),
                                    [](const StreamInfo& s) { return s.type == StreamType::video || s.type == StreamType::cover; });
  if (picture == info.streams.end()) return base::fail(ErrorCode::unsupported, "the file holds no picture");
  return first_picture(path, picture->index, limits);
}

base::Result<Frame> first_picture(const std::string& path, int stream_index, const Limits& limits) {
  KINORA_TRY(Input input, Input::open(path, limits));
  AVStream& stream = input.stream(stream_index);
  // FF_THREAD_FRAME would only delay a single picture.
  KINORA_TRY(const Av<AVCodecContext> decoder, open_decoder(stream, 1, limits));
  PacketPtr packet(av_packet_alloc());
  FramePtr frame(av_frame_alloc());
  if (!packet || !frame) return base::fail(ErrorCode::internal, "out of memory for a picture");
  for (bool more = true; more;) {
    more = input.read(*packet);
    if (more && packet->stream_index != stream_index) continue;
    avcodec_send_packet(decoder.get(), more ? packet.get() : nullptr);
    if (avcodec_receive_frame(decoder.get(), frame.get()) < 0) continue;
    name_range_honestly(*frame);
    const std::int64_t pts = frame->best_effort_timestamp == AV_NOPTS_VALUE ? 0 : frame->best_effort_timestamp;
    Frame picture(frame.release());
    picture.set_pts({pts, from_av(stream.time_base)});
    return picture;
  }
  return base::fail(ErrorCode::invalid, "the picture cannot be decoded");
}

base::Result<ImageType> image_type_of(const std::string& path) {
  std::string ending = std::filesystem::path(path).extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (ending == ".png") return ImageType::png;
  if (ending == ".jpg" || ending == ".jpeg") return ImageType::jpeg;
  return base::fail(ErrorCode::unsupported, "pictures are written as .png, .jpg or .jpeg");
}

base::Status write_image(const std::string& path, const Frame& frame, ImageType type, int quality, int width) {
  if (!frame) return base::fail(ErrorCode::invalid, "no picture");
  if (quality < 1 || quality > 100) return base::fail(ErrorCode::invalid, "a JPEG's quality is 1 to 100");
  if (width < 0 || width > kMaxMadeSide) return base::fail(ErrorCode::invalid, "a picture's width is 0 (as it is) to 32768");
  StreamInfo shape;
  shape.width = frame.width();
  shape.height = frame.height();
  shape.sample_aspect = frame.sample_aspect();
  DisplaySize size = display_size(shape);
  if (width > 0) {
    size.height = std::max(1, static_cast<int>((static_cast<std::int64_t>(size.height) * width + size.width / 2) / size.width));
    size.width = width;
  }
  const bool png = type == ImageType::png;
  const bool deep = frame.bit_depth() > 8, alpha = has_alpha(frame);
  const AVPixelFormat with_alpha = deep ? AV_PIX_FMT_RGBA64BE : AV_PIX_FMT_RGBA, opaque = deep ? AV_PIX_FMT_RGB48BE : AV_PIX_FMT_RGB24;
  const AVPixelFormat format = !png ? AV_PIX_FMT_YUVJ420P : alpha ? with_alpha : opaque;
  KINORA_TRY(const Frame picture, converted(frame, size.width, size.height, format));
  KINORA_TRY(const PacketPtr packet, encode(picture, type, quality));
  return save(path, *packet);
}

}  // namespace kinora::media
