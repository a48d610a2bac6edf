#include "kinora_train/video/starter_folder.hpp"

#include <fstream>

#include "kinora_train/clips/scene.hpp"
#include "kinora_train/error.hpp"
#include "kinora_train/leaves.hpp"
#include "kinora_train/video/word_pieces.hpp"
#include "nn/safetensors.hpp"

namespace kinora::train {
namespace {

void write_json(const std::filesystem::path& path, const nlohmann::json& value) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path);
  file << value.dump(2) << '\n';
  if (!file.flush()) throw Failure("cannot write " + path.string());
}

nlohmann::json model_index() {
  return {{"_class_name", "WanPipeline"},
          {"_diffusers_version", "0.35.0"},
          {"boundary_ratio", nullptr},
          {"expand_timesteps", false},
          {"kinora_defaults",
           {{"width", kClipSide},
            {"height", kClipSide},
            {"frames", kClipFrames},
            {"fps", kClipFps},
            {"steps", 24},
            {"guidance_scale", 1.0},
            {"max_sequence_length", kPromptTokens}}},
          {"scheduler", {"diffusers", "FlowMatchEulerDiscreteScheduler"}},
          {"text_encoder", {"transformers", "UMT5EncoderModel"}},
          {"tokenizer", {"transformers", "PreTrainedTokenizerFast"}},
          {"transformer", {"diffusers", "WanTransformer3DModel"}},
          {"transformer_2", {nullptr, nullptr}},
          {"vae", {"diffusers", "AutoencoderKLWan"}}};
}

void write_weights(const std::filesystem::path& path, const nn::TensorMap& weights) {
  nn::TensorMap stored;
  for (const auto& [name, weight] : weights) stored[name] = weight.detach().to(at::kBFloat16).contiguous();
  nn::write_safetensors(path, stored, {{"format", "pt"}});
}

}  // namespace

void write_tokenizer(const std::filesystem::path& folder) {
  write_json(folder / "tokenizer.json", tokenizer_json());
  write_json(folder / "tokenizer_config.json", tokenizer_config_json());
}

void write_starter_folder(const std::filesystem::path& folder, StarterConfig config, const nn::TensorMap& weights,
                          const std::vector<double>& mean, const std::vector<double>& deviation) {
  config.vae["latents_mean"] = mean;
  config.vae["latents_std"] = deviation;
  write_json(folder / "model_index.json", model_index());
  write_json(folder / "scheduler" / "scheduler_config.json", config.scheduler);
  write_json(folder / "vae" / "config.json", config.vae);
  write_json(folder / "text_encoder" / "config.json", config.text_encoder);
  write_json(folder / "transformer" / "config.json", config.transformer);
  write_tokenizer(folder / "tokenizer");
  write_weights(folder / "vae" / "diffusion_pytorch_model.safetensors", part_of(weights, "vae"));
  write_weights(folder / "text_encoder" / "model.safetensors", part_of(weights, "text_encoder"));
  write_weights(folder / "transformer" / "diffusion_pytorch_model.safetensors", part_of(weights, "transformer"));
}

}  // namespace kinora::train
