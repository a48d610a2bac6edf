#pragma once
// SRVGG through LibTorch's operators, channels-last: every device, and the reference that other ways are measured against.
// The convolutions run in `dtype`; scaling, the final addition and rounding in float32.
#include <c10/core/Device.h>

#include "models/esrgan/srvgg_load.hpp"
#include "models/upscaler.hpp"

namespace kinora::models::esrgan {

// Work of one call of the network on the CPU, in multiply-accumulates: well under a second, so that a watch is asked in time.
inline constexpr std::int64_t kMaxCallMacs = 50'000'000'000;

class SrvggAten final : public Upscaler {
 public:
  // The configuration must have 3 channels. memory_bytes bounds the activations: larger pictures run in tiles.
  SrvggAten(const SrvggModel& model, c10::Device device, at::ScalarType dtype, std::uint64_t memory_bytes);
  std::int64_t scale() const override { return config_.upscale; }
  std::string description() const override;
  using Upscaler::upscale;
  void upscale(const Picture& in, void* out, const Watch& watch) override;

  // Bytes of activations that one input pixel needs at the widest point.
  std::int64_t bytes_per_pixel() const;

 private:
  at::Tensor body(const at::Tensor& x) const;
  at::Tensor enlarge(const at::Tensor& rgb) const;  // [1, 3, H, W] float32 0..1 -> [1, 3, H*s, W*s] float32

  SrvggConfig config_;
  nn::TensorMap weights_;
  std::vector<std::vector<float>> slopes_;  // of each PReLU, for the processor's own kernel; empty: LibTorch's operator
  c10::Device device_;
  at::ScalarType dtype_;
  std::int64_t max_pixels_;
};

}  // namespace kinora::models::esrgan
