#include "models/single_file/video_layout.hpp"

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "models/single_file/ltx_names.hpp"
#include "models/single_file/wan_names.hpp"
#include "models/single_file/wan_vae_names.hpp"
#include "nn/load_error.hpp"

namespace kinora::models::single_file {
namespace {

using Rename = std::function<std::optional<std::string>(std::string_view path)>;

// "" or the prefix that the name stands behind.
std::optional<std::string> prefix_of(const nn::Checkpoint& file, const std::string& name) {
  for (const char* prefix : {"", "model.diffusion_model.", "diffusion_model.", "vae."})
    if (file.tensors.contains(prefix + name)) return prefix;
  return std::nullopt;
}

// The tensors behind the prefix under their new names; those without one are left out.
nn::Checkpoint renamed(nn::Checkpoint file, const std::string& prefix, const Rename& rename) {
  nn::Checkpoint named{.file = file.file, .tensors = {}, .metadata = std::move(file.metadata)};
  for (auto& [name, tensor] : file.tensors) {
    if (!name.starts_with(prefix)) continue;
    auto to = rename(std::string_view(name).substr(prefix.size()));
    if (!to) continue;
    if (!named.tensors.emplace(std::move(*to), std::move(tensor)).second)
      throw nn::LoadError(file.file, name, "is there as well under another name");
  }
  return named;
}

}  // namespace

nn::Checkpoint wan_transformer(nn::Checkpoint file) {
  const auto prefix = prefix_of(file, "head.modulation");
  if (!prefix) return file;
  return renamed(std::move(file), *prefix, [](std::string_view path) {
    auto name = wan_name(path);
    return name ? std::move(name) : std::optional(std::string(path));  // reported as unexpected
  });
}

nn::Checkpoint wan_vae(nn::Checkpoint file, std::int64_t layers) {
  const auto prefix = prefix_of(file, "decoder.middle.0.residual.0.gamma");
  if (!prefix) return file;
  return renamed(std::move(file), *prefix, [layers](std::string_view path) {
    auto name = wan_vae_name(path, layers);
    return name ? std::move(name) : std::optional(std::string(path));
  });
}

nn::Checkpoint ltx_transformer(nn::Checkpoint file) {
  const auto prefix = prefix_of(file, "patchify_proj.weight");
  if (!prefix) return file;
  return renamed(std::move(file), *prefix, [](std::string_view path) -> std::optional<std::string> {
    if (path.starts_with("vae.")) return std::nullopt;
    return ltx_transformer_name(path);
  });
}

nn::Checkpoint ltx_vae(nn::Checkpoint file) {
  const auto prefix = prefix_of(file, "per_channel_statistics.mean-of-means");
  if (!prefix) return file;
  // The encoder of 0.9.5 has a block less: its steps down change the channels themselves.
  const auto tenth = file.tensors.lower_bound(*prefix + "encoder.down_blocks.9.");
  const bool fewer = tenth == file.tensors.end() || !tenth->first.starts_with(*prefix + "encoder.down_blocks.9.");
  const bool timed = file.tensors.contains(*prefix + "decoder.last_time_embedder.timestep_embedder.linear_1.weight");
  const auto version = fewer ? LtxVae::v095 : timed ? LtxVae::v091 : LtxVae::v090;
  return renamed(std::move(file), *prefix, [version](std::string_view path) { return ltx_vae_name(path, version); });
}

}  // namespace kinora::models::single_file
