#pragma once
// One encoded track made of stretches of other files' sound, placed on the output's clock to the sample: one after another, over one
// another (they add), faded. Where nothing lies there is silence. Inside this room only.
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "media/pcm.hpp"

namespace kinora::media {

// Seconds on the output's clock, but for start_s: seconds into the file.
struct SoundClip {
  std::string path;
  double start_s = 0;
  double begin_s = 0, end_s = 0;
  double fade_in_s = 0, fade_out_s = 0;  // linear
};

class Soundtrack {
 public:
  // Clips ordered by begin_s; those without sound are silence. Shape: the first clip's with sound, at a rate that AAC has. nullopt: no
  // clip has sound.
  static base::Result<std::optional<Soundtrack>> open(std::vector<SoundClip> clips, double length_s, const PcmCodec& codec,
                                                      const Limits& limits);
  const AVCodecContext& encoder() const { return encoder_.context(); }
  // Gives the packets up to this time of the output, at most to its length.
  base::Status advance(double until_s, const PacketSink& sink);
  base::Status finish(const PacketSink& sink);

 private:
  struct Placed {
    SoundClip clip;
    std::int64_t begin = 0, end = 0, fade_in = 0, fade_out = 0;  // samples
    std::optional<PcmReader> reader;
    bool opened = false;
  };
  Soundtrack(PcmEncoder encoder, PcmShape shape) : encoder_(std::move(encoder)), shape_(shape) {}
  base::Status mix(Placed& placed, std::int64_t from, std::size_t samples);

  PcmEncoder encoder_;
  PcmShape shape_;
  Limits limits_;
  std::deque<Placed> placed_;
  std::int64_t position_ = 0, length_ = 0;
  std::vector<float> mixed_, read_;
};

}  // namespace kinora::media
