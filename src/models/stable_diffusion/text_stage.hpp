#pragma once
// The text encoders of a Stable Diffusion model, as one part of a pipeline.
#include <memory>
#include <string>
#include <vector>

#include "models/clip/prompt_encoder.hpp"
#include "models/diffusion/component.hpp"
#include "models/model_files.hpp"
#include "models/pipeline.hpp"

namespace kinora::models::stable_diffusion {

struct TextStage {
  std::shared_ptr<const clip::PromptEncoder> encoder;
  std::vector<std::string> components;  // "text_encoder", "text_encoder_2": those that the model has

  clip::EncodedPrompts encode(const GenerationRequest& request) const;
};

// Adds what it loads to `components`.
TextStage load_text_stage(const ModelFiles& files, clip::PromptFamily family, const nn::Placement& placement,
                          diffusion::Components& components);

}  // namespace kinora::models::stable_diffusion
