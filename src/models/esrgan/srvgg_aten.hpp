#pragma once
// SRVGG through LibTorch's operators, channels-last: every device, and the reference that other ways are measured against.
// The convolutions run in `dtype`; scaling, the final addition and rounding in float32.
#include "models/esrgan/srvgg_load.hpp"
#include "models/tiled_upscaler.hpp"

namespace kinora::models::esrgan {

class SrvggAten final : public TiledUpscaler {
 public:
  // The configuration must have 3 channels. memory_bytes bounds the activations: larger pictures run in tiles.
  SrvggAten(SrvggModel model, c10::Device device, at::ScalarType dtype, std::uint64_t memory_bytes);
  std::string description() const override;
  bool set_denoise(double strength) override;

 private:
  at::Tensor body(const at::Tensor& x) const;
  at::Tensor enlarge(const at::Tensor& rgb) const override;

  SrvggModel model_;
  double denoise_ = -1;  // that weights_ are made for
  nn::TensorMap weights_;
  std::vector<std::vector<float>> slopes_;  // of each PReLU, for the processor's own kernel; empty: LibTorch's operator
  at::ScalarType dtype_;
};

// Bytes of activations that one input pixel needs at the widest point.
std::int64_t srvgg_bytes_per_pixel(const SrvggConfig& config, at::ScalarType dtype);

}  // namespace kinora::models::esrgan
