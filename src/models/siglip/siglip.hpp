#pragma once
// SigLIP: CLIP's layers without causality, start or class token; the text is the last token's, the picture is pooled by attention.
#include <memory>

#include "models/clip/zero_shot.hpp"
#include "nn/json_config.hpp"

namespace kinora::models::siglip {

std::unique_ptr<const clip::ZeroShot> build(const nn::JsonConfig& config, const nn::Weights& root);

}  // namespace kinora::models::siglip
