#include "runner/video_extend.hpp"

#include <algorithm>
#include <cmath>

#include "media/rgb.hpp"
#include "media/video_reader.hpp"
#include "media/video_writer.hpp"

namespace kinora::runner {
namespace {

using base::ErrorCode;

constexpr double kUnknownRate = 16;  // frames a second of a source that tells none

double rate_of(const media::VideoReader& reader) {
  const auto& stream = reader.stream();
  const auto rate = stream.average_rate.known() ? stream.average_rate : stream.frame_rate;
  return rate.known() && rate.value() > 0 ? rate.value() : kUnknownRate;
}

media::RgbView view_of(models::RgbPicture& picture) {
  return {.data = picture.pixels.data(),
          .type = media::RgbType::packed_u8,
          .width = static_cast<int>(picture.width),
          .height = static_cast<int>(picture.height)};
}

models::RgbPicture blank(std::int64_t width, std::int64_t height) {
  return {.width = width, .height = height, .pixels = std::vector<std::uint8_t>(static_cast<std::size_t>(3 * width * height))};
}

// Pictures of any size as frames of one file.
class Joined {
 public:
  static base::Result<Joined> open(const TaskRequest& request, const models::RgbPicture& like, const media::VideoReader& source,
                                   const std::string& recipe, const media::Limits& limits) {
    media::VideoWriterOptions options;
    options.width = static_cast<int>(like.width);
    options.height = static_cast<int>(like.height);
    options.color = kColor;
    options.time_base = source.time_base();
    options.frame_rate = source.stream().average_rate;
    options.crf = request.params.at("crf").to_number<int>();
    options.preset = "medium";
    options.rotation = source.stream().rotation;
    options.comment = recipe;
    options.source = request.inputs.at("video");
    options.limits = limits;
    KINORA_TRY(auto writer, media::VideoWriter::open((request.output_dir / kName).string(), std::move(options)));
    return Joined(std::move(writer), source.time_base());
  }

  base::Status write(models::RgbPicture& picture, std::int64_t ticks, std::int64_t duration) {
    KINORA_TRY(auto frame, converter_.to_frame(view_of(picture), media::PixelFormat::yuv420p, kColor));
    frame.set_pts({ticks, base_});
    frame.set_duration_ticks(duration);
    return writer_.write(frame);
  }
  base::Status finish() { return writer_.finish(); }
  std::int64_t frames() const { return writer_.frames_written(); }

  static constexpr const char* kName = "video.mp4";

 private:
  Joined(media::VideoWriter writer, media::Rational base) : writer_(std::move(writer)), base_(base) {}
  static constexpr media::ColorTags kColor{.primaries = 1, .transfer = 1, .matrix = 1, .range = media::ColorRange::limited};

  media::VideoWriter writer_;
  media::Rational base_;
  media::RgbConverter converter_;
};

}  // namespace

base::Status continue_from(const std::string& source, const models::PipelineInfo& model, const media::Limits& limits,
                           models::GenerationRequest& wanted) {
  KINORA_TRY(auto reader, media::VideoReader::open(source, {.start = {}, .end = {}, .limits = limits}));
  KINORA_TRY(auto frame, reader.next());
  if (!frame) return base::fail(ErrorCode::invalid, "the video holds no picture");
  for (;;) {
    KINORA_TRY(auto next, reader.next());
    if (!next) break;
    frame = std::move(next);
  }
  const auto fitted = [&](std::int64_t side) { return std::max<std::int64_t>(side / model.size_multiple, 1) * model.size_multiple; };
  if (!wanted.width) wanted.width = fitted(frame->width());
  if (!wanted.height) wanted.height = fitted(frame->height());
  if (!wanted.fps) wanted.fps = std::clamp<std::int64_t>(std::llround(rate_of(reader)), 1, 120);
  wanted.picture = blank(frame->width(), frame->height());
  media::RgbConverter converter;
  return converter.to_rgb(*frame, view_of(*wanted.picture));
}

base::Result<Generated> write_continued(const models::GenerationResult& result, const TaskRequest& request, const std::string& recipe,
                                        const media::Limits& limits) {
  if (result.pictures.size() < 2) return base::fail(ErrorCode::internal, "the model made no further frame");
  KINORA_TRY(auto reader, media::VideoReader::open(request.inputs.at("video"), {.start = {}, .end = {}, .limits = limits}));
  auto picture = blank(result.pictures.front().width, result.pictures.front().height);
  KINORA_TRY(auto joined, Joined::open(request, picture, reader, recipe, limits));
  // How long a frame is shown, on the source's clock.
  const double step = std::max(1.0, 1.0 / (rate_of(reader) * reader.time_base().value()));
  media::RgbConverter converter;
  std::int64_t last = 0;
  for (;;) {
    KINORA_TRY(auto frame, reader.next());
    if (!frame) break;
    KINORA_OK(converter.to_rgb_scaled(*frame, view_of(picture)));
    last = frame->pts().ticks;
    KINORA_OK(joined.write(picture, last, frame->duration_ticks()));
  }
  for (std::size_t i = 1; i < result.pictures.size(); ++i) {
    picture.pixels = result.pictures[i].pixels;
    KINORA_OK(joined.write(picture, last + std::llround(static_cast<double>(i) * step), std::llround(step)));
  }
  KINORA_OK(joined.finish());
  return Generated{.files = {{.slot = "video", .name = Joined::kName, .mime = "video/mp4"}},
                   .seeds = result.seeds,
                   .width = picture.width,
                   .height = picture.height,
                   .frames = joined.frames(),
                   .fps = result.fps};
}

}  // namespace kinora::runner
