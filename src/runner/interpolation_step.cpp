#include "runner/interpolation_step.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "media/still_parts.hpp"

namespace kinora::runner {
namespace {

using base::ErrorCode;

// Pictures a second that come out; unknown: 0.
media::Rational new_rate(const NewRate& rate, media::Rational source) {
  if (const auto* target = std::get_if<TargetRate>(&rate)) return target->rate;
  return source.known() ? media::Rational{source.num * std::get<Factor>(rate).factor, source.den} : source;
}

void stamp(StepPicture& picture) {
  picture.frame.set_pts(picture.pts);
  picture.frame.set_duration_ticks(picture.duration_ticks);
}

}  // namespace

base::Result<Look> InterpolationStep::begin(const Look& in) {
  if (how_.ensemble && !network_.ensembles()) return base::fail(ErrorCode::conflict, "this network has no ensemble (RIFE 4.6 has one)");
  const auto needed = network_.memory_needed(in.width, in.height);
  if (how_.memory_bytes != 0 && needed > how_.memory_bytes)
    return base::fail(ErrorCode::exhausted, "pictures of " + std::to_string(in.width) + "x" + std::to_string(in.height) + " need about " +
                                                std::to_string(needed >> 20) + " MiB, there are " +
                                                std::to_string(how_.memory_bytes >> 20));
  in_ = out_ = in;
  out_.width += in.width % 2;
  out_.height += in.height % 2;
  options_ = {.scale = how_.flow_scale.value_or(std::max(out_.width, out_.height) >= kLargeSide ? 0.5 : 1.0), .ensemble = how_.ensemble};
  timeline_.emplace(in.clock, origin_pts_, how_.rate);
  out_.clock = timeline_->clock();
  out_.rate = new_rate(how_.rate, in.rate);
  out_.frames = std::min(in.frames * timeline_->growth(in.rate), 1e12);
  const double nominal_ticks = in.rate.known() ? 1 / (in.rate.value() * in.clock.value()) : 0;
  walk_.emplace(*timeline_, nominal_ticks, how_.keep_repeats, network_);
  return out_;
}

base::Status InterpolationStep::read(StepPicture& picture) {
  picture.rgb = read_.take(picture_bytes(out_.type(), out_.width, out_.height));
  auto view = view_of(picture.rgb, out_.type(), out_.width, out_.height);
  view.row_stride = (out_.type() == models::SampleType::packed_u8 ? 3 : 1) * out_.width;
  view.plane_stride = view.row_stride * out_.height;
  view.width = in_.width;
  view.height = in_.height;
  KINORA_OK(to_rgb_.to_rgb(picture.frame, view));
  return in_.width == out_.width && in_.height == out_.height ? base::Status() : make_even(picture);
}

// The last column and row once more, in the picture for the network and in the one that is shown.
base::Status InterpolationStep::make_even(StepPicture& picture) {
  const auto repeat = [&](std::size_t pixel_bytes, std::size_t plane) {
    const std::size_t row = static_cast<std::size_t>(out_.width) * pixel_bytes;
    std::uint8_t* first = picture.rgb.data() + plane * row * static_cast<std::size_t>(out_.height);
    for (int y = 0; y < in_.height && in_.width < out_.width; ++y) {
      std::uint8_t* end = first + static_cast<std::size_t>(y + 1) * row;
      std::copy(end - 2 * pixel_bytes, end - pixel_bytes, end - pixel_bytes);
    }
    if (in_.height < out_.height) {
      std::uint8_t* last = first + static_cast<std::size_t>(in_.height) * row;
      std::copy(last - row, last, last);
    }
  };
  if (out_.type() == models::SampleType::packed_u8)
    repeat(3, 0);
  else
    for (std::size_t plane = 0; plane < 3; ++plane) repeat(2, plane);
  KINORA_TRY(picture.frame, to_frame(picture.rgb, to_even_));
  stamp(picture);
  return {};
}

base::Result<media::Frame> InterpolationStep::to_frame(Buffer& rgb, media::RgbConverter& converter) const {
  KINORA_TRY(auto frame,
             converter.to_frame(view_of(rgb, out_.type(), out_.width, out_.height), out_.format(), out_.color, in_.width, in_.height));
  frame.set_sample_aspect(out_.sample_aspect);
  return frame;
}

base::Status InterpolationStep::show(const InterpolationWalk::Picture& picture, const Emit& emit) {
  StepPicture out{.pts = {picture.shown.pts, out_.clock}, .duration_ticks = picture.shown.duration};
  if (joint_ && media::compare(out.pts, *joint_) >= 0) {
    out.joint = true;
    joint_.reset();
  }
  if (picture.source != nullptr) {
    out.frame = picture.source->frame;
    stamp(out);
  } else {
    out.rgb = between_.take(picture_bytes(out_.type(), out_.width, out_.height));
    network_.between(*picture.a->prepared, *picture.b->prepared, picture.t, options_, out_.type(), out.rgb.data());
    out.between = {.before = picture.a->frame, .after = picture.b->frame, .t = picture.t};
    ++made_;
  }
  return emit(std::move(out));
}

base::Status InterpolationStep::add(StepPicture picture, const Emit& emit) {
  if (picture.joint) joint_ = picture.pts;
  const models::Picture rgb{.data = picture.rgb.data(), .type = out_.type(), .width = out_.width, .height = out_.height};
  InterpolationWalk::Source source{.frame = std::move(picture.frame), .prepared = network_.prepare(rgb, options_)};
  read_.give_back(std::move(picture.rgb));
  return walk_->add(std::move(source), picture.beyond, [&](const auto& shown) { return show(shown, emit); });
}

base::Status InterpolationStep::finish(const Emit& emit) {
  return walk_->finish([&](const auto& shown) { return show(shown, emit); });
}

base::Status InterpolationStep::write(StepPicture& picture) {
  if (picture.frame) return {};  // a source picture
  KINORA_TRY(picture.frame, to_frame(picture.rgb, to_frame_));
  between_.give_back(std::move(picture.rgb));
  picture.rgb = {};
  KINORA_OK(media::keep_still_parts(picture.frame, picture.between->before, picture.between->after, picture.between->t));
  picture.between.reset();
  stamp(picture);
  return {};
}

InterpolationCounts InterpolationStep::counts() const { return {.made = made_, .cuts = walk_->cuts(), .repeats = walk_->repeats()}; }

}  // namespace kinora::runner
