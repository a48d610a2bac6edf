#include "media/verify.hpp"

#include <algorithm>
#include <cstdlib>

#include "media/clarity.hpp"
#include "media/input.hpp"
#include "media/video_reader.hpp"

namespace kinora::media {
namespace {

using base::ErrorCode;

// How far a sample may lie from the first one of its plane in a picture "of one colour": coding leaves a step or two.
constexpr int kSameColour = 3;
constexpr int kEveryRow = 4;
constexpr std::size_t kSquare = 8;

bool is_blank(const Frame& frame) {
  const AVFrame& f = *frame.av();
  const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(f.format));
  if (format == nullptr) return false;
  for (int c = 0; c < format->nb_components; ++c) {
    const AVComponentDescriptor& component = format->comp[c];
    const bool chroma = c == 1 || c == 2;
    const int width = chroma ? AV_CEIL_RSHIFT(f.width, format->log2_chroma_w) : f.width;
    const int height = chroma ? AV_CEIL_RSHIFT(f.height, format->log2_chroma_h) : f.height;
    const int tolerance = kSameColour << (std::max(component.depth, 8) - 8);
    std::vector<std::uint16_t> row(static_cast<std::size_t>(width));
    int first = -1;
    for (int y = 0; y < height; y += kEveryRow) {
      av_read_image_line(row.data(), const_cast<const std::uint8_t**>(f.data), f.linesize, format, 0, y, c, width, 0);
      for (const int value : row) {
        if (first < 0) first = value;
        if (std::abs(value - first) > tolerance) return false;
      }
    }
  }
  return true;
}

// The luma (or first component) in means of squares of kSquare pixels, in 8-bit levels: noise and what an encoder adds vanish in them.
std::vector<float> sketch(const Frame& frame) {
  const AVFrame& f = *frame.av();
  const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(f.format));
  if (format == nullptr) return {};
  const auto width = static_cast<std::size_t>(f.width), height = static_cast<std::size_t>(f.height);
  const std::size_t across = (width + kSquare - 1) / kSquare;
  std::vector<float> squares(across * ((height + kSquare - 1) / kSquare));
  std::vector<std::uint16_t> row(width);
  for (std::size_t y = 0; y < height; y += kEveryRow) {
    av_read_image_line(row.data(), const_cast<const std::uint8_t**>(f.data), f.linesize, format, 0, static_cast<int>(y), 0, f.width, 0);
    const std::size_t rows = (std::min<std::size_t>(kSquare, height - y / kSquare * kSquare) + kEveryRow - 1) / kEveryRow;
    for (std::size_t x = 0; x < width; ++x) {
      const std::size_t columns = std::min<std::size_t>(kSquare, width - x / kSquare * kSquare);
      squares[y / kSquare * across + x / kSquare] += static_cast<float>(row[x]) / static_cast<float>(rows * columns);
    }
  }
  const auto step = static_cast<float>(1 << (std::max(format->comp[0].depth, 8) - 8));
  for (float& square : squares) square /= step;
  return squares;
}

double mean_difference(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return kMovesForSure;  // the picture's size changes
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
  return a.empty() ? 0 : sum / static_cast<double>(a.size());
}

// From the file's start to the end of the last packet of any sound or picture.
base::Result<double> extent(const std::string& path, const Limits& limits, const Control& control) {
  KINORA_TRY(Input input, Input::open(path, limits));
  PacketPtr packet(av_packet_alloc());
  if (!packet) return base::fail(ErrorCode::internal, "out of memory for a packet");
  double end = 0;
  while (input.read(*packet)) {
    if (control.stop.stop_requested()) return base::fail(ErrorCode::canceled, "canceled");
    const AVStream& stream = input.stream(packet->stream_index);
    const AVMediaType type = stream.codecpar->codec_type;
    if ((type != AVMEDIA_TYPE_VIDEO && type != AVMEDIA_TYPE_AUDIO) || packet->pts == AV_NOPTS_VALUE) continue;
    if ((packet->flags & AV_PKT_FLAG_DISCARD) != 0) continue;
    double duration = static_cast<double>(packet->duration) * av_q2d(stream.time_base);
    // MP4 with pictures out of order has no durations of packets: a picture stands for one of its rate then.
    if (packet->duration <= 0 && stream.avg_frame_rate.num > 0) duration = 1 / av_q2d(stream.avg_frame_rate);
    end = std::max(end, static_cast<double>(packet->pts) * av_q2d(stream.time_base) + duration - input.info().start_s);
  }
  return end;
}

}  // namespace

base::Result<Verified> verify(const std::string& path, const Limits& limits, const Control& control) {
  Verified result;
  KINORA_TRY(result.media, probe(path, limits));
  KINORA_TRY(result.duration_s, extent(path, limits, control));
  if (result.media.video() == nullptr) {
    result.blank = false;
    if (result.media.first(StreamType::audio) == nullptr)
      return base::fail(ErrorCode::unsupported, "the file has neither picture nor sound");
    return result;
  }
  VideoReaderOptions reading;
  reading.limits = limits;
  KINORA_TRY(VideoReader reader, VideoReader::open(path, reading));
  std::vector<float> first;
  Clarity clarity(reader.frames_expected());
  for (;;) {
    if (control.stop.stop_requested()) return base::fail(ErrorCode::canceled, "canceled");
    KINORA_TRY(const std::optional<Frame> frame, reader.next());
    if (!frame) break;
    if (first.empty())
      first = sketch(*frame);
    else if (result.movement < kMovesForSure)
      result.movement = std::max(result.movement, mean_difference(first, sketch(*frame)));
    clarity.add(*frame);
    result.width = frame->width();
    result.height = frame->height();
    result.blank = result.blank && is_blank(*frame);
    if (control.report) {
      const std::int64_t total = reader.frames_expected();
      const double fraction = total > 0 ? static_cast<double>(reader.frames_read()) / static_cast<double>(total) : 0;
      control.report({std::min(fraction, 0.999), reader.frames_read(), total});
    }
  }
  result.frames = reader.frames_read();
  result.damaged_frames = reader.damaged_frames();
  result.clarity = clarity.value();
  result.movement = std::min(result.movement, kMovesForSure);
  return result;
}

}  // namespace kinora::media
