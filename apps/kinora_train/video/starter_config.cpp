#include "kinora_train/video/starter_config.hpp"

#include <vector>

namespace kinora::train {
namespace {

constexpr std::int64_t kLatentChannels = 24, kTextWidth = 96;

}  // namespace

// A latent is 16 x 16 pixels of 4 frames, a token 2 x 2 latents: a clip of 128 x 128 x 17 is 80 tokens.
StarterConfig::StarterConfig(std::int64_t vocabulary) {
  vae = {{"_class_name", "AutoencoderKLWan"},
         {"attn_scales", nlohmann::json::array()},
         {"base_dim", 16},
         {"decoder_base_dim", 20},
         {"dim_mult", {1, 2, 2}},
         {"dropout", 0.0},
         {"in_channels", 48},
         {"is_residual", true},
         {"latents_mean", std::vector<double>(kLatentChannels, 0.0)},
         {"latents_std", std::vector<double>(kLatentChannels, 1.0)},
         {"num_res_blocks", 1},
         {"out_channels", 48},
         {"patch_size", 4},
         {"scale_factor_spatial", 16},
         {"scale_factor_temporal", 4},
         {"temperal_downsample", {true, true}},
         {"z_dim", kLatentChannels}};
  transformer = {{"_class_name", "WanTransformer3DModel"},
                 {"added_kv_proj_dim", nullptr},
                 {"attention_head_dim", 48},
                 {"cross_attn_norm", true},
                 {"eps", 1e-6},
                 {"ffn_dim", 448},
                 {"freq_dim", 128},
                 {"image_dim", nullptr},
                 {"in_channels", kLatentChannels},
                 {"num_attention_heads", 4},
                 {"num_layers", 5},
                 {"out_channels", kLatentChannels},
                 {"patch_size", {1, 2, 2}},
                 {"pos_embed_seq_len", nullptr},
                 {"qk_norm", "rms_norm_across_heads"},
                 {"rope_max_seq_len", 64},
                 {"text_dim", kTextWidth}};
  text_encoder = {{"architectures", nlohmann::json::array({"UMT5EncoderModel"})},
                  {"d_ff", 192},
                  {"d_kv", 24},
                  {"d_model", kTextWidth},
                  {"dropout_rate", 0.0},
                  {"eos_token_id", 1},
                  {"feed_forward_proj", "gated-gelu"},
                  {"is_encoder_decoder", false},
                  {"layer_norm_epsilon", 1e-6},
                  {"model_type", "umt5"},
                  {"num_decoder_layers", 2},
                  {"num_heads", 4},
                  {"num_layers", 2},
                  {"pad_token_id", 0},
                  {"relative_attention_max_distance", 32},
                  {"relative_attention_num_buckets", 16},
                  {"tie_word_embeddings", true},
                  {"use_cache", false},
                  {"vocab_size", vocabulary}};
  scheduler = {{"_class_name", "FlowMatchEulerDiscreteScheduler"}, {"num_train_timesteps", 1000}, {"shift", 4.0}};
}

models::wan::VaeConfig StarterConfig::vae_config() const { return models::wan::VaeConfig::read({vae, "vae/config.json"}); }
models::wan::TransformerConfig StarterConfig::transformer_config() const {
  return models::wan::TransformerConfig::read({transformer, "transformer/config.json"});
}
models::t5::Config StarterConfig::text_config() const { return models::t5::Config::read({text_encoder, "text_encoder/config.json"}); }

}  // namespace kinora::train
