#pragma once
// The network, and after it a resampling when the wanted scale is not the network's own or the sides must be even.
#include <algorithm>

#include "models/upscaler.hpp"
#include "runner/picture_buffer.hpp"

namespace kinora::runner {

class Enlarger {
 public:
  // even: sides of the result are rounded up to even (4:2:0 video).
  Enlarger(models::Upscaler& upscaler, double scale, bool even) : upscaler_(upscaler), scale_(scale), even_(even) {}

  std::int64_t target(std::int64_t side) const {
    // A part of a pixel is left out, but not what binary fractions lose of 1.1 * 10.
    const auto wanted = std::max<std::int64_t>(static_cast<std::int64_t>(static_cast<double>(side) * scale_ + 1e-6), 1);
    return even_ ? (wanted + 1) / 2 * 2 : wanted;
  }
  // `out` holds picture_bytes(in.type, target(in.width), target(in.height)).
  void run(const models::Picture& in, Buffer& out, const models::Watch& watch = {});

 private:
  models::Upscaler& upscaler_;
  double scale_;
  bool even_;
  Buffer between_;
};

}  // namespace kinora::runner
