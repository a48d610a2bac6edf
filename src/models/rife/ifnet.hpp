#pragma once
// IFNet, the network of RIFE (Huang et al., "Real-time intermediate flow estimation for video frame interpolation", ECCV 2022, in the form
// of Practical-RIFE 4.6, 4.25, 4.25.lite, 4.26): blocks from coarse to fine estimate the flow from a moment between two pictures to both of
// them, which are warped there and blended. Immutable, any thread; differentiable in pictures and weights.
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "models/rife/ifnet_config.hpp"
#include "nn/layers.hpp"

namespace kinora::models::rife {

// A picture as the network wants it, made once for all moments that it is used for.
struct Prepared {
  // [B, 3 + features, H', W'] float32, channels last: the picture 0..1, padded with zeros at the right and bottom, and what the encoder
  // made of it (nothing with the layout of 4.6). Side by side, for they are warped together.
  at::Tensor planes;
  std::int64_t height = 0, width = 0;
};

// What the network found at one moment.
struct Moment {
  at::Tensor picture;              // [B, 3, H, W] float32
  std::vector<at::Tensor> merged;  // after each block, padded: for training
  std::vector<at::Tensor> flows;   // the same, [B, 4, H', W']: x and y in pixels from here to the place in a, then in b
};

class IfNet {
 public:
  IfNet(const IfnetConfig& config, const nn::Weights& w);

  // How far the coarsest block looks is divided by scale: 0.5 for 4K, 2 for small moving things; 0.25, 0.5, 1, 2 or 4. ensemble: estimates
  // both ways and takes the mean; only where the layout has it (ensembles()), else it is ignored.
  struct Options {
    double scale = 1;
    bool ensemble = false;
  };
  // rgb: [B, 3, H, W] float32 0..1, on the weights' device.
  Prepared prepare(const at::Tensor& rgb, double scale) const;
  // t: 0 (a) to 1 (b). Both prepared with options.scale and of one size.
  Moment between(const Prepared& a, const Prepared& b, double t, const Options& options) const;

  const IfnetConfig& config() const { return config_; }
  bool ensembles() const { return !config_.has_encoder(); }

 private:
  struct Residual {
    nn::Conv2d conv;
    at::Tensor beta;
  };
  struct Deconv {  // kernel 4, stride 2, padding 1
    at::Tensor weight, bias;
    at::Tensor operator()(const at::Tensor& x) const;
  };
  struct Block {
    nn::Conv2d shrink0, shrink1;
    std::vector<Residual> residual;
    Deconv last;
    // [B, inputs, H, W] at the block's scale, the flow in its pixels -> [B, outputs, H, W] in the weights' dtype.
    at::Tensor operator()(const at::Tensor& inputs) const;
  };

  IfnetConfig config_;
  nn::Conv2d encode0_, encode1_, encode2_;
  Deconv encode3_;
  std::vector<Block> blocks_;
};

// Name and shape of every weight.
nn::WeightShapes ifnet_shapes(const IfnetConfig& config);

}  // namespace kinora::models::rife
