#include "models/single_file/split.hpp"

#include <ATen/ops/eye.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <vector>

#include "models/single_file/open_clip_names.hpp"
#include "models/single_file/unet_names.hpp"
#include "models/single_file/vae_names.hpp"
#include "nn/load_error.hpp"
#include "nn/scalar_type.hpp"

namespace kinora::models::single_file {
namespace {

using nn::StoredTensor;
using Parts = std::function<std::vector<ClipPart>(std::string_view path)>;

struct Source {
  std::string component, prefix;
  Parts parts;
};

// Levels of the decoder, layers of the UNet: told by the highest index and by where the first level ends.
std::int64_t count(const nn::Checkpoint& file, const std::string& before, const std::string& after, std::int64_t most) {
  std::int64_t found = 0;
  while (found < most && file.tensors.contains(std::string(before).append(std::to_string(found)).append(after))) ++found;
  return found;
}

std::int64_t unet_layers(const nn::Checkpoint& file, const std::string& prefix) {
  for (std::int64_t i = 1; i < 32; ++i)
    if (file.tensors.contains(prefix + "input_blocks." + std::to_string(i) + ".0.op.weight")) return i - 1;
  return 2;
}

Parts as_parts(std::function<std::optional<std::string>(std::string_view)> rename) {
  return [rename = std::move(rename)](std::string_view path) {
    auto name = rename(path);
    return name ? std::vector<ClipPart>{{.name = std::move(*name)}} : std::vector<ClipPart>{};
  };
}

// "cond_stage_model.transformer.": CLIP as transformers names it, in old files without "text_model.".
Parts transformers_text() {
  return as_parts([](std::string_view path) -> std::optional<std::string> { return std::string(path); });
}

// SD 2 takes the output of the last layer but one: diffusers builds its text encoder without the last layer and without the projection.
std::vector<ClipPart> text_parts_of_sd2(std::string_view path) {
  const bool left_out = path.starts_with("transformer.resblocks.23.") || path == "text_projection";
  return left_out ? std::vector<ClipPart>{{.name = ""}} : open_clip_text_parts(path);
}

std::vector<Source> sources(const nn::Checkpoint& file, Family family) {
  const bool video = family == Family::svd;
  const std::string unet = "model.diffusion_model.", sgm = "conditioner.embedders.";
  const std::string vae = file.tensors.contains("vae.decoder.conv_in.weight") ? "vae." : "first_stage_model.";
  const UnetNaming naming{.layers = unet_layers(file, unet), .video = video};
  const auto levels = count(file, vae + "decoder.up.", ".block.0.norm1.weight", 16);
  std::vector<Source> all{{"unet", unet, as_parts([naming](std::string_view path) { return unet_name(path, naming); })},
                          {"vae", vae, as_parts([levels, video](std::string_view path) { return vae_name(path, levels, video); })}};
  switch (family) {
    case Family::sd1: all.push_back({"text_encoder", "cond_stage_model.transformer.", transformers_text()}); break;
    case Family::sd2: all.push_back({"text_encoder", "cond_stage_model.model.", text_parts_of_sd2}); break;
    case Family::sdxl:
      all.push_back({"text_encoder", sgm + "0.transformer.", transformers_text()});
      all.push_back({"text_encoder_2", sgm + "1.model.", open_clip_text_parts});
      break;
    case Family::sdxl_refiner: all.push_back({"text_encoder_2", sgm + "0.model.", open_clip_text_parts}); break;
    case Family::svd: all.push_back({"image_encoder", sgm + "0.open_clip.model.visual.", open_clip_vision_parts}); break;
  }
  return all;
}

// The VAE's attention is stored as 1x1 convolutions and used as matrices.
StoredTensor as_matrix(StoredTensor whole) {
  while (whole.shape.size() > 2 && whole.shape.back() == 1) whole.shape.pop_back();
  whole.read = [read = std::move(whole.read), shape = whole.shape] { return read().view(shape); };
  return whole;
}

bool is_vae_attention(const std::string& component, const std::string& name) {
  return component == "vae" && name.find(".attentions.") != std::string::npos && name.ends_with(".weight");
}

void add(nn::Checkpoint& component, const Source& source, const std::string& original, const StoredTensor& tensor,
         const std::string& file) {
  const std::string_view path = std::string_view(original).substr(source.prefix.size());
  if (path == "logit_scale") return;
  auto parts = source.parts(path);
  if (parts.empty()) parts.push_back({.name = std::string(path)});
  for (const ClipPart& part : parts) {
    if (part.name.empty()) continue;
    StoredTensor own = taken(tensor, part, file, original);
    if (is_vae_attention(source.component, part.name)) own = as_matrix(std::move(own));
    if (!component.tensors.emplace(part.name, std::move(own)).second)
      throw nn::LoadError(file, original, "is there as well under another name");
  }
}

// Stable Video Diffusion's file has no convolution between encoder and latents; diffusers' network has, so it becomes the identity.
void add_identity_quant_conv(nn::Checkpoint& vae) {
  const auto out = vae.tensors.find("encoder.conv_out.weight");
  if (vae.tensors.contains("quant_conv.weight") || out == vae.tensors.end() || out->second.shape.empty()) return;
  const auto channels = out->second.shape[0];
  const auto dtype = nn::scalar_type(out->second.dtype);
  vae.tensors.emplace("quant_conv.weight", StoredTensor{out->second.dtype, {channels, channels, 1, 1}, [=] {
                                                          return at::eye(channels, at::kFloat).to(dtype).view({channels, channels, 1, 1});
                                                        }});
  vae.tensors.emplace("quant_conv.bias", StoredTensor{out->second.dtype, {channels}, [=] { return at::zeros({channels}, dtype); }});
}

}  // namespace

std::map<std::string, nn::Checkpoint> split(const nn::Checkpoint& file, Family family) {
  std::map<std::string, nn::Checkpoint> components;
  for (const Source& source : sources(file, family)) {
    nn::Checkpoint component{.file = file.file + " (" + source.component + ")", .tensors = {}, .metadata = {}};
    for (auto entry = file.tensors.lower_bound(source.prefix); entry != file.tensors.end() && entry->first.starts_with(source.prefix);
         ++entry)
      add(component, source, entry->first, entry->second, file.file);
    if (family == Family::svd && source.component == "vae") add_identity_quant_conv(component);
    if (!component.tensors.empty()) components.emplace(source.component, std::move(component));
  }
  return components;
}

}  // namespace kinora::models::single_file
