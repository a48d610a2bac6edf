#include "models/lora/module_names.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "models/single_file/unet_names.hpp"
#include "models/single_file/wan_names.hpp"

namespace kinora::models::lora {
namespace {

constexpr std::string_view kDenoiser = "";

// Longer prefixes first.
constexpr std::array<std::pair<std::string_view, std::string_view>, 13> kPrefixes{{{"lora_unet_", kDenoiser},
                                                                                   {"lora_transformer_", kDenoiser},
                                                                                   {"lora_te1_", "text_encoder"},
                                                                                   {"lora_te2_", "text_encoder_2"},
                                                                                   {"lora_te_", "text_encoder"},
                                                                                   {"text_encoder_2.", "text_encoder_2"},
                                                                                   {"text_encoder.", "text_encoder"},
                                                                                   {"transformer_2.", "transformer_2"},
                                                                                   {"transformer.", kDenoiser},
                                                                                   {"unet.", kDenoiser},
                                                                                   {"model.diffusion_model.", kDenoiser},
                                                                                   {"diffusion_model.", kDenoiser},
                                                                                   {"base_model.model.", kDenoiser}}};

std::string underscored(std::string path) {
  std::replace(path.begin(), path.end(), '.', '_');
  return path;
}

void replace(std::string& text, std::string_view from, std::string_view to) {
  if (const auto at = text.find(from); at != std::string::npos) text.replace(at, from.size(), to);
}

// Diffusers of before PEFT: "attn1.processor.to_q" is to_q, "to_out" is to_out.0; CLIP's projections are called as the UNet's.
std::string old_diffusers_name(std::string path) {
  replace(path, "_processor_", "_");
  if (path.ends_with("_to_out")) path += "_0";
  if (path.find("self_attn_to_") != std::string::npos) {
    replace(path, "_to_out_0", "_out_proj");
    for (const std::string_view projection : {"q", "k", "v"})
      if (const auto old = "_to_" + std::string(projection); path.ends_with(old))
        path.replace(path.size() - old.size(), old.size(), "_" + std::string(projection) + "_proj");
  }
  return path;
}

std::string ltx_name(std::string path) {
  replace(path, "patchify_proj", "proj_in");
  replace(path, "adaln_single", "time_embed");
  replace(path, "q_norm", "norm_q");
  replace(path, "k_norm", "norm_k");
  return path;
}

}  // namespace

void ModuleNames::add(const std::string& component, const nn::Parameters& parameters) {
  Component& added = components_[component];
  for (const auto& [name, tensor] : parameters) {
    const auto module = name.substr(0, name.rfind('.'));
    added.by_underscores.emplace(underscored(module), module);
  }
  while (parameters.contains("down_blocks.0.resnets." + std::to_string(added.unet_layers) + ".conv1.weight")) ++added.unet_layers;
}

std::optional<std::string> ModuleNames::find_in(const Component& component, std::string path) const {
  const auto known = [&](const std::string& name) -> std::optional<std::string> {
    const auto found = component.by_underscores.find(name);
    return found == component.by_underscores.end() ? std::nullopt : std::optional(found->second);
  };
  path = underscored(std::move(path));
  for (const auto& name : {path, "text_model_" + path, old_diffusers_name(path), old_diffusers_name("text_model_" + path), ltx_name(path)})
    if (auto module = known(name)) return module;
  if (component.unet_layers > 0)
    if (const auto name = single_file::unet_name(path, {.layers = component.unet_layers, .video = false, .separator = '_'}))
      return known(*name);
  if (const auto name = single_file::wan_name(path, '_')) return known(*name);
  return std::nullopt;
}

std::optional<ModuleRef> ModuleNames::find(const std::string& name, const std::string& denoiser) const {
  const auto search = [&](std::string_view component, std::string_view path) -> std::optional<ModuleRef> {
    const auto found = components_.find(component == kDenoiser ? denoiser : std::string(component));
    if (found == components_.end()) return std::nullopt;
    auto module = find_in(found->second, std::string(path));
    return module ? std::optional(ModuleRef{found->first, std::move(*module)}) : std::nullopt;
  };
  for (const auto& [prefix, component] : kPrefixes)
    if (name.starts_with(prefix)) return search(component, std::string_view(name).substr(prefix.size()));
  return search(kDenoiser, name);
}

}  // namespace kinora::models::lora
