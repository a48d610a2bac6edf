#pragma once
// An RRDB network that enlarges pictures, channels-last in `dtype`; scaling and rounding in float32.
#include "models/esrgan/rrdb.hpp"
#include "models/tiled_upscaler.hpp"
#include "nn/tensor_map.hpp"

namespace kinora::models::esrgan {

// Context of a tile. The network sees further (5 pixels a dense block and more), but what is beyond weighs next to nothing in trained
// networks; computing it exactly would cost more than the picture.
inline constexpr std::int64_t kRrdbContext = 32;

class RrdbAten final : public TiledUpscaler {
 public:
  // The configuration must have 3 channels and the weights be those of it (nn::LoadError else).
  RrdbAten(const RrdbConfig& config, const nn::TensorMap& weights, c10::Device device, at::ScalarType dtype, std::uint64_t memory_bytes);
  std::string description() const override;

 private:
  at::Tensor enlarge(const at::Tensor& rgb) const override;

  at::ScalarType dtype_;
  RrdbNet net_;
};

}  // namespace kinora::models::esrgan
