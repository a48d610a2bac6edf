#include "models/animatediff/unet.hpp"

namespace kinora::models::animatediff {
namespace {

bool has_motion(const UNetMotionConfig& config, const unet::LayerPlace& place) {
  return place.section != unet::Section::mid || (config.motion.mid_block && place.attention);
}

}  // namespace

UNetLayer::UNetLayer(const UNetMotionConfig& config, const nn::Weights& block, const unet::LayerPlace& place)
    : still(config.unet, block, place) {
  if (!has_motion(config, place)) return;
  const bool mid = place.section == unet::Section::mid;
  motion.emplace(block / "motion_modules" / place.index,
                 MotionModuleConfig{.channels = place.out,
                                    .heads = config.motion.heads[place.level],
                                    .depth = mid ? config.motion.mid_depth : config.motion.depth[place.level],
                                    .groups = config.unet.groups,
                                    .max_frames = config.motion.max_frames});
}

at::Tensor UNetLayer::operator()(const at::Tensor& x, const unet::LayerInputs& inputs) const {
  auto y = still(x, inputs);
  return motion ? (*motion)(y, inputs.videos) : y;
}

UNet::UNet(const UNetMotionConfig& config, const nn::Weights& w)
    : config_(config), ends_(config_.unet, w), body_(config_.unet.body, w, [&](const nn::Weights& block, const unet::LayerPlace& place) {
        return UNetLayer(config_, block, place);
      }) {}

at::Tensor UNet::forward(const at::Tensor& sample, const at::Tensor& timestep, const stable_diffusion::Conditioning& c) const {
  const std::int64_t videos = sample.size(0);
  const unet::LayerInputs inputs{
      .time = ends_.time(config_.unet, timestep, c.guidance, c.pooled_text, c.size_ids), .context = c.context, .videos = videos};
  const auto frames = ends_.in(config_.unet, sample.transpose(1, 2).flatten(0, 1));
  return ends_.out(config_.unet, body_(frames, inputs)).unflatten(0, {videos, -1}).transpose(1, 2).contiguous();
}

Loaded<UNet> load_unet(const std::filesystem::path& unet_folder, const std::filesystem::path& adapter_folder,
                       const nn::Placement& placement, const std::optional<std::string>& variant) {
  const auto adapter_file = adapter_folder / "config.json";
  const auto config = UNetMotionConfig::join(stable_diffusion::UNetConfig::read(nn::JsonConfig::read(unet_folder / "config.json")),
                                             MotionConfig::read(nn::JsonConfig::read(adapter_file)), adapter_file.string());
  auto weights = nn::open_checkpoint(unet_folder, variant);
  weights.tensors.merge(nn::open_checkpoint(adapter_folder).tensors);
  return load_network<UNet>(std::move(weights), config, placement);
}

}  // namespace kinora::models::animatediff
