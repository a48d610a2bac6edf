#pragma once
// RRDBNet, the large Real-ESRGAN and ESRGAN network: residual-in-residual dense blocks at low resolution, then nearest-neighbour
// enlargements with convolutions (xinntao/Real-ESRGAN, BasicSR rrdbnet_arch; keys and shapes: docs/models.md). Immutable, any thread.
#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "nn/layers.hpp"
#include "nn/weight_check.hpp"

namespace kinora::models::esrgan {

struct RrdbConfig {
  std::int64_t channels = 3;      // of pictures, 1..16
  std::int64_t unshuffle = 1;     // 1, 2, 4: the input's pixels are first folded into channels by so much a side
  std::int64_t num_feat = 64;     // 1..1024
  std::int64_t num_block = 23;    // 1..128
  std::int64_t num_grow_ch = 32;  // 1..1024
  std::int64_t upsamplings = 2;   // doublings after the trunk, 0..3

  // Of each side; 1 to 8. Published: 4 (no unshuffle), 2 (unshuffle 2), 1 (unshuffle 4).
  std::int64_t scale() const { return (std::int64_t{1} << upsamplings) / unshuffle; }
  std::int64_t macs_per_pixel() const;                             // multiply-accumulates, an input pixel
  std::int64_t bytes_per_pixel(std::int64_t element_bytes) const;  // activations at the widest point, an input pixel
  friend bool operator==(const RrdbConfig&, const RrdbConfig&) = default;
};

// Reads the sizes back from the shapes of a checkpoint in Real-ESRGAN's names (rrdb_names.hpp). `unshuffle` cannot always be told
// from channels: 3, 12 and 48 input channels are taken for folded pictures of 3. Throws nn::LoadError. file is for the message.
RrdbConfig infer_rrdb_config(const nn::WeightShapes& shapes, std::string_view file);

inline constexpr const char* kRrdbArchitecture = "RRDBNet";

// Name and shape of every weight.
nn::WeightShapes rrdb_shapes(const RrdbConfig& config);

class RrdbNet {
 public:
  RrdbNet(const RrdbConfig& config, const nn::Weights& w);
  // x: [B, channels, H, W], values in 0..1 (not checked), H and W multiples of unshuffle -> [B, channels, H s, W s], not clamped.
  at::Tensor forward(const at::Tensor& x) const;
  // Any sides: reflected at the right and bottom to a multiple first (repeated where the picture is smaller than that), cropped after.
  at::Tensor forward_any(const at::Tensor& x) const;
  const RrdbConfig& config() const { return config_; }

 private:
  struct DenseBlock {
    DenseBlock(const nn::Weights& w, std::int64_t features, std::int64_t growth);
    at::Tensor operator()(const at::Tensor& x) const;
    std::array<nn::Conv2d, 5> conv;
  };

  RrdbConfig config_;
  nn::Conv2d first_, trunk_, hr_, last_;
  std::vector<std::array<DenseBlock, 3>> body_;
  std::vector<nn::Conv2d> up_;
};

}  // namespace kinora::models::esrgan
