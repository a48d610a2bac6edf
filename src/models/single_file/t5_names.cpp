#include "models/single_file/t5_names.hpp"

#include <optional>

#include "models/single_file/path_cut.hpp"
#include "models/single_file/shapes.hpp"

namespace kinora::models::single_file {
namespace {

constexpr auto kOwnSign = "encoder.block.0.layer.0.SelfAttention.q.weight";
constexpr auto kAuthorsSign = "blocks.0.attn.q.weight";
constexpr auto kGgufSign = "enc.blk.0.attn_q.weight";
constexpr std::string_view kAttention = "layer.0.SelfAttention", kDense = "layer.1.DenseReluDense";

std::string of_authors(std::string_view path) {
  PathCut cut(path, '.');
  if (!cut.take("blocks")) return cut.renamed({{"token_embedding", "shared"}, {"norm", "encoder.final_layer_norm"}});
  const auto index = cut.take_number();
  if (!index) return std::string(path);
  const auto part = cut.renamed({{"attn.q", "layer.0.SelfAttention.q"},
                                 {"attn.k", "layer.0.SelfAttention.k"},
                                 {"attn.v", "layer.0.SelfAttention.v"},
                                 {"attn.o", "layer.0.SelfAttention.o"},
                                 {"pos_embedding.embedding", "layer.0.SelfAttention.relative_attention_bias"},
                                 {"norm1", "layer.0.layer_norm"},
                                 {"norm2", "layer.1.layer_norm"},
                                 {"ffn.gate.0", "layer.1.DenseReluDense.wi_0"},
                                 {"ffn.fc1", "layer.1.DenseReluDense.wi_1"},
                                 {"ffn.fc2", "layer.1.DenseReluDense.wo"}});
  return cut.joined({"encoder.block", std::to_string(*index), part});
}

std::string of_gguf(std::string_view path) {
  PathCut cut(path, '.');
  if (!cut.take("enc.blk")) return cut.renamed({{"token_embd", "shared"}, {"enc.output_norm", "encoder.final_layer_norm"}});
  const auto index = cut.take_number();
  if (!index) return std::string(path);
  const auto part = cut.renamed({{"attn_q", "layer.0.SelfAttention.q"},
                                 {"attn_k", "layer.0.SelfAttention.k"},
                                 {"attn_v", "layer.0.SelfAttention.v"},
                                 {"attn_o", "layer.0.SelfAttention.o"},
                                 {"attn_rel_b", "layer.0.SelfAttention.relative_attention_bias"},
                                 {"attn_norm", "layer.0.layer_norm"},
                                 {"ffn_norm", "layer.1.layer_norm"},
                                 {"ffn_gate", "layer.1.DenseReluDense.wi_0"},
                                 {"ffn_up", "layer.1.DenseReluDense.wi_1"},
                                 {"ffn_down", "layer.1.DenseReluDense.wo"}});
  return cut.joined({"encoder.block", std::to_string(*index), part});
}

}  // namespace

bool is_t5(const nn::Checkpoint& file) {
  return file.tensors.contains(kOwnSign) || file.tensors.contains(kGgufSign) ||
         (file.tensors.contains(kAuthorsSign) && file.tensors.contains("token_embedding.weight"));
}

nn::Checkpoint t5_encoder(nn::Checkpoint file) {
  if (file.tensors.contains(kOwnSign)) return file;
  const bool gguf = file.tensors.contains(kGgufSign);
  std::map<std::string, nn::StoredTensor> named;
  for (auto& [name, tensor] : file.tensors)
    if (!named.emplace(gguf ? of_gguf(name) : of_authors(name), std::move(tensor)).second)
      throw nn::LoadError(file.file, name, "is there as well under another name");
  file.tensors = std::move(named);
  return file;
}

nlohmann::json t5_config(const nn::WeightShapes& named, const std::string& file) {
  const Shapes shapes(named, file);
  const std::string first = "encoder.block.0.", second = "encoder.block.1.";
  const auto weight = [](const std::string& block, std::string_view part, const char* name) {
    return std::string(block).append(part).append(".").append(name).append(".weight");
  };
  const std::string words = shapes.has("shared.weight") ? "shared.weight" : "encoder.embed_tokens.weight";
  const auto bias = weight(first, kAttention, "relative_attention_bias");
  const auto heads = shapes.side(bias, 1);
  const bool gated = shapes.has(weight(first, kDense, "wi_0"));
  return {{"model_type", shapes.has(weight(second, kAttention, "relative_attention_bias")) ? "umt5" : "t5"},
          {"vocab_size", shapes.side(words, 0)},
          {"d_model", shapes.side(words, 1)},
          {"d_kv", shapes.side(weight(first, kAttention, "q"), 0) / std::max<std::int64_t>(heads, 1)},
          {"d_ff", shapes.side(weight(first, kDense, gated ? "wi_0" : "wi"), 0)},
          {"num_layers", shapes.count("encoder.block.", ".layer.0.SelfAttention.q.weight")},
          {"num_heads", heads},
          {"relative_attention_num_buckets", shapes.side(bias, 0)},
          {"feed_forward_proj", gated ? "gated-gelu" : "relu"}};
}

}  // namespace kinora::models::single_file
