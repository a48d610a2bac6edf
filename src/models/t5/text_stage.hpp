#pragma once
// The text encoder of a video pipeline, from its files: "tokenizer" and "text_encoder".
#include <string>

#include "models/diffusion/component.hpp"
#include "models/model_files.hpp"
#include "models/t5/t5_prompt.hpp"

namespace kinora::models::t5 {

// dtype of the placement: the denoiser's; float16, which overflows here, becomes bfloat16. The weights are added to `components`.
PromptEncoder load_text_stage(const ModelFiles& files, nn::Placement placement, diffusion::Components& components);

}  // namespace kinora::models::t5
