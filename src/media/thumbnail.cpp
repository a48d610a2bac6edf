#include "media/thumbnail.hpp"

#include <algorithm>

#include "media/ladder.hpp"
#include "media/picture.hpp"
#include "media/prefilter.hpp"
#include "media/video_reader.hpp"

namespace kinora::media {
namespace {

using base::ErrorCode;

// The first frame at or after `at_s` (on the stream's clock), found from the key frame before; without a time the very first.
base::Result<std::optional<Frame>> frame_from(const std::string& path, std::optional<double> at_s, const ThumbnailOptions& options,
                                              StreamInfo& stream) {
  VideoReaderOptions reading;
  reading.limits = options.limits;
  constexpr std::int64_t kMicros = 1'000'000;
  if (at_s) {
    reading.seek = true;
    // Half a microsecond is lost in the numbers of most clocks.
    reading.start = Timestamp{static_cast<std::int64_t>(*at_s * kMicros) - 1, {1, kMicros}};
  }
  KINORA_TRY(VideoReader reader, VideoReader::open(path, reading));
  stream = reader.stream();
  return reader.next();
}

// Number `wanted` from 0, or, of -1, the last one.
base::Result<std::optional<Frame>> numbered_frame(const std::string& path, std::int64_t wanted, const ThumbnailOptions& options,
                                                  StreamInfo& stream) {
  VideoReaderOptions reading;
  reading.limits = options.limits;
  KINORA_TRY(VideoReader reader, VideoReader::open(path, reading));
  stream = reader.stream();
  std::optional<Frame> last;
  for (std::int64_t number = 0;; ++number) {
    KINORA_TRY(std::optional<Frame> frame, reader.next());
    if (!frame && wanted < 0) return last;
    if (!frame) return base::fail(ErrorCode::conflict, "the video has " + std::to_string(number) + " pictures only");
    if (number == wanted) return frame;
    last = std::move(frame);
  }
}

base::Status write(const Frame& frame, const StreamInfo& stream, const std::string& output, const ThumbnailOptions& options) {
  StreamInfo upright = stream;
  upright.interlaced = stream.interlaced || frame.interlaced();
  KINORA_TRY(Prefilter turn, Prefilter::make(upright, frame));
  Frame result;
  const Prefilter::Sink keep = [&](const Frame& f) -> base::Status {
    if (!result) result = f;
    return {};
  };
  KINORA_OK(turn.push(frame, keep));
  KINORA_OK(turn.flush(keep));
  if (!result) return base::fail(ErrorCode::internal, "the picture was lost in a filter");
  StreamInfo shape;
  shape.width = result.width();
  shape.height = result.height();
  shape.sample_aspect = result.sample_aspect();
  const int largest = display_size(shape).width;
  return write_image(output, result, options.type, options.quality, options.width > 0 ? std::min(options.width, largest) : 0);
}

}  // namespace

base::Status thumbnail(const std::string& path, const std::string& output, const ThumbnailOptions& options) {
  if (options.at_s && !(*options.at_s >= 0 && *options.at_s <= kMaxThumbnailSeconds))
    return base::fail(ErrorCode::invalid, "a thumbnail's time is 0 to 1000000 seconds");
  if (!(options.at_fraction >= 0 && options.at_fraction <= 1)) return base::fail(ErrorCode::invalid, "a thumbnail's place is 0 to 1");
  if (options.width < 0 || options.width > kMaxSide) return base::fail(ErrorCode::invalid, "a thumbnail's width is 0 to 16384");
  KINORA_TRY(const MediaInfo info, probe(path, options.limits));
  const StreamInfo* video = info.video();
  if (video == nullptr) {
    const StreamInfo* cover = info.first(StreamType::cover);
    if (cover == nullptr) return base::fail(ErrorCode::unsupported, "the file holds no picture");
    KINORA_TRY(const Frame frame, first_picture(path, cover->index, options.limits));
    return write(frame, *cover, output, options);
  }
  StreamInfo stream;
  if (options.frame) {
    KINORA_TRY(const std::optional<Frame> chosen, numbered_frame(path, *options.frame, options, stream));
    if (chosen) return write(*chosen, stream, output, options);
    return base::fail(ErrorCode::invalid, "the video holds no picture that can be decoded");
  }
  const double start = video->start_s.value_or(0);
  const double at = start + (options.at_s ? *options.at_s : options.at_fraction * info.duration_s);
  KINORA_TRY(std::optional<Frame> frame, frame_from(path, at > start ? std::optional(at) : std::nullopt, options, stream));
  if (!frame) {
    KINORA_TRY(frame, numbered_frame(path, -1, options, stream));
  }
  if (!frame) return base::fail(ErrorCode::invalid, "the video holds no picture that can be decoded");
  return write(*frame, stream, output, options);
}

}  // namespace kinora::media
