#include "models/single_file/video_parts.hpp"

#include <array>
#include <functional>
#include <map>

#include "models/single_file/configs.hpp"
#include "models/single_file/ltx_configs.hpp"
#include "models/single_file/open_clip_names.hpp"
#include "models/single_file/t5_names.hpp"
#include "models/single_file/video_layout.hpp"
#include "models/single_file/wan_configs.hpp"

namespace kinora::models::single_file {
namespace {

constexpr std::string_view kSentencePiece = "spiece_model";
constexpr auto kWanClipSign = "visual.transformer.0.attn.to_qkv.weight";

// The picture tower of the CLIP that lies in the folders of Wan's authors; its text tower is left out.
nn::Checkpoint wan_clip_vision(nn::Checkpoint file) {
  if (!file.tensors.contains(kWanClipSign)) return file;
  nn::Checkpoint vision{.file = file.file, .tensors = {}, .metadata = {}};
  constexpr std::string_view kTower = "visual.";
  for (auto& [name, tensor] : file.tensors) {
    if (!name.starts_with(kTower)) continue;
    const auto path = std::string_view(name).substr(kTower.size());
    auto parts = wan_clip_vision_parts(path);
    if (parts.empty()) parts.push_back({.name = std::string(path)});  // the network's check reports it
    for (const auto& part : parts) vision.tensors.emplace(part.name, taken(tensor, part, file.file, name));
  }
  return vision;
}

// "text_encoders.umt5xxl.transformer." of a name that begins so.
std::string_view section_of(std::string_view name) {
  for (const std::string_view prefix : {"model.diffusion_model.", "diffusion_model.", "vae."})
    if (name.starts_with(prefix)) return prefix;
  constexpr std::string_view kText = "text_encoders.", kNetwork = ".transformer.";
  if (!name.starts_with(kText)) return "";
  const auto network = name.find(kNetwork, kText.size());
  return network == std::string_view::npos ? kText : name.substr(0, network + kNetwork.size());
}

// By prefix, without it.
std::map<std::string, nn::Checkpoint, std::less<>> sections(nn::Checkpoint file) {
  std::map<std::string, nn::Checkpoint, std::less<>> all;
  for (auto& [name, tensor] : file.tensors) {
    const auto prefix = section_of(name);
    auto& section = all[std::string(prefix)];
    section.file = file.file;
    section.tensors.emplace(name.substr(prefix.size()), std::move(tensor));
  }
  return all;
}

std::optional<PartKind> tell(const nn::Checkpoint& section) {
  const auto has = [&](const char* name) { return section.tensors.contains(name); };
  if (has("head.modulation") || has("condition_embedder.time_proj.weight")) return PartKind::wan_transformer;
  if (has("decoder.middle.0.residual.0.gamma") || has("decoder.mid_block.resnets.0.norm1.gamma")) return PartKind::wan_vae;
  if (has("patchify_proj.weight") || has("time_embed.emb.timestep_embedder.linear_1.weight")) return PartKind::ltx_transformer;
  if (has("per_channel_statistics.mean-of-means") || (has("latents_mean") && has("decoder.conv_in.conv.weight"))) return PartKind::ltx_vae;
  if (is_t5(section)) return PartKind::t5;
  if (has(kWanClipSign)) return PartKind::clip_vision;
  if (has("vision_model.embeddings.patch_embedding.weight") && has("visual_projection.weight")) return PartKind::clip_vision;
  return std::nullopt;
}

nn::Checkpoint renamed(PartKind kind, nn::Checkpoint section) {
  switch (kind) {
    case PartKind::wan_transformer: return wan_transformer(std::move(section));
    case PartKind::wan_vae: {
      const auto layers = wan_vae_layers(section.shapes());
      return wan_vae(std::move(section), layers);
    }
    case PartKind::ltx_transformer: return ltx_transformer(std::move(section));
    case PartKind::ltx_vae: return ltx_vae(std::move(section));
    case PartKind::t5:
    case PartKind::umt5: return t5_encoder(std::move(section));
    case PartKind::clip_vision: return wan_clip_vision(std::move(section));
  }
  return section;
}

nlohmann::json config_of(PartKind kind, const nn::WeightShapes& shapes, const std::string& file) {
  switch (kind) {
    case PartKind::wan_transformer: return wan_transformer_config(shapes, file);
    case PartKind::wan_vae: return wan_vae_config(shapes, file);
    case PartKind::ltx_transformer: return ltx_transformer_config(shapes, file);
    case PartKind::ltx_vae: return ltx_vae_config(shapes, file);
    case PartKind::t5:
    case PartKind::umt5: return t5_config(shapes, file);
    case PartKind::clip_vision: return vision_config(shapes, file);
  }
  return {};
}

}  // namespace

std::string_view name(PartKind kind) {
  switch (kind) {
    case PartKind::wan_transformer: return "transformer of Wan";
    case PartKind::wan_vae: return "VAE of Wan";
    case PartKind::ltx_transformer: return "transformer of LTX-Video";
    case PartKind::ltx_vae: return "VAE of LTX-Video";
    case PartKind::t5: return "T5 text encoder";
    case PartKind::umt5: return "UMT5 text encoder";
    case PartKind::clip_vision: return "CLIP picture encoder";
  }
  return "";
}

std::int64_t VideoPart::channels() const {
  const auto* member = kind == PartKind::wan_vae ? "z_dim" : kind == PartKind::ltx_vae ? "latent_channels" : "out_channels";
  return config.integer(member, kind == PartKind::ltx_vae ? 128 : 16, 0, 1 << 16);
}

std::vector<VideoPart> video_parts(const std::filesystem::path& path, nn::Checkpoint file) {
  std::error_code absent;
  const auto beside = path / "config.json";
  std::vector<VideoPart> parts;
  std::optional<nn::StoredTensor> tokenizer;
  for (auto& [prefix, section] : sections(std::move(file))) {
    if (auto found = section.tensors.extract(std::string(kSentencePiece))) tokenizer = std::move(found.mapped());
    auto kind = tell(section);
    if (!kind) continue;
    auto weights = renamed(*kind, std::move(section));
    auto config = std::filesystem::exists(beside, absent) ? nn::JsonConfig::read(beside)
                                                          : nn::JsonConfig(config_of(*kind, weights.shapes(), weights.file), weights.file);
    if (kind == PartKind::t5 && config.text("model_type", "t5") == "umt5") kind = PartKind::umt5;
    parts.push_back({.kind = *kind, .weights = std::move(weights), .config = std::move(config)});
  }
  for (auto& part : parts)
    if (part.kind == PartKind::umt5) part.sentencepiece = tokenizer;
  return parts;
}

}  // namespace kinora::models::single_file
