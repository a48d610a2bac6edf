#include "models/model_files.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "models/single_file/configs.hpp"
#include "models/single_file/split.hpp"
#include "models/single_file/video_model.hpp"
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
  return folder / (folder.filename() == "scheduler" ? kNames[1] : kNames.front());  // its absence is reported by this name
}

}  // namespace

ModelFiles ModelFiles::open(const fs::path& path, std::optional<std::string> variant, const std::vector<fs::path>& companions) {
  std::error_code failed;
  if (!fs::is_directory(path, failed)) return open_single(path, companions);
  ModelFiles files(nn::JsonConfig::read(path / "model_index.json"), path);
  files.variant_ = std::move(variant);
  return files;
}

ModelFiles ModelFiles::open_single(const fs::path& path, const std::vector<fs::path>& companions) {
  const auto file = nn::open_checkpoint(path);
  const auto family = single_file::detect(file.shapes());
  if (!family) return open_video(path, single_file::video_parts(path, file), companions);
  ModelFiles files({single_file::model_index(*family), path.string()}, path.parent_path());
  files.single_ = true;
  files.components_ = single_file::split(file, *family);
  for (const auto& [component, weights] : files.components_)
    files.configs_.emplace(component, nn::JsonConfig(component_config(component, weights, *family), weights.file));
  const single_file::Schedule schedule{.v_prediction = file.tensors.contains("v_pred"), .zero_terminal = file.tensors.contains("ztsnr")};
  files.configs_.emplace("scheduler", nn::JsonConfig(single_file::scheduler_config(*family, schedule), path.string() + " (scheduler)"));
  return files;
}

ModelFiles ModelFiles::open_video(const fs::path& path, std::vector<single_file::VideoPart> parts,
                                  const std::vector<fs::path>& companions) {
  if (std::none_of(parts.begin(), parts.end(), [](const auto& part) { return single_file::is_video_transformer(part.kind); }))
    throw nn::LoadError(
        path.string(), "",
        parts.empty()
            ? "is no whole model that is known: Stable Diffusion 1 or 2, SDXL, SDXL refiner, Stable Video Diffusion, Wan, LTX-Video"
            : "is no whole model but a " + std::string(single_file::name(parts.front().kind)) + ": ask for the file of the transformer");
  auto model = single_file::gather_video_model(path, std::move(parts), companions);
  ModelFiles files({std::move(model.index), path.string()}, path.parent_path());
  files.single_ = true;
  files.components_ = std::move(model.components);
  files.configs_ = std::move(model.configs);
  files.sentencepiece_ = std::move(model.sentencepiece);
  return files;
}

std::optional<nn::NamedText> ModelFiles::sentencepiece() const {
  if (!sentencepiece_) return std::nullopt;
  const std::string name = index_.file() + " (spiece_model)";
  if (sentencepiece_->dtype != nn::Dtype::u8 || sentencepiece_->shape.size() != 1 ||
      sentencepiece_->shape[0] > static_cast<std::int64_t>(nn::kMaxTokenizerBytes))
    throw nn::LoadError(name, "", "must be the bytes of a spiece.model, at most 128 MiB");
  const auto bytes = sentencepiece_->read();
  return nn::NamedText{.name = name, .text = {static_cast<const char*>(bytes.const_data_ptr()), static_cast<std::size_t>(bytes.numel())}};
}

fs::path ModelFiles::folder(const std::string& component) const {
  std::error_code absent;
  if (tokenizers_ && !fs::exists(root_ / component, absent))
    return fs::exists(*tokenizers_ / component, absent) ? *tokenizers_ / component : *tokenizers_;
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
