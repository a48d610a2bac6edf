#include "runner/upscale_step.hpp"

#include <algorithm>
#include <utility>

#include "media/limits.hpp"

namespace kinora::runner {
namespace {

using base::ErrorCode;

std::unique_ptr<models::fast::FastUpscaler> accelerated_by(Upscaling::Accelerate accelerate, models::Upscaler& network) {
  if (accelerate == Upscaling::Accelerate::off) return nullptr;
  const auto mode = accelerate == Upscaling::Accelerate::fast ? models::fast::Mode::always : models::fast::Mode::when_it_pays;
  return std::make_unique<models::fast::FastUpscaler>(network, mode);
}

// A player judges untagged colours by size. When the larger picture would be judged otherwise than the source, the tag says it.
media::ColorTags enlarged_color(const Look& in, int width, int height) {
  media::ColorTags tags = in.color;
  const int source = media::effective_matrix(tags, in.width, in.height);
  if (tags.matrix == 2 && media::effective_matrix(tags, width, height) != source) tags.matrix = source;
  return tags;
}

}  // namespace

UpscaleStep::UpscaleStep(const Upscaling& how, models::Upscaler& network, models::Watch watch)
    : fast_(accelerated_by(how.accelerate, network)),
      enlarger_(fast_ ? *fast_ : network, how.scale, /*even=*/true),
      watch_(std::move(watch)) {}

base::Result<Look> UpscaleStep::begin(const Look& in) {
  in_ = out_ = in;
  out_.width = static_cast<int>(enlarger_.target(in.width));
  out_.height = static_cast<int>(enlarger_.target(in.height));
  if (std::max(out_.width, out_.height) > media::kMaxMadeSide)
    return base::fail(ErrorCode::too_large, "the enlarged picture would be too large");
  out_.color = enlarged_color(in, out_.width, out_.height);
  return out_;
}

base::Status UpscaleStep::read(StepPicture& picture) {
  picture.rgb = small_.take(picture_bytes(in_.type(), in_.width, in_.height));
  return to_rgb_.to_rgb(picture.frame, view_of(picture.rgb, in_.type(), in_.width, in_.height));
}

base::Status UpscaleStep::add(StepPicture picture, const Emit& emit) {
  Buffer small = std::exchange(picture.rgb, large_.take(picture_bytes(out_.type(), out_.width, out_.height)));
  picture.frame = {};
  if (fast_) {
    if (picture.joint) fast_->restart();  // so that a chunk's pictures are the whole video's
    fast_->hint(std::move(picture.motion));
  }
  try {
    enlarger_.run({.data = small.data(), .type = in_.type(), .width = in_.width, .height = in_.height}, picture.rgb,
                  [this](double part) { return watch_(in_.frames > 0 ? std::min((added_ + part) / in_.frames, 1.0) : 0); });
  } catch (const models::Stopped&) {
    return base::fail(ErrorCode::canceled, "canceled");
  }
  ++added_;
  small_.give_back(std::move(small));
  return emit(std::move(picture));
}

base::Status UpscaleStep::finish(const Emit&) { return {}; }

base::Status UpscaleStep::write(StepPicture& picture) {
  KINORA_TRY(picture.frame, to_frame_.to_frame(view_of(picture.rgb, out_.type(), out_.width, out_.height), out_.format(), out_.color,
                                               in_.width, in_.height));
  large_.give_back(std::move(picture.rgb));
  picture.rgb = {};
  picture.frame.set_sample_aspect(out_.sample_aspect);
  picture.frame.set_pts(picture.pts);
  picture.frame.set_duration_ticks(picture.duration_ticks);
  return {};
}

std::optional<models::fast::Counts> UpscaleStep::accelerated() const { return fast_ ? std::optional(fast_->counts()) : std::nullopt; }

}  // namespace kinora::runner
