#include "models/single_file/ltx_configs.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "models/single_file/shapes.hpp"

namespace kinora::models::single_file {
namespace {

using nlohmann::json;

constexpr std::int64_t kHeads = 32, kLayersOf13B = 48;

std::string numbered(const std::string& list, std::int64_t index) { return list + "." + std::to_string(index); }
std::int64_t resnets(const Shapes& shapes, const std::string& block) { return shapes.count(block + ".resnets.", ".conv1.conv.weight"); }

void encoder(const Shapes& shapes, json& config) {
  const std::string list = "encoder.down_blocks";
  std::vector<std::int64_t> channels, layers;
  std::vector<bool> scaling;
  std::vector<std::string> kinds;
  // From 0.9.5 on the steps down change the channels; before, residual blocks after them did.
  const auto levels = shapes.count(list + ".", ".resnets.0.conv1.conv.weight");
  const auto mid = shapes.side("encoder.mid_block.resnets.0.conv1.conv.weight", 1);
  const auto width = [&](std::int64_t level) {
    return level == levels ? mid : shapes.side(numbered(list, level) + ".resnets.0.conv1.conv.weight", 1);
  };
  bool later = false;
  for (std::int64_t i = 0; i < levels; ++i) {
    const auto block = numbered(list, i), step = block + ".downsamplers.0.conv.conv.weight";
    channels.push_back(width(i));
    layers.push_back(resnets(shapes, block));
    // A step of 0.9.5 is one layer deeper in names: it stands beside the way past it.
    const bool folds = shapes.has(step);
    later = later || folds;
    scaling.push_back(folds || shapes.has(block + ".downsamplers.0.conv.weight"));
    const auto folded = folds && shapes.side(step, 0) > 0 ? width(i + 1) / shapes.side(step, 0) : 8;  // neighbours that become channels
    kinds.emplace_back(!folds ? "conv" : folded == 4 ? "spatial" : folded == 2 ? "temporal" : "spatiotemporal");
  }
  if (later) channels.push_back(mid);
  layers.push_back(resnets(shapes, "encoder.mid_block"));
  config.update({{"block_out_channels", channels},
                 {"layers_per_block", layers},
                 {"spatio_temporal_scaling", scaling},
                 {"downsample_type", kinds},
                 {"down_block_types",
                  std::vector<std::string>(static_cast<std::size_t>(levels), later ? "LTXVideo095DownBlock3D" : "LTXVideoDownBlock3D")}});
}

// The members of the decoder are told from the pixels' side.
void decoder(const Shapes& shapes, bool timed, json& config) {
  const std::string list = "decoder.up_blocks", mid = "decoder.mid_block";
  const auto noisy = [&](const std::string& block) { return shapes.has(block + ".resnets.0.per_channel_scale1"); };
  std::vector<std::int64_t> channels, layers{resnets(shapes, mid)}, factors;
  std::vector<bool> scaling, noise{noisy(mid)};
  for (std::int64_t i = 0; i < shapes.count(list + ".", ".resnets.0.conv1.conv.weight"); ++i) {
    const auto block = numbered(list, i), step = block + ".upsamplers.0.conv.conv.weight";
    // A step up makes 8 neighbours of the channels that it has, and fewer channels by its factor.
    const auto in = shapes.has(step) ? shapes.side(step, 1) : 0;
    const auto made = shapes.has(step) ? shapes.side(step, 0) : 0;
    factors.push_back(made > 0 ? std::max<std::int64_t>(8 * in / made, 1) : 1);
    channels.push_back(factors.back() * shapes.side(block + ".resnets.0.conv1.conv.weight", 1));
    layers.push_back(resnets(shapes, block));
    scaling.push_back(made > 0);
    noise.push_back(noisy(block));
  }
  const auto reverse = [](auto& all) { std::reverse(all.begin(), all.end()); };
  reverse(channels), reverse(layers), reverse(factors), reverse(scaling), reverse(noise);
  config.update({{"decoder_block_out_channels", channels},
                 {"decoder_layers_per_block", layers},
                 {"decoder_spatio_temporal_scaling", scaling},
                 {"decoder_inject_noise", noise},
                 {"upsample_factor", factors},
                 {"upsample_residual", std::vector<bool>(channels.size(), timed)},  // of the same versions
                 {"timestep_conditioning", timed}});
}

}  // namespace

json ltx_transformer_config(const nn::WeightShapes& named, const std::string& file) {
  const Shapes shapes(named, file);
  const std::string block = "transformer_blocks.0.";
  const auto width = shapes.side("proj_in.weight", 0), layers = shapes.count("transformer_blocks.", ".attn1.to_q.weight");
  if (layers >= kLayersOf13B) throw nn::LoadError(file, "", "is LTX-Video 13B (0.9.7 and later), which is not built");
  if (width == 0 || width % (2 * kHeads) != 0)
    throw nn::LoadError(file, "proj_in.weight",
                        "makes tokens of width " + std::to_string(width) + ", which are not those of " + std::to_string(kHeads) +
                            " heads; lay a folder with a config.json around it");
  return {{"_class_name", "LTXVideoTransformer3DModel"},
          {"in_channels", shapes.side("proj_in.weight", 1)},
          {"out_channels", shapes.side("proj_out.weight", 0)},
          {"num_attention_heads", kHeads},
          {"attention_head_dim", width / kHeads},
          {"cross_attention_dim", shapes.side(block + "attn2.to_k.weight", 1)},
          {"caption_channels", shapes.side("caption_projection.linear_1.weight", 1)},
          {"num_layers", layers},
          {"attention_bias", shapes.has(block + "attn1.to_q.bias")},
          {"attention_out_bias", shapes.has(block + "attn1.to_out.0.bias")},
          {"norm_elementwise_affine", shapes.has(block + "norm1.weight")}};
}

json ltx_vae_config(const nn::WeightShapes& named, const std::string& file) {
  const Shapes shapes(named, file);
  const auto pixels = [&](const std::string& weight, std::size_t side) { return shapes.side(weight, side); };
  const auto in = pixels("encoder.conv_in.conv.weight", 1);
  json config{{"_class_name", "AutoencoderKLLTXVideo"},
              {"latent_channels", shapes.side("decoder.conv_in.conv.weight", 1)},
              {"patch_size", std::max<std::int64_t>(std::llround(std::sqrt(static_cast<double>(in) / 3)), 1)}};
  encoder(shapes, config);
  decoder(shapes, shapes.has("decoder.timestep_scale_multiplier"), config);
  return config;
}

json ltx_scheduler_config() {
  return {{"_class_name", "FlowMatchEulerDiscreteScheduler"},
          {"num_train_timesteps", 1000},
          {"shift", 1.0},
          {"use_dynamic_shifting", true},
          {"base_shift", 0.95},
          {"max_shift", 2.05},
          {"base_image_seq_len", 1024},
          {"max_image_seq_len", 4096},
          {"shift_terminal", 0.1}};
}

json ltx_index() {
  return {{"_class_name", "LTXPipeline"},
          {"tokenizer", {"transformers", "T5TokenizerFast"}},
          {"text_encoder", {"transformers", "T5EncoderModel"}},
          {"transformer", {"diffusers", "LTXVideoTransformer3DModel"}},
          {"vae", {"diffusers", "AutoencoderKLLTXVideo"}},
          {"scheduler", {"diffusers", "FlowMatchEulerDiscreteScheduler"}}};
}

}  // namespace kinora::models::single_file
