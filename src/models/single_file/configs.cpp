#include "models/single_file/configs.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "models/single_file/shapes.hpp"

namespace kinora::models::single_file {
namespace {

using nlohmann::json;
using Shape = std::vector<std::int64_t>;

struct Numbers {
  std::int64_t sample, picture;  // sides of latents and pictures that it was trained for
  double scaling;
};

Numbers numbers(Family family) {
  switch (family) {
    case Family::sd1: return {64, 512, 0.18215};
    case Family::sd2: return {96, 768, 0.18215};
    case Family::sdxl:
    case Family::sdxl_refiner: return {128, 1024, 0.13025};
    case Family::svd: return {96, 768, 0.18215};
  }
  return {};
}

json heads(Family family, const Shape& channels) {
  if (family == Family::sd1) return 8;
  json list = json::array();  // of width 64
  for (const auto width : channels) list.push_back(std::max<std::int64_t>(width / 64, 1));
  return list;
}

json repeated(const std::string& type, std::size_t times) { return json(std::vector<std::string>(times, type)); }

std::string layer(std::int64_t index) { return ".attentions.0.transformer_blocks." + std::to_string(index) + ".norm1.weight"; }

std::int64_t depth(const Shapes& shapes, const std::string& block) {
  std::int64_t n = 0;
  while (shapes.has(block + layer(n))) ++n;
  return n;
}

}  // namespace

json unet_config(const nn::WeightShapes& named, Family family, const std::string& file) {
  const Shapes shapes(named, file);
  const bool video = family == Family::svd;
  const std::string half = video ? ".spatial_res_block" : "", first = ".resnets.0" + half + ".conv1.weight";
  Shape channels, depths;
  json down = json::array(), up = json::array();
  const std::string kind = video ? "SpatioTemporal" : "2D";
  const auto levels = shapes.count("down_blocks.", first);
  std::string context;
  for (std::int64_t i = 0; i < levels; ++i) {
    const std::string block = "down_blocks." + std::to_string(i);
    channels.push_back(shapes.side(block + first, 0));
    const auto blocks = depth(shapes, block);
    if (blocks > 0) context = block + ".attentions.0";
    depths.push_back(std::max<std::int64_t>(blocks, 1));
    down.push_back((blocks > 0 ? "CrossAttnDownBlock" : "DownBlock") + kind);
    up.insert(up.begin(), (blocks > 0 ? "CrossAttnUpBlock" : "UpBlock") + kind);
  }
  // The middle has the last level's depth; a last level without attention says nothing of its own.
  if (!depths.empty()) depths.back() = std::max<std::int64_t>(depth(shapes, "mid_block"), 1);
  if (context.empty()) context = "mid_block.attentions.0";
  json config{{"_class_name", video ? "UNetSpatioTemporalConditionModel" : "UNet2DConditionModel"},
              {"sample_size", numbers(family).sample},
              {"in_channels", shapes.side("conv_in.weight", 1)},
              {"out_channels", shapes.side("conv_out.weight", 0)},
              {"block_out_channels", channels},
              {"layers_per_block", shapes.count("down_blocks.0.resnets.", half + ".conv1.weight")},
              {"transformer_layers_per_block", depths},
              {"cross_attention_dim", shapes.side(context + ".transformer_blocks.0.attn2.to_k.weight", 1)},
              {video ? "num_attention_heads" : "attention_head_dim", heads(family, channels)},
              {"down_block_types", std::move(down)},
              {"up_block_types", std::move(up)}};
  if (!video) config["use_linear_projection"] = shapes.rank(context + ".proj_in.weight") == 2;
  if (shapes.has("add_embedding.linear_1.weight")) {
    const auto width = shapes.side("add_embedding.linear_1.weight", 1);
    config["projection_class_embeddings_input_dim"] = width;
    config["addition_time_embed_dim"] = video ? width / 3 : 256;  // fps, motion bucket, noise
    if (!video) config["addition_embed_type"] = "text_time";
  }
  return config;
}

json vae_config(const nn::WeightShapes& named, Family family, const std::string& file) {
  const Shapes shapes(named, file);
  const std::string first = ".resnets.0.conv1.weight";
  Shape channels;
  for (std::int64_t i = 0; i < shapes.count("encoder.down_blocks.", first); ++i)
    channels.push_back(shapes.side("encoder.down_blocks." + std::to_string(i) + first, 0));
  const bool video = family == Family::svd;
  json config{{"_class_name", video ? "AutoencoderKLTemporalDecoder" : "AutoencoderKL"},
              {"block_out_channels", channels},
              {"layers_per_block", shapes.count("encoder.down_blocks.0.resnets.", ".conv1.weight")},
              {"latent_channels", shapes.side("encoder.conv_out.weight", 0) / 2},
              {"down_block_types", repeated("DownEncoderBlock2D", channels.size())},
              {"sample_size", numbers(family).picture},
              {"scaling_factor", numbers(family).scaling},
              {"force_upcast", true}};
  if (!video) config["up_block_types"] = repeated("UpDecoderBlock2D", channels.size());
  return config;
}

json text_config(const nn::WeightShapes& named, Family family, bool second, const std::string& file) {
  const Shapes shapes(named, file);
  // Files of before transformers 4.31 do not have the tower's name.
  const std::string tower = shapes.has("embeddings.token_embedding.weight") ? "" : "text_model.";
  const auto words = shapes.side(tower + "embeddings.token_embedding.weight", 0);
  const auto width = shapes.side(tower + "embeddings.token_embedding.weight", 1);
  const bool projected = second && shapes.has("text_projection.weight");
  const bool open_clip = second || family == Family::sd2;
  return {{"architectures", {projected ? "CLIPTextModelWithProjection" : "CLIPTextModel"}},
          {"model_type", "clip_text_model"},
          {"vocab_size", words},
          {"hidden_size", width},
          {"num_hidden_layers", shapes.count(tower + "encoder.layers.", ".layer_norm1.weight")},
          {"num_attention_heads", std::max<std::int64_t>(width / 64, 1)},
          {"intermediate_size", shapes.side(tower + "encoder.layers.0.mlp.fc1.weight", 0)},
          {"max_position_embeddings", shapes.side(tower + "embeddings.position_embedding.weight", 0)},
          {"projection_dim", projected ? shapes.side("text_projection.weight", 0) : width},
          {"hidden_act", open_clip ? "gelu" : "quick_gelu"},
          {"eos_token_id", words - 1}};
}

json vision_config(const nn::WeightShapes& named, const std::string& file) {
  const Shapes shapes(named, file);
  const std::string embeddings = "vision_model.embeddings.";
  const auto width = shapes.side(embeddings + "patch_embedding.weight", 0), patch = shapes.side(embeddings + "patch_embedding.weight", 2);
  const auto side = std::llround(std::sqrt(static_cast<double>(shapes.side(embeddings + "position_embedding.weight", 0) - 1)));
  return {{"architectures", {"CLIPVisionModelWithProjection"}},
          {"model_type", "clip_vision_model"},
          {"hidden_size", width},
          {"num_hidden_layers", shapes.count("vision_model.encoder.layers.", ".layer_norm1.weight")},
          {"num_attention_heads", width % 80 == 0 ? width / 80 : std::max<std::int64_t>(width / 64, 1)},  // ViT-H: 16 of 80
          {"intermediate_size", shapes.side("vision_model.encoder.layers.0.mlp.fc1.weight", 0)},
          {"projection_dim", shapes.side("visual_projection.weight", 0)},
          {"image_size", side * patch},
          {"patch_size", patch},
          {"hidden_act", "gelu"}};
}

json scheduler_config(Family family, const Schedule& schedule) {
  json config{{"_class_name", "EulerDiscreteScheduler"},
              {"num_train_timesteps", 1000},
              {"beta_start", 0.00085},
              {"beta_end", 0.012},
              {"beta_schedule", "scaled_linear"},
              {"prediction_type", "epsilon"},
              {"interpolation_type", "linear"},
              {"timestep_spacing", "leading"},
              {"steps_offset", 1},
              {"use_karras_sigmas", false}};
  if (family == Family::svd)
    config.update({{"prediction_type", "v_prediction"},
                   {"timestep_type", "continuous"},
                   {"use_karras_sigmas", true},
                   {"sigma_min", 0.002},
                   {"sigma_max", 700.0}});
  if (family == Family::sd2 || schedule.v_prediction) config["prediction_type"] = "v_prediction";
  if (schedule.zero_terminal) config.update({{"rescale_betas_zero_snr", true}, {"timestep_spacing", "trailing"}});
  return config;
}

json model_index(Family family) {
  const json text{"transformers", "CLIPTextModel"}, projected{"transformers", "CLIPTextModelWithProjection"};
  const json words{"transformers", "CLIPTokenizer"}, scheduler{"diffusers", "EulerDiscreteScheduler"};
  const json unet{"diffusers", "UNet2DConditionModel"}, vae{"diffusers", "AutoencoderKL"};
  json index{{"scheduler", scheduler}, {"unet", unet}, {"vae", vae}};
  switch (family) {
    case Family::sd1:
    case Family::sd2: index.update({{"_class_name", "StableDiffusionPipeline"}, {"text_encoder", text}, {"tokenizer", words}}); break;
    case Family::sdxl:
      index.update({{"_class_name", "StableDiffusionXLPipeline"},
                    {"force_zeros_for_empty_prompt", true},
                    {"text_encoder", text},
                    {"text_encoder_2", projected},
                    {"tokenizer", words},
                    {"tokenizer_2", words}});
      break;
    case Family::sdxl_refiner:
      index.update({{"_class_name", "StableDiffusionXLImg2ImgPipeline"},
                    {"force_zeros_for_empty_prompt", false},
                    {"requires_aesthetics_score", true},
                    {"text_encoder_2", projected},
                    {"tokenizer_2", words}});
      break;
    case Family::svd:
      index.update({{"_class_name", "StableVideoDiffusionPipeline"},
                    {"unet", {"diffusers", "UNetSpatioTemporalConditionModel"}},
                    {"vae", {"diffusers", "AutoencoderKLTemporalDecoder"}},
                    {"image_encoder", {"transformers", "CLIPVisionModelWithProjection"}},
                    {"feature_extractor", {"transformers", "CLIPImageProcessor"}}});
      break;
  }
  return index;
}

}  // namespace kinora::models::single_file
