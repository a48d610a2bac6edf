#include "models/lora/module_names.hpp"

#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

namespace kinora::models::lora {
namespace {

ModuleNames names_of(const std::map<std::string, std::vector<std::string>>& modules) {
  ModuleNames names;
  for (const auto& [component, list] : modules) {
    nn::Parameters parameters;
    for (const auto& module : list) parameters.emplace(module + ".weight", at::zeros({1}));
    names.add(component, parameters);
  }
  return names;
}

const ModuleNames kImage =
    names_of({{"unet",
               {"down_blocks.0.resnets.0.conv1", "down_blocks.0.resnets.1.conv1", "down_blocks.1.attentions.0.proj_in",
                "down_blocks.1.downsamplers.0.conv", "up_blocks.0.attentions.2.transformer_blocks.0.attn1.to_out.0",
                "up_blocks.0.upsamplers.0.conv", "mid_block.resnets.1.time_emb_proj", "time_embedding.linear_1", "conv_in"}},
              {"text_encoder", {"text_model.encoder.layers.0.self_attn.q_proj", "text_model.encoder.layers.0.self_attn.out_proj"}},
              {"text_encoder_2", {"text_model.encoder.layers.0.mlp.fc1"}}});

std::string found(const ModuleNames& names, const std::string& name, const std::string& denoiser = "unet") {
  const auto ref = names.find(name, denoiser);
  return ref ? ref->component + ": " + ref->module : "none";
}

TEST(ModuleNames, of_diffusers_and_peft_are_found) {
  EXPECT_EQ(found(kImage, "unet.down_blocks.1.attentions.0.proj_in"), "unet: down_blocks.1.attentions.0.proj_in");
  EXPECT_EQ(found(kImage, "base_model.model.conv_in"), "unet: conv_in");
  EXPECT_EQ(found(kImage, "conv_in"), "unet: conv_in");
  EXPECT_EQ(found(kImage, "text_encoder.text_model.encoder.layers.0.self_attn.q_proj"),
            "text_encoder: text_model.encoder.layers.0.self_attn.q_proj");
  EXPECT_EQ(found(kImage, "text_encoder.encoder.layers.0.self_attn.q_proj"), "text_encoder: text_model.encoder.layers.0.self_attn.q_proj");
  EXPECT_EQ(found(kImage, "text_encoder_2.text_model.encoder.layers.0.mlp.fc1"), "text_encoder_2: text_model.encoder.layers.0.mlp.fc1");
}

TEST(ModuleNames, of_older_diffusers_are_found) {
  EXPECT_EQ(found(kImage, "unet.up_blocks.0.attentions.2.transformer_blocks.0.attn1.processor.to_out"),
            "unet: up_blocks.0.attentions.2.transformer_blocks.0.attn1.to_out.0");
  EXPECT_EQ(found(kImage, "text_encoder.text_model.encoder.layers.0.self_attn.to_q"),
            "text_encoder: text_model.encoder.layers.0.self_attn.q_proj");
  EXPECT_EQ(found(kImage, "text_encoder.text_model.encoder.layers.0.self_attn.to_out"),
            "text_encoder: text_model.encoder.layers.0.self_attn.out_proj");
}

TEST(ModuleNames, of_kohya_are_found_with_diffusers_and_with_the_authors_blocks) {
  EXPECT_EQ(found(kImage, "lora_unet_down_blocks_1_attentions_0_proj_in"), "unet: down_blocks.1.attentions.0.proj_in");
  EXPECT_EQ(found(kImage, "lora_unet_input_blocks_4_1_proj_in"), "unet: down_blocks.1.attentions.0.proj_in");
  EXPECT_EQ(found(kImage, "lora_unet_input_blocks_6_0_op"), "unet: down_blocks.1.downsamplers.0.conv");
  EXPECT_EQ(found(kImage, "lora_unet_output_blocks_2_1_transformer_blocks_0_attn1_to_out_0"),
            "unet: up_blocks.0.attentions.2.transformer_blocks.0.attn1.to_out.0");
  EXPECT_EQ(found(kImage, "lora_unet_output_blocks_2_2_conv"), "unet: up_blocks.0.upsamplers.0.conv");
  EXPECT_EQ(found(kImage, "lora_unet_middle_block_2_emb_layers_1"), "unet: mid_block.resnets.1.time_emb_proj");
  EXPECT_EQ(found(kImage, "lora_unet_time_embed_0"), "unet: time_embedding.linear_1");
  EXPECT_EQ(found(kImage, "lora_te_text_model_encoder_layers_0_self_attn_q_proj"),
            "text_encoder: text_model.encoder.layers.0.self_attn.q_proj");
  EXPECT_EQ(found(kImage, "lora_te2_text_model_encoder_layers_0_mlp_fc1"), "text_encoder_2: text_model.encoder.layers.0.mlp.fc1");
}

// The pairs are those of diffusers' conversion of Wan LoRA.
TEST(ModuleNames, of_wan_are_found_in_the_authors_and_in_musubis_naming) {
  const auto names = names_of(
      {{"transformer",
        {"blocks.0.attn1.to_q", "blocks.0.attn2.to_k", "blocks.0.attn2.add_k_proj", "blocks.0.attn2.to_out.0", "blocks.0.ffn.net.0.proj",
         "blocks.0.ffn.net.2", "condition_embedder.time_proj", "condition_embedder.image_embedder.ff.net.2", "proj_out"}}});
  const auto wan = [&](const std::string& name) { return found(names, name, "transformer"); };
  EXPECT_EQ(wan("diffusion_model.blocks.0.self_attn.q"), "transformer: blocks.0.attn1.to_q");
  EXPECT_EQ(wan("diffusion_model.blocks.0.cross_attn.k"), "transformer: blocks.0.attn2.to_k");
  EXPECT_EQ(wan("lora_unet_blocks_0_cross_attn_k_img"), "transformer: blocks.0.attn2.add_k_proj");
  EXPECT_EQ(wan("lora_unet_blocks_0_cross_attn_o"), "transformer: blocks.0.attn2.to_out.0");
  EXPECT_EQ(wan("lora_unet_blocks_0_ffn_0"), "transformer: blocks.0.ffn.net.0.proj");
  EXPECT_EQ(wan("diffusion_model.blocks.0.ffn.2"), "transformer: blocks.0.ffn.net.2");
  EXPECT_EQ(wan("diffusion_model.time_projection.1"), "transformer: condition_embedder.time_proj");
  EXPECT_EQ(wan("diffusion_model.img_emb.proj.3"), "transformer: condition_embedder.image_embedder.ff.net.2");
  EXPECT_EQ(wan("diffusion_model.head.head"), "transformer: proj_out");
  EXPECT_EQ(wan("transformer.blocks.0.attn1.to_q"), "transformer: blocks.0.attn1.to_q");
}

TEST(ModuleNames, of_no_network_are_none) {
  for (const char* name : {"", "unet", "unet.", "lora_unet_", "lora_unet_input_blocks_4_1", "lora_unet_input_blocks_x_1_proj_in",
                           "lora_te3_text_model_encoder_layers_0_mlp_fc1", "transformer_2.conv_in", "lora_unet_input_blocks_99999_0_op"})
    EXPECT_EQ(found(kImage, name), "none") << name;
}

}  // namespace
}  // namespace kinora::models::lora
