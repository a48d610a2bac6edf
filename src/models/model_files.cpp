#include "models/model_files.hpp"

#include <array>
#include <string_view>

#include "models/single_file/configs.hpp"
#include "models/single_file/split.hpp"
#include "nn/load_error.hpp"

namespace kinora::models {
namespace {

namespace fs = std::filesystem;

nlohmann::json component_config(const std::string& component, const nn::Checkpoint& weights, single_file::Family family) {
  const auto shapes = weights.shapes();
  if (component == "unet") return single_file::unet_config(shapes, family, weights.file);
  if (component == "vae") return single_file::vae_config(shapes, family, weights.file);
  if (component == "image_encoder") return single_file::vision_config(shapes, weights.file);
  return single_file::text_config(shapes, family, component == "text_encoder_2", weights.file);
}

fs::path config_file(const fs::path& folder) {
  constexpr std::array<std::string_view, 3> kNames{"config.json", "scheduler_config.json", "preprocessor_config.json"};
  std::error_code absent;
  for (const auto name : kNames)
    if (fs::exists(folder / name, absent)) return folder / name;
  return folder / kNames.front();  // its absence is reported by this name
}

}  // namespace

ModelFiles ModelFiles::open(const fs::path& path, std::optional<std::string> variant) {
  std::error_code failed;
  if (!fs::is_directory(path, failed)) return open_single(path);
  ModelFiles files(nn::JsonConfig::read(path / "model_index.json"), path);
  files.variant_ = std::move(variant);
  return files;
}

ModelFiles ModelFiles::open_single(const fs::path& path) {
  const auto file = nn::open_checkpoint(path);
  const auto family = single_file::detect(file.shapes());
  if (!family)
    throw nn::LoadError(path.string(), "",
                        "is no whole model that is known: Stable Diffusion 1 or 2, SDXL, SDXL refiner, Stable Video Diffusion");
  ModelFiles files({single_file::model_index(*family), path.string()}, path.parent_path());
  files.single_ = true;
  files.components_ = single_file::split(file, *family);
  for (const auto& [component, weights] : files.components_)
    files.configs_.emplace(component, nn::JsonConfig(component_config(component, weights, *family), weights.file));
  const single_file::Schedule schedule{.v_prediction = file.tensors.contains("v_pred"), .zero_terminal = file.tensors.contains("ztsnr")};
  files.configs_.emplace("scheduler", nn::JsonConfig(single_file::scheduler_config(*family, schedule), path.string() + " (scheduler)"));
  return files;
}

fs::path ModelFiles::folder(const std::string& component) const {
  std::error_code absent;
  if (tokenizers_ && !fs::exists(root_ / component, absent)) return *tokenizers_ / component;
  return root_ / component;
}

bool ModelFiles::has(const std::string& component) const {
  // [null, null] is how diffusers writes a component that is left out.
  const auto found = index_.json().find(component);
  return found != index_.json().end() && found->is_array() && !found->empty() && !found->front().is_null();
}

nn::JsonConfig ModelFiles::config(const std::string& component) const {
  if (!single_) return nn::JsonConfig::read(config_file(root_ / component));
  const auto found = configs_.find(component);
  return found != configs_.end() ? found->second : nn::JsonConfig(nlohmann::json::object(), index_.file() + " (" + component + ")");
}

nn::Checkpoint ModelFiles::weights(const std::string& component) const {
  if (component == "unet" && unet_file_) return nn::open_checkpoint(*unet_file_);
  if (!single_) return nn::open_checkpoint(root_ / component, variant_);
  const auto found = components_.find(component);
  if (found == components_.end()) throw nn::LoadError(index_.file(), component, "is not in the file");
  return found->second;
}

}  // namespace kinora::models
