#pragma once
// The network, and after it a resampling when the wanted scale is not the network's own or the sides must be even.
#include "models/upscaler.hpp"
#include "runner/picture_buffer.hpp"

namespace kinora::runner {

class Enlarger {
 public:
  // even: sides of the result are rounded up to even (4:2:0 video).
  Enlarger(models::Upscaler& upscaler, int scale, bool even) : upscaler_(upscaler), scale_(scale), even_(even) {}

  std::int64_t target(std::int64_t side) const {
    const std::int64_t wanted = side * scale_;
    return even_ ? (wanted + 1) / 2 * 2 : wanted;
  }
  // `out` holds picture_bytes(in.type, target(in.width), target(in.height)).
  void run(const models::Picture& in, Buffer& out, const models::Watch& watch = {});

 private:
  models::Upscaler& upscaler_;
  int scale_;
  bool even_;
  Buffer between_;
};

}  // namespace kinora::runner
