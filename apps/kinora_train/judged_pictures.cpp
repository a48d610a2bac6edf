#include "kinora_train/judged_pictures.hpp"

#include "kinora_train/error.hpp"
#include "kinora_train/pictures.hpp"
#include "kinora_train/scaler.hpp"
#include "media/video_reader.hpp"

namespace kinora::train {
namespace {

constexpr int kMinSide = 32;
constexpr std::int64_t kStartDivisor = 3;

}  // namespace

std::vector<media::Frame> read_judged_pictures(const Source& source, int count, int multiple) {
  std::vector<media::Frame> pictures;
  const auto add = [&](const media::Frame& frame) {
    const int width = frame.width() / multiple * multiple;
    const int height = frame.height() / multiple * multiple;
    if (width < kMinSide || height < kMinSide) throw Failure("smaller than 32 x 32");
    const bool plain = frame.pixel_format() == "yuv420p";
    pictures.push_back(cropped(plain ? frame : resized(frame, frame.width(), frame.height(), Kernel::bicubic), width, height));
  };
  if (source.kind == SourceKind::photo) {
    // A photo becomes what a video of it would be: 4:2:0, limited range.
    const at::Tensor rgb = load_photo(source.path);
    add(frame_of(rgb, {}));
    return pictures;
  }
  media::VideoReaderOptions options;
  options.threads = 1;
  const double length = take(media::probe(source.path.string())).duration_s;
  options.start = media::Timestamp{static_cast<std::int64_t>(length * 1000) / kStartDivisor, {1, 1000}};
  options.seek = true;
  media::VideoReader reader = take(media::VideoReader::open(source.path.string(), options));
  while (static_cast<int>(pictures.size()) < count) {
    const auto frame = take(reader.next());
    if (!frame) break;
    add(*frame);
  }
  if (pictures.empty()) throw Failure("no picture after a third of the clip");
  return pictures;
}

}  // namespace kinora::train
