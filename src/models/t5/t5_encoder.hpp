#pragma once
// The encoder of T5 and UMT5 (T5EncoderModel and UMT5EncoderModel of transformers), the text encoder of LTX-Video and Wan.
// Immutable after construction: any thread. 16-bit weights should be bfloat16: float16 overflows in this network.
#include <ATen/core/Tensor.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "models/loaded.hpp"
#include "nn/json_config.hpp"
#include "nn/layers.hpp"
#include "nn/weights.hpp"

namespace kinora::models::t5 {

inline constexpr std::string_view kBlocks = "encoder.block.";  // what the names of its blocks' weights begin with

struct Config {
  std::int64_t vocab_size = 32128, d_model = 512, d_kv = 64, d_ff = 1024, num_layers = 8, num_heads = 6;
  std::int64_t relative_attention_num_buckets = 32, relative_attention_max_distance = 128;
  double layer_norm_epsilon = 1e-6;
  nn::Act act = nn::Act::gelu_tanh;
  bool gated = true;
  bool bias_per_layer = false;  // UMT5; T5's layers share that of the first

  static Config read(const nn::JsonConfig& config);
};

// The bucket of the distance key - query, 0 <= bucket < buckets. Half of the buckets are for keys behind the query; half of each half
// counts single positions, the rest grow up to max_distance, beyond which all is one bucket.
std::int64_t relative_bucket(std::int64_t distance, std::int64_t buckets, std::int64_t max_distance);

class Encoder {
 public:
  Encoder(const Config& config, const nn::Weights& w);
  const Config& config() const { return config_; }
  c10::Device device() const { return embedding_.weight.device(); }

  // ids [B, T] int64 on the weights' device; mask [B, T], 1 for real ids and 0 for padding, or undefined: all are attended to.
  // -> last hidden state [B, T, d_model], after the final norm. states, if given, receives the embeddings and every layer's output.
  // before_block, if given, is called before a block's weights are used, so that they can be brought.
  at::Tensor forward(const at::Tensor& ids, const at::Tensor& mask, std::vector<at::Tensor>* states = nullptr,
                     const std::function<void(std::size_t block)>& before_block = {}) const;

 private:
  struct Layer {
    nn::RmsNorm attention_norm, feed_forward_norm;
    nn::Linear q, k, v, o, wi_0, wi_1, wo;  // wi_1 only when gated
    at::Tensor bias_table;                  // [buckets, heads]; undefined where a layer shares the first one's
  };
  at::Tensor attention_bias(const at::Tensor& table, std::int64_t length) const;  // [1, heads, T, T]

  Config config_;
  nn::Embedding embedding_;
  std::vector<Layer> layers_;
  nn::RmsNorm final_norm_;
};

using Loaded = models::Loaded<Encoder>;
// A component folder, or a checkpoint at hand with the names of transformers; a decoder that is with it is left out. Errors: LoadError.
Loaded load(const std::filesystem::path& folder, const nn::Placement& placement, const std::optional<std::string>& variant = std::nullopt);
Loaded load(const Config& config, nn::Checkpoint checkpoint, const nn::Placement& placement);

}  // namespace kinora::models::t5
