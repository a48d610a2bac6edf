#pragma once
// UNetMotionModel: a UNet2DConditionModel whose every layer is followed by a motion module of an AnimateDiff adapter.
// Immutable after construction: any thread.
#include <ATen/core/Tensor.h>

#include <filesystem>
#include <optional>

#include "models/animatediff/motion_config.hpp"
#include "models/animatediff/motion_module.hpp"
#include "models/loaded.hpp"
#include "models/stable_diffusion/unet.hpp"
#include "models/unet/body.hpp"

namespace kinora::models::animatediff {

struct UNetLayer {
  stable_diffusion::UNetLayer still;
  std::optional<MotionModule> motion;  // "motion_modules.j"
  UNetLayer(const UNetMotionConfig& config, const nn::Weights& block, const unet::LayerPlace& place);
  at::Tensor operator()(const at::Tensor& x, const unet::LayerInputs& inputs) const;
};

class UNet {
 public:
  UNet(const UNetMotionConfig& config, const nn::Weights& w);  // w: the UNet's and the adapter's weights together
  const UNetMotionConfig& config() const { return config_; }

  // sample [B, in_channels, F, H, W], F <= motion.max_frames; timestep [] or [B]; conditioning of the B videos. Gives
  // [B, out_channels, F, H, W] contiguous.
  at::Tensor forward(const at::Tensor& sample, const at::Tensor& timestep, const stable_diffusion::Conditioning& conditioning) const;

 private:
  UNetMotionConfig config_;
  stable_diffusion::UNetEnds ends_;
  unet::Body<UNetLayer> body_;
};

// From a UNet's component folder and an adapter's.
Loaded<UNet> load_unet(const std::filesystem::path& unet_folder, const std::filesystem::path& adapter_folder,
                       const nn::Placement& placement, const std::optional<std::string>& variant = std::nullopt);

}  // namespace kinora::models::animatediff
