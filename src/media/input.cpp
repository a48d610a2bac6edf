#include "media/input.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "media/describe.hpp"

namespace kinora::media {
namespace {

using base::ErrorCode;

// Containers and elementary streams that people have; none of them names other files (where one could, io_open refuses).
constexpr const char* kDemuxers =
    "aac,ac3,aiff,amr,amrnb,amrwb,apng,asf,au,av1,avi,bmp_pipe,caf,dts,dv,eac3,flac,flv,gif,gxf,h261,h263,h264,hevc,ivf,"
    "jpeg_pipe,jpegxl_pipe,m4v,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mp3,mpeg,mpegts,mpegvideo,mxf,nut,obu,ogg,png_pipe,rm,"
    "swf,tiff_pipe,truehd,tta,vc1,w64,wav,webp_pipe,wtv,wv,yuv4mpegpipe";
constexpr int kBufferBytes = 256 * 1024;

int refuse_open(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) { return AVERROR(EPERM); }

}  // namespace

struct Input::File {
  int descriptor = -1;
  AVIOContext* io = nullptr;

  ~File() {
    if (io != nullptr) {
      av_freep(static_cast<void*>(&io->buffer));
      avio_context_free(&io);
    }
    if (descriptor >= 0) ::close(descriptor);
  }
  static int read(void* opaque, std::uint8_t* buffer, int size) {
    const auto* self = static_cast<const File*>(opaque);
    for (;;) {
      const ssize_t got = ::read(self->descriptor, buffer, static_cast<std::size_t>(size));
      if (got > 0) return static_cast<int>(got);
      if (got == 0) return AVERROR_EOF;
      if (errno != EINTR) return AVERROR(errno);
    }
  }
  static std::int64_t seek(void* opaque, std::int64_t offset, int whence) {
    const auto* self = static_cast<const File*>(opaque);
    if (whence == AVSEEK_SIZE) {
      struct stat info{};
      return ::fstat(self->descriptor, &info) == 0 ? info.st_size : AVERROR(errno);
    }
    const off_t at = ::lseek(self->descriptor, offset, whence & ~AVSEEK_FORCE);
    return at >= 0 ? at : AVERROR(errno);
  }
};

Input::Input(Input&& other) noexcept
    : file_(std::move(other.file_)), format_(std::exchange(other.format_, nullptr)), info_(std::move(other.info_)) {}
Input& Input::operator=(Input&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(format_, other.format_);
  std::swap(info_, other.info_);
  return *this;
}
Input::~Input() { avformat_close_input(&format_); }

base::Result<Input> Input::open(const std::string& path, const Limits& limits) {
  quiet_logs();
  Input input;
  input.file_ = std::make_unique<File>();
  File& file = *input.file_;
  file.descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file.descriptor < 0)
    return base::fail(errno == ENOENT ? ErrorCode::not_found : ErrorCode::io, std::string("input: ") + std::strerror(errno));
  struct stat info{};
  if (::fstat(file.descriptor, &info) != 0 || !S_ISREG(info.st_mode)) return base::fail(ErrorCode::invalid, "input: not a regular file");
  if (info.st_size == 0) return base::fail(ErrorCode::invalid, "input: the file is empty");
  input.info_.bytes = info.st_size;

  auto* buffer = static_cast<std::uint8_t*>(av_malloc(kBufferBytes));
  file.io = buffer != nullptr ? avio_alloc_context(buffer, kBufferBytes, 0, &file, &File::read, nullptr, &File::seek) : nullptr;
  AVFormatContext* format = avformat_alloc_context();
  if (file.io == nullptr || format == nullptr) {
    if (file.io == nullptr) av_free(buffer);
    avformat_free_context(format);
    return base::fail(ErrorCode::internal, "input: out of memory");
  }
  format->pb = file.io;
  format->flags |= AVFMT_FLAG_CUSTOM_IO;
  format->io_open = &refuse_open;
  format->probesize = std::clamp<std::int64_t>(limits.max_probe_bytes, 1 << 16, kMaxProbeBytes);
  format->max_analyze_duration = kMaxProbeSeconds * AV_TIME_BASE;
  AvOptions options;
  options.set("format_whitelist", kDemuxers);
  options.set("protocol_whitelist", "file");
  // "" as the name: a demuxer must be chosen by the bytes, never by what the file is called.
  if (const int code = avformat_open_input(&format, "", nullptr, options.get()); code < 0) {
    // FFmpeg freed the context. A demuxer outside the list answers EINVAL like broken bytes do.
    return base::fail(code == AVERROR(ENOMEM) ? ErrorCode::invalid : av_failure(code, "").code, av_failure(code, "input").message);
  }
  input.format_ = format;
  // Before the streams' packets are looked at: their number alone may be an attack. (FFmpeg itself stops at 1000.)
  if (format->nb_streams > static_cast<unsigned>(limits.max_streams))
    return base::fail(ErrorCode::too_large, "input: more than " + std::to_string(limits.max_streams) + " streams");
  if (const int code = avformat_find_stream_info(format, nullptr); code < 0) return av_fail(code, "input: no stream can be read");
  KINORA_OK(input.describe(limits));
  return input;
}

