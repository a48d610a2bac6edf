#pragma once
// A generative model on disk as its pipeline sees it: an index, and components with configuration and weights. It is a diffusers folder
// (model_index.json, unet/, vae/ ...), one file in its authors' layout (SD 1 and 2, SDXL and its refiner, SVD; safetensors or .ckpt), or
// the file of a transformer of Wan or LTX-Video and those that hold the rest; index and configurations of files are worked out from their
// tensors. Opening reads no weights. A value; any thread. Errors: nn::LoadError.
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "nn/checkpoint.hpp"
#include "nn/json_config.hpp"
#include "nn/tokenizers/tokenizer_file.hpp"

namespace kinora::models {

namespace single_file {
struct VideoPart;
}

class ModelFiles {
 public:
  // variant: of a folder's weight files, as nn::find_weights() takes it.
  // companions: files, or components' folders, that hold what a file of Wan or LTX-Video lacks.
  static ModelFiles open(const std::filesystem::path& path, std::optional<std::string> variant = std::nullopt,
                         const std::vector<std::filesystem::path>& companions = {});

  // The tokenizers of a single file are those of this model's folder, or this is the folder of its only one, where none lie beside the
  // file.
  void borrow_tokenizers(std::filesystem::path folder) { tokenizers_ = std::move(folder); }
  // The UNet's weights come from this file instead (SDXL-Lightning's "sdxl_lightning_4step_unet.safetensors"), in diffusers' names.
  void replace_unet(std::filesystem::path file) { unet_file_ = std::move(file); }
  const std::optional<std::filesystem::path>& unet_file() const { return unet_file_; }

  const nn::JsonConfig& index() const { return index_; }
  // Whether the model has the component: the index names it and does not say null.
  bool has(const std::string& component) const;
  // config.json of a network ("unet"), scheduler_config.json ("scheduler"), preprocessor_config.json ("feature_extractor").
  nn::JsonConfig config(const std::string& component) const;
  nn::Checkpoint weights(const std::string& component) const;
  // Where a component's other files lie, as those of "tokenizer": in its folder. A single file holds no tokenizer: it must lie in a folder
  // "tokenizer" beside the file, as in the repositories that publish such files.
  std::filesystem::path folder(const std::string& component) const;
  // The spiece.model of the text encoder's tokenizer, where a file holds it beside the weights (ComfyUI's UMT5).
  std::optional<nn::NamedText> sentencepiece() const;

 private:
  ModelFiles(nn::JsonConfig index, std::filesystem::path root) : index_(std::move(index)), root_(std::move(root)) {}
  static ModelFiles open_single(const std::filesystem::path& path, const std::vector<std::filesystem::path>& companions);
  static ModelFiles open_video(const std::filesystem::path& path, std::vector<single_file::VideoPart> parts,
                               const std::vector<std::filesystem::path>& companions);

  nn::JsonConfig index_;
  std::filesystem::path root_;
  std::optional<std::string> variant_;
  std::optional<std::filesystem::path> unet_file_, tokenizers_;
  bool single_ = false;
  std::map<std::string, nn::JsonConfig> configs_;     // of a single file
  std::map<std::string, nn::Checkpoint> components_;  // of a single file
  std::optional<nn::StoredTensor> sentencepiece_;     // bytes, of a single file
};

}  // namespace kinora::models
