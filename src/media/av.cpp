#include "media/av.hpp"

#include <cstdlib>
#include <cstring>
#include <mutex>

namespace kinora::media {

base::Error av_failure(int code, std::string_view doing) {
  using base::ErrorCode;
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(code, text, sizeof text);
  ErrorCode kind = ErrorCode::io;
  switch (code) {
    case AVERROR_INVALIDDATA:
    case AVERROR_EOF:
    case AVERROR_STREAM_NOT_FOUND:
    case AVERROR(EINVAL):
    case AVERROR(ERANGE):
    case AVERROR(EDOM): kind = ErrorCode::invalid; break;
    case AVERROR_DECODER_NOT_FOUND:
    case AVERROR_DEMUXER_NOT_FOUND:
    case AVERROR_ENCODER_NOT_FOUND:
    case AVERROR_MUXER_NOT_FOUND:
    case AVERROR_FILTER_NOT_FOUND:
    case AVERROR_PROTOCOL_NOT_FOUND:
    case AVERROR_PATCHWELCOME:
    case AVERROR(ENOSYS): kind = ErrorCode::unsupported; break;
    case AVERROR_EXIT: kind = ErrorCode::canceled; break;
    case AVERROR(ENOENT): kind = ErrorCode::not_found; break;
    case AVERROR(EFBIG): kind = ErrorCode::too_large; break;
    case AVERROR(ENOMEM):
    case AVERROR_BUG:
    case AVERROR_BUG2:
    case AVERROR_EXTERNAL: kind = ErrorCode::internal; break;
    default: break;
  }
  return {kind, std::string(doing) + ": " + text};
}

void quiet_logs() {
  static std::once_flag once;
  std::call_once(once, [] {
    const char* level = std::getenv("KINORA_FFMPEG_LOG");
    av_log_set_level(level != nullptr ? std::atoi(level) : AV_LOG_QUIET);
  });
}

namespace {
constexpr std::size_t kMatrixBytes = 9 * sizeof(std::int32_t);
}

#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
const std::int32_t* display_matrix(const AVStream& stream) {
  const AVPacketSideData* data =
      av_packet_side_data_get(stream.codecpar->coded_side_data, stream.codecpar->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
  return data != nullptr && data->size >= kMatrixBytes ? reinterpret_cast<const std::int32_t*>(data->data) : nullptr;
}
bool set_display_matrix(AVStream& stream, const std::int32_t (&matrix)[9]) {
  AVPacketSideData* data = av_packet_side_data_new(&stream.codecpar->coded_side_data, &stream.codecpar->nb_coded_side_data,
                                                   AV_PKT_DATA_DISPLAYMATRIX, kMatrixBytes, 0);
  if (data == nullptr) return false;
  std::memcpy(data->data, matrix, kMatrixBytes);
  return true;
}
#else
const std::int32_t* display_matrix(const AVStream& stream) {
  std::size_t size = 0;
  const std::uint8_t* data = av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
  return data != nullptr && size >= kMatrixBytes ? reinterpret_cast<const std::int32_t*>(data) : nullptr;
}
bool set_display_matrix(AVStream& stream, const std::int32_t (&matrix)[9]) {
  std::uint8_t* data = av_stream_new_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, kMatrixBytes);
  if (data == nullptr) return false;
  std::memcpy(data, matrix, kMatrixBytes);
  return true;
}
#endif

}  // namespace kinora::media