base::Status Input::describe(const Limits& limits) {
  if (format_->nb_streams == 0) return base::fail(ErrorCode::invalid, "input: no streams");
  if (static_cast<int>(format_->nb_streams) > limits.max_streams)
    return base::fail(ErrorCode::too_large, "input: more than " + std::to_string(limits.max_streams) + " streams");
  const std::int64_t bytes = info_.bytes;
  info_ = describe_media(*format_);
  info_.bytes = bytes;
  if (info_.duration_s > limits.max_duration_s)
    return base::fail(ErrorCode::too_large,
                      "input: longer than " + std::to_string(static_cast<std::int64_t>(limits.max_duration_s)) + " s");
  for (const StreamInfo& stream : info_.streams) {
    const std::int64_t pixels = static_cast<std::int64_t>(stream.width) * stream.height;
    if (pixels > std::min(limits.max_pixels, kMaxPixels) || std::max(stream.width, stream.height) > kMaxSide)
      return base::fail(ErrorCode::too_large, "input: pictures of " + std::to_string(stream.width) + "x" + std::to_string(stream.height));
  }
  return {};
}

bool Input::read(AVPacket& packet) {
  av_packet_unref(&packet);
  // A demuxer may report damage and find its way again; a stream of errors without end must end.
  constexpr int kMaxErrorsInARow = 1000;
  for (int errors = 0; errors < kMaxErrorsInARow; ++errors) {
    const int code = av_read_frame(format_, &packet);
    if (code >= 0) return true;
    if (code != AVERROR_INVALIDDATA && code != AVERROR(EAGAIN)) return false;
  }
  return false;
}

void Input::keep_only(int stream) {
  for (unsigned i = 0; i < format_->nb_streams; ++i)
    if (static_cast<int>(i) != stream) format_->streams[i]->discard = AVDISCARD_ALL;
}

base::Result<Av<AVCodecContext>> open_decoder(const AVStream& stream, int threads, const Limits& limits, bool mid_stream,
                                              bool motion_vectors) {
  const AVCodec* codec = avcodec_find_decoder(stream.codecpar->codec_id);
  if (codec == nullptr) {
    char tag[AV_FOURCC_MAX_STRING_SIZE] = {};
    av_fourcc_make_string(tag, stream.codecpar->codec_tag);
    const char* name = stream.codecpar->codec_id != AV_CODEC_ID_NONE ? avcodec_get_name(stream.codecpar->codec_id) : tag;
    return base::fail(ErrorCode::unsupported, std::string("no decoder for this file's codec ") + name);
  }
  Av<AVCodecContext> decoder(avcodec_alloc_context3(codec));
  if (!decoder) return base::fail(ErrorCode::internal, "out of memory for a decoder");
  if (const int code = avcodec_parameters_to_context(decoder.get(), stream.codecpar); code < 0) return av_fail(code, "decoder");
  if (mid_stream) decoder->flags |= AV_CODEC_FLAG_OUTPUT_CORRUPT;
  if (motion_vectors) {
    decoder->export_side_data |= AV_CODEC_EXPORT_DATA_MVS;
    decoder->thread_type = FF_THREAD_SLICE;  // with a thread a picture, vectors are handed out that are not all written yet
  }
  decoder->pkt_timebase = stream.time_base;
  decoder->max_pixels = std::min(limits.max_pixels, kMaxPixels);
  decoder->thread_count = std::clamp(threads, 0, kMaxThreads);  // 0: FFmpeg's own choice
  if (const int code = avcodec_open2(decoder.get(), codec, nullptr); code < 0) return av_fail(code, "decoder");
  return decoder;
}

}  // namespace kinora::media
