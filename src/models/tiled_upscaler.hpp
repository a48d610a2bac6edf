#pragma once
// A network that enlarges pictures through LibTorch, run in tiles so that its activations stay within the memory given. What networks have
// in common: samples in and out, tiling, the check for NaN, the watch.
#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "models/upscaler.hpp"

namespace kinora::models {

// Work of one call of a network on the CPU, in multiply-accumulates: well under a second, so that a watch is asked in time.
inline constexpr std::int64_t kMaxCallMacs = 50'000'000'000;
// A tile keeps at least this many times its context on a side, however long a call takes then: smaller ones compute more than they keep.
inline constexpr std::int64_t kLeastKept = 6;

class TiledUpscaler : public Upscaler {
 public:
  using Upscaler::upscale;
  std::int64_t scale() const final { return tiling_.scale; }
  void upscale(const Picture& in, void* out, const Watch& watch) final;

 protected:
  struct Tiling {
    std::int64_t scale = 1;
    std::int64_t context = 0;          // pixels around each tile that are computed and thrown away; a multiple of `multiple`
    std::int64_t multiple = 1;         // tiles start at multiples of this
    std::int64_t bytes_per_pixel = 1;  // of activations, an input pixel
    std::int64_t macs_per_pixel = 1;   // multiply-accumulates, an input pixel
  };
  TiledUpscaler(const Tiling& tiling, c10::Device device, std::uint64_t memory_bytes);
  c10::Device device() const { return device_; }

 private:
  // [1, 3, H, W] float32 0..1 on the device -> [1, 3, H s, W s] float32, not clamped. Any H and W >= 1.
  virtual at::Tensor enlarge(const at::Tensor& rgb) const = 0;

  Tiling tiling_;
  c10::Device device_;
  std::int64_t max_pixels_;  // of a tile with its context
};

}  // namespace kinora::models
