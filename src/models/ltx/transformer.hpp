#pragma once
// LTXVideoTransformer3DModel: noisy latents of a video as tokens and a prompt -> the velocity. Immutable after construction: any thread.
#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <vector>

#include "models/unet/timestep_embedding.hpp"
#include "models/video/step_cache.hpp"
#include "models/video/token_math.hpp"
#include "nn/json_config.hpp"
#include "nn/layers.hpp"

namespace kinora::models::ltx {

struct TransformerConfig {
  std::int64_t in_channels = 128, out_channels = 128;
  std::int64_t heads = 32, head_width = 64, context_width = 2048, caption_width = 4096, layers = 28;
  bool attention_bias = true, attention_out_bias = true, norm_affine = false;
  double eps = 1e-6;
  std::int64_t width() const { return heads * head_width; }

  static TransformerConfig read(const nn::JsonConfig& config);
};

// Where the tokens lie: how many along frames, rows and columns, and their distances: the model counts latent frames times scale[0] in
// 20ths, rows and columns times scale[1] and scale[2] in 2048ths.
struct TokenGrid {
  std::array<std::int64_t, 3> count{1, 1, 1};
  std::array<double, 3> scale{1, 1, 1};
};
// complex64 [1, N, width / 2], N in the order frames, rows, columns.
at::Tensor rotary_table(const TokenGrid& grid, std::int64_t width, c10::Device device);

class Attention {
 public:
  Attention(const TransformerConfig& config, const nn::Weights& w, std::int64_t context_width);
  at::Tensor self(const at::Tensor& x, const at::Tensor& table) const;
  video::KeysValues keys_values(const at::Tensor& text) const;
  at::Tensor cross(const at::Tensor& x, const video::KeysValues& context) const;

 private:
  at::Tensor heads(const at::Tensor& x) const { return x.unflatten(-1, {heads_, -1}).transpose(1, 2); }
  std::int64_t heads_;
  nn::Linear to_q_, to_k_, to_v_, to_out_;
  video::HeadsNorm norm_q_, norm_k_;
};

class Transformer {
 public:
  using Config = TransformerConfig;
  using Context = std::vector<video::KeysValues>;  // of each block

  Transformer(const Config& config, const nn::Weights& w);
  const Config& config() const { return config_; }

  // What prompts are to all blocks, for any number of steps. text [B, S, caption_width]; mask [B, S], 1 for tokens that count.
  Context context(const at::Tensor& text, const at::Tensor& mask, const video::BeforeBlock& before = {}) const;
  // tokens [B, N, in_channels]; timestep [], [B], or [B, N] for each token; table: rotary_table() -> [B, N, out_channels]. cache: of the
  // passes before this one.
  at::Tensor forward(const at::Tensor& tokens, const at::Tensor& timestep, const Context& context, const at::Tensor& table,
                     video::StepCache* cache = nullptr, const video::BeforeBlock& before = {}) const;

 private:
  struct Block {
    at::Tensor scale_shift_table;  // [6, width]
    Attention attn1, attn2;
    nn::RmsNorm norm1, norm2;  // without weight unless norm_affine
    nn::Linear in, out;
    Block(const Config& config, const nn::Weights& w);
  };
  at::Tensor apply(const Block& block, const at::Tensor& x, const video::Times& times, const video::KeysValues& context,
                   const at::Tensor& table) const;

  Config config_;
  nn::Linear proj_in_, proj_out_, caption_1_, caption_2_, time_linear_;
  unet::TimestepEmbedding time_embedding_;
  std::vector<Block> blocks_;
  at::Tensor scale_shift_table_;  // [2, width]
};

}  // namespace kinora::models::ltx
