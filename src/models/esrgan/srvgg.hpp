#pragma once
// SRVGGNetCompact, the compact Real-ESRGAN network: a flat stack of 3x3 convolutions at low resolution, then pixel shuffle, added to
// the nearest-neighbour enlargement of the input (xinntao/Real-ESRGAN srvgg_arch; keys and shapes: docs/models.md).
// The network is a pure function of its weights, so training (autograd) and inference share it. Holds no state, any thread.
#include <cstdint>
#include <string_view>

#include "nn/tensor_map.hpp"
#include "nn/weight_check.hpp"

namespace kinora::models::esrgan {

enum class Activation { prelu, relu, leaky_relu };  // leaky_relu: slope 0.1; only prelu has weights

struct SrvggConfig {
  std::int64_t num_in_ch = 3;   // 1..16
  std::int64_t num_out_ch = 3;  // equal to num_in_ch: the input is added to the output
  std::int64_t num_feat = 64;   // 1..1024
  std::int64_t num_conv = 16;   // hidden convolutions between first and last, 0..256
  std::int64_t upscale = 4;     // 1..8
  Activation act = Activation::prelu;

  // Pixels of context that an output pixel sees on each side: one a 3x3 convolution. Tiles overlapping by this equal the whole.
  std::int64_t receptive_radius() const { return num_conv + 2; }
  // Multiply-accumulates an input pixel.
  std::int64_t macs_per_pixel() const;
  friend bool operator==(const SrvggConfig&, const SrvggConfig&) = default;
};

// "prelu" | "relu" | "leakyrelu", as the architecture's own option is spelled. Throws nn::LoadError for others.
Activation activation_from_name(std::string_view name, std::string_view file);
std::string_view name(Activation act);

// Name and shape of every weight; the order is by name.
nn::WeightShapes srvgg_shapes(const SrvggConfig& config);

// Reads the channel and layer counts back from the shapes. A model without PReLU weights is taken for `act` (relu or leaky_relu).
// Throws nn::LoadError when the shapes are not those of this architecture. file is for the message.
SrvggConfig infer_srvgg_config(const nn::WeightShapes& shapes, std::string_view file, Activation act = Activation::relu);

// x: [B, num_in_ch, H, W], values in 0..1 (not checked) -> [B, num_out_ch, H*s, W*s], not clamped. Same dtype and device as the
// weights; differentiable in x and weights. The weights must have srvgg_shapes(config) (else c10::Error).
at::Tensor srvgg_forward(const SrvggConfig& config, const nn::TensorMap& weights, const at::Tensor& x);

// The same without the final shuffle and addition: [B, num_out_ch*s*s, H, W]. For callers that do the tail in higher precision.
at::Tensor srvgg_body(const SrvggConfig& config, const nn::TensorMap& weights, const at::Tensor& x);

}  // namespace kinora::models::esrgan
