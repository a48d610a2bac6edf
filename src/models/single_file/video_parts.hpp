#pragma once
// What a file holds of a Wan or LTX-Video model: their users have transformer, VAE, text and picture encoder in files of their own, some of
// them together, or all in one ("model.diffusion_model.", "vae.", "text_encoders.NAME.transformer."). Nothing is read but shapes.
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "nn/checkpoint.hpp"
#include "nn/json_config.hpp"

namespace kinora::models::single_file {

enum class PartKind { wan_transformer, wan_vae, ltx_transformer, ltx_vae, t5, umt5, clip_vision };
std::string_view name(PartKind kind);  // "transformer of Wan", for people

struct VideoPart {
  PartKind kind;
  nn::Checkpoint weights;  // under the names that its network asks for
  nn::JsonConfig config;   // config.json: the one beside it in a component's folder, else worked out from its shapes
  std::optional<nn::StoredTensor> sentencepiece{};  // umt5: the bytes of its tokenizer's spiece.model, where the file holds them

  std::int64_t channels() const;  // of latents, of a transformer or VAE
};

// path: a weight file or a component's folder; file: it, opened. Empty: it holds none of these. Throws nn::LoadError when it holds one
// whose configuration its shapes do not tell.
std::vector<VideoPart> video_parts(const std::filesystem::path& path, nn::Checkpoint file);

}  // namespace kinora::models::single_file
