#include "media/soundtrack.hpp"

#include <algorithm>
#include <cmath>

namespace kinora::media {
namespace {

constexpr std::int64_t kBlock = 1024;
constexpr int kMaxChannels = 8;  // AAC's

}  // namespace

base::Result<std::optional<Soundtrack>> Soundtrack::open(std::vector<SoundClip> clips, double length_s, const PcmCodec& codec,
                                                         const Limits& limits) {
  std::optional<PcmShape> shape;
  std::string last;
  for (const SoundClip& clip : clips) {
    if (shape) break;
    if (clip.path == last) continue;  // a loop names one file often
    last = clip.path;
    KINORA_TRY(const MediaInfo info, probe(clip.path, limits));
    if (const StreamInfo* sound = sound_of(info); sound != nullptr)
      shape = PcmShape{PcmEncoder::fitting_rate(codec.encoder, sound->sample_rate), std::min(sound->channels, kMaxChannels)};
  }
  if (!shape) return std::nullopt;
  KINORA_TRY(PcmEncoder encoder, PcmEncoder::open(codec, *shape));
  Soundtrack track(std::move(encoder), *shape);
  track.limits_ = limits;
  const auto samples = [&shape](double seconds) { return std::llround(seconds * shape->rate); };
  track.length_ = samples(length_s);
  for (SoundClip& clip : clips) {
    Placed placed;
    placed.begin = samples(clip.begin_s);
    placed.end = std::min<std::int64_t>(samples(clip.end_s), track.length_);
    placed.fade_in = samples(clip.fade_in_s);
    placed.fade_out = samples(clip.fade_out_s);
    placed.clip = std::move(clip);
    track.placed_.push_back(std::move(placed));
  }
  return track;
}

base::Status Soundtrack::mix(Placed& placed, std::int64_t from, std::size_t samples) {
  if (!placed.opened) {
    placed.opened = true;
    KINORA_TRY(const MediaInfo info, probe(placed.clip.path, limits_));
    if (sound_of(info) != nullptr) {
      const double skipped = static_cast<double>(from - placed.begin) / shape_.rate;
      KINORA_TRY(placed.reader, PcmReader::open(placed.clip.path, placed.clip.start_s + skipped, shape_, limits_));
    }
  }
  if (!placed.reader) return {};
  const auto channels = static_cast<std::size_t>(shape_.channels);
  read_.resize(samples * channels);
  KINORA_TRY(const std::size_t got, placed.reader->read(read_.data(), samples));
  for (std::size_t i = 0; i < got; ++i) {
    const auto at = static_cast<double>(from + static_cast<std::int64_t>(i));
    double gain = 1;
    if (placed.fade_in > 0) gain = std::min(gain, (at - static_cast<double>(placed.begin)) / static_cast<double>(placed.fade_in));
    if (placed.fade_out > 0) gain = std::min(gain, (static_cast<double>(placed.end) - at) / static_cast<double>(placed.fade_out));
    for (std::size_t c = 0; c < channels; ++c)
      mixed_[i * channels + c] += read_[i * channels + c] * static_cast<float>(std::clamp(gain, 0.0, 1.0));
  }
  return {};
}

base::Status Soundtrack::advance(double until_s, const PacketSink& sink) {
  const auto until = static_cast<std::int64_t>(std::min(until_s * shape_.rate, static_cast<double>(length_)));
  const auto channels = static_cast<std::size_t>(shape_.channels);
  while (position_ < until) {
    while (!placed_.empty() && placed_.front().end <= position_) placed_.pop_front();
    // A block lies on one side of every begin and end.
    std::int64_t end = std::min(position_ + kBlock, until);
    for (const Placed& placed : placed_) {
      if (placed.begin > position_) end = std::min(end, placed.begin);
      if (placed.end > position_) end = std::min(end, placed.end);
    }
    const auto samples = static_cast<std::size_t>(end - position_);
    mixed_.assign(samples * channels, 0.0F);
    for (Placed& placed : placed_)
      if (placed.begin <= position_ && placed.end > position_) KINORA_OK(mix(placed, position_, samples));
    KINORA_OK(encoder_.push(mixed_.data(), samples, sink));
    position_ = end;
  }
  return {};
}

base::Status Soundtrack::finish(const PacketSink& sink) {
  KINORA_OK(advance(static_cast<double>(length_) / shape_.rate + 1, sink));
  return encoder_.flush(sink);
}

}  // namespace kinora::media
