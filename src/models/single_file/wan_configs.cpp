#include "models/single_file/wan_configs.hpp"

#include <cmath>
#include <vector>

#include "models/single_file/shapes.hpp"

namespace kinora::models::single_file {
namespace {

using nlohmann::json;

constexpr std::int64_t kHeadWidth = 128;  // of every published size
constexpr std::int64_t kLatents21 = 16, kLatents22 = 48;

// Of the published Wan 2.2 VAE.
const std::vector<double> kMean22{-0.2289, -0.0052, -0.1323, -0.2339, -0.2799, 0.0174,  0.1838,  0.1557,  -0.1382, 0.0542,
                                  0.2813,  0.0891,  0.1570,  -0.0098, 0.0375,  -0.1825, -0.2246, -0.1207, -0.0698, 0.5109,
                                  0.2665,  -0.2108, -0.2158, 0.2502,  -0.2055, -0.0322, 0.1109,  0.1567,  -0.0729, 0.0899,
                                  -0.2799, -0.1230, -0.0313, -0.1649, 0.0117,  0.0723,  -0.2839, -0.2083, -0.0520, 0.3748,
                                  0.0152,  0.1957,  0.1433,  -0.2944, 0.3573,  -0.0548, -0.1681, -0.0667};
const std::vector<double> kStd22{0.4765, 1.0364, 0.4514, 1.1677, 0.5313, 0.4990, 0.4818, 0.5013, 0.8158, 1.0344, 0.5894, 1.0901,
                                 0.6885, 0.6165, 0.8454, 0.4978, 0.5759, 0.3523, 0.7135, 0.6804, 0.5833, 1.4146, 0.8986, 0.5659,
                                 0.7069, 0.5338, 0.4889, 0.4917, 0.4069, 0.4999, 0.6866, 0.4093, 0.5709, 0.6065, 0.6415, 0.4944,
                                 0.5726, 1.2042, 0.5458, 1.6887, 0.3971, 1.0600, 0.3943, 0.5537, 0.5444, 0.4089, 0.7468, 0.7744};

// Of a list of numbered blocks, the first without "after"; 2.1's encoder lists residual blocks and steps in one list.
std::int64_t before_step(const Shapes& shapes, const std::string& list) {
  std::int64_t n = 0;
  while (n < 64 && !shapes.has(list + std::to_string(n) + ".resample.1.weight")) ++n;
  return n;
}

struct Levels {
  std::vector<std::int64_t> multipliers;
  std::vector<bool> halves_time;
};

Levels encoder_levels(const Shapes& shapes, std::int64_t base, std::int64_t layers, bool residual, const std::string& file) {
  Levels levels;
  for (std::int64_t i = 0;; ++i) {
    const std::string list = "encoder.down_blocks.";
    const auto level = list + std::to_string(residual ? i : i * (layers + 1));
    const auto block = residual ? level + ".resnets.0" : level;
    if (!shapes.has(block + ".conv1.weight")) return levels;
    const auto width = shapes.side(block + ".conv1.weight", 0);
    if (width == 0 || width % base != 0) throw nn::LoadError(file, block + ".conv1.weight", "is no multiple of the first level's width");
    levels.multipliers.push_back(width / base);
    const auto step = residual ? level + ".downsampler" : list + std::to_string(i * (layers + 1) + layers);
    if (shapes.has(step + ".resample.1.weight")) levels.halves_time.push_back(shapes.has(step + ".time_conv.weight"));
  }
}

}  // namespace

json wan_transformer_config(const nn::WeightShapes& named, const std::string& file) {
  const Shapes shapes(named, file);
  if (const auto vace = named.lower_bound("vace_"); vace != named.end() && vace->first.starts_with("vace_"))
    throw nn::LoadError(file, vace->first, "is of VACE, which is not built");
  const std::string patches = "patch_embedding.weight", block = "blocks.0.", picture = "condition_embedder.image_embedder.";
  const auto width = shapes.side(patches, 0);
  if (width == 0 || width % kHeadWidth != 0)
    throw nn::LoadError(file, patches,
                        "makes tokens of width " + std::to_string(width) + ", no multiple of " + std::to_string(kHeadWidth) +
                            ": how many heads attention has cannot be told; lay a folder with a config.json around it");
  const std::vector<std::int64_t> patch{shapes.side(patches, 2), shapes.side(patches, 3), shapes.side(patches, 4)};
  const auto volume = std::max<std::int64_t>(patch[0] * patch[1] * patch[2], 1);
  json config{{"_class_name", "WanTransformer3DModel"},
              {"patch_size", patch},
              {"num_attention_heads", width / kHeadWidth},
              {"attention_head_dim", kHeadWidth},
              {"in_channels", shapes.side(patches, 1)},
              {"out_channels", shapes.side("proj_out.weight", 0) / volume},
              {"text_dim", shapes.side("condition_embedder.text_embedder.linear_1.weight", 1)},
              {"freq_dim", shapes.side("condition_embedder.time_embedder.linear_1.weight", 1)},
              {"ffn_dim", shapes.side(block + "ffn.net.0.proj.weight", 0)},
              {"num_layers", shapes.count("blocks.", ".attn1.to_q.weight")},
              {"cross_attn_norm", shapes.has(block + "norm2.weight")}};
  if (shapes.has(picture + "norm1.weight")) config["image_dim"] = shapes.side(picture + "norm1.weight", 0);
  if (shapes.has(picture + "pos_embed")) config["pos_embed_seq_len"] = shapes.side(picture + "pos_embed", 1);
  if (shapes.has(block + "attn2.add_k_proj.weight")) config["added_kv_proj_dim"] = shapes.side(block + "attn2.add_k_proj.weight", 1);
  return config;
}

std::int64_t wan_vae_layers(const nn::WeightShapes& named) {
  const Shapes shapes(named, "");
  const std::string authors = "encoder.downsamples.", diffusers = "encoder.down_blocks.";
  if (const auto nested = shapes.count(authors + "0.downsamples.", ".residual.2.weight"); nested > 0) return nested;
  if (const auto nested = shapes.count(diffusers + "0.resnets.", ".conv1.weight"); nested > 0) return nested;
  return before_step(shapes, shapes.has(authors + "0.residual.2.weight") ? authors : diffusers);
}

json wan_vae_config(const nn::WeightShapes& named, const std::string& file) {
  const Shapes shapes(named, file);
  const bool residual = shapes.has("encoder.down_blocks.0.resnets.0.conv1.weight");
  const auto layers = wan_vae_layers(named), base = shapes.side("encoder.conv_in.weight", 0),
             out = shapes.side("decoder.conv_out.weight", 0);
  const auto levels = encoder_levels(shapes, std::max<std::int64_t>(base, 1), layers, residual, file);
  if (levels.multipliers.empty()) throw nn::LoadError(file, "encoder.down_blocks", "has no level");
  const auto latents = shapes.side("post_quant_conv.weight", 0);
  json config{{"_class_name", "AutoencoderKLWan"},
              {"base_dim", base},
              {"decoder_base_dim", shapes.side("decoder.conv_out.weight", 1) / levels.multipliers.front()},
              {"z_dim", latents},
              {"dim_mult", levels.multipliers},
              {"num_res_blocks", layers},
              {"temperal_downsample", levels.halves_time},
              {"is_residual", residual},
              {"in_channels", shapes.side("encoder.conv_in.weight", 1)},
              {"out_channels", out},
              {"patch_size", std::max<std::int64_t>(std::llround(std::sqrt(static_cast<double>(out) / 3)), 1)}};
  if (latents == kLatents22) config.update({{"latents_mean", kMean22}, {"latents_std", kStd22}});
  if (latents != kLatents21 && latents != kLatents22)
    throw nn::LoadError(
        file, "post_quant_conv.weight",
        "has " + std::to_string(latents) + " latent channels, whose mean and deviation are not known (those of 16 and 48 are)");
  return config;
}

json wan_scheduler_config(const json& transformer) {
  const bool first_and_last = transformer.contains("pos_embed_seq_len"), ti2v = transformer.at("out_channels") == kLatents22;
  return {{"_class_name", "UniPCMultistepScheduler"},
          {"num_train_timesteps", 1000},
          {"prediction_type", "flow_prediction"},
          {"use_flow_sigmas", true},
          {"solver_order", 2},
          {"solver_type", "bh2"},
          {"flow_shift", first_and_last ? 16.0
                         : ti2v         ? 5.0
                                        : 3.0}};
}

json wan_index(const json& transformer, bool two_experts) {
  const json network{"diffusers", "WanTransformer3DModel"};
  const bool from_picture = transformer.at("in_channels") != transformer.at("out_channels");
  json index{{"_class_name", from_picture ? "WanImageToVideoPipeline" : "WanPipeline"},
             {"tokenizer", {"transformers", "T5TokenizerFast"}},
             {"text_encoder", {"transformers", "UMT5EncoderModel"}},
             {"transformer", network},
             {"vae", {"diffusers", "AutoencoderKLWan"}},
             {"scheduler", {"diffusers", "UniPCMultistepScheduler"}},
             {"expand_timesteps", transformer.at("out_channels") == kLatents22}};
  if (two_experts) index.update({{"transformer_2", network}, {"boundary_ratio", from_picture ? 0.9 : 0.875}});
  if (transformer.contains("image_dim"))
    index.update({{"image_encoder", {"transformers", "CLIPVisionModelWithProjection"}},
                  {"image_processor", {"transformers", "CLIPImageProcessor"}}});
  return index;
}

json clip_processor_config(const json& vision) {
  const auto side = vision.value("image_size", 224);
  return {{"image_processor_type", "CLIPImageProcessor"},
          {"do_resize", true},
          {"size", {{"shortest_edge", side}}},
          {"resample", 3},
          {"do_center_crop", true},
          {"crop_size", {{"height", side}, {"width", side}}},
          {"do_rescale", true},
          {"do_normalize", true},
          {"image_mean", {0.48145466, 0.4578275, 0.40821073}},
          {"image_std", {0.26862954, 0.26130258, 0.27577711}}};
}

}  // namespace kinora::models::single_file
