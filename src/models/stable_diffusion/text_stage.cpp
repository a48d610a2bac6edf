#include "models/stable_diffusion/text_stage.hpp"

namespace kinora::models::stable_diffusion {

clip::EncodedPrompts TextStage::encode(const GenerationRequest& request) const {
  return encoder->encode({.prompts = request.prompts,
                          .prompts_2 = request.prompts_2,
                          .negative = request.negative_prompts,
                          .negative_2 = request.negative_2,
                          .clip_skip = request.clip_skip,
                          .syntax = request.prompt_weights ? clip::PromptSyntax::weighted : clip::PromptSyntax::literal});
}

TextStage load_text_stage(const ModelFiles& files, clip::PromptFamily family, const nn::Placement& placement,
                          diffusion::Components& components) {
  TextStage stage;
  std::vector<clip::TextEncoder> encoders;
  for (const std::string suffix : {"", "_2"}) {
    const auto name = "text_encoder" + suffix;
    if (!files.has(name)) continue;
    auto loaded = clip::load_text_model(clip::TextConfig::read(files.config(name)), files.weights(name), placement);
    encoders.push_back({std::make_shared<nn::ClipTokenizer>(nn::ClipTokenizer::open(files.folder("tokenizer" + suffix))), loaded.model});
    components.add(name, std::move(loaded.parameters));
    stage.components.push_back(name);
  }
  const bool zero_negative = family == clip::PromptFamily::sdxl && files.index().flag("force_zeros_for_empty_prompt", true);
  stage.encoder = std::make_shared<clip::PromptEncoder>(family, std::move(encoders), zero_negative);
  return stage;
}

}  // namespace kinora::models::stable_diffusion
