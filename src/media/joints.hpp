#pragma once
// Where a video may be cut for several workers, as far as that follows from its pictures alone: work that carries something from picture
// to picture begins anew there in a whole video too, so that chunks give the same.
//
// At a key frame behind another picture. Key frames in a row, as of a video of nothing else, would leave nothing to carry: they are joints
// only where a new stretch of time begins on the clock. cut.hpp moves clocks by whole stretches.
#include <cstdint>
#include <optional>

#include "media/rational.hpp"

namespace kinora::media {

class Joints {
 public:
  static constexpr std::int64_t kStretchSeconds = 2;

  // clock: of the times.
  explicit Joints(Rational clock) : clock_(clock) {}
  // The next picture, in the order of times. True: a chunk may begin with it; never for the first.
  bool next(std::int64_t pts, bool key);

 private:
  struct Picture {
    std::int64_t stretch;
    bool key;
  };
  Rational clock_;
  std::optional<Picture> before_;
};

}  // namespace kinora::media
