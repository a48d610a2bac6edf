#pragma once
// The configurations that diffusers' folders of LTX-Video hold, worked out from the shapes of the weights under diffusers' names. What no
// shape tells is the family's: 32 heads, the scheduler. Errors: nn::LoadError naming the tensor.
#include <nlohmann/json.hpp>

#include "nn/weight_check.hpp"

namespace kinora::models::single_file {

nlohmann::json ltx_transformer_config(const nn::WeightShapes& shapes, const std::string& file);
nlohmann::json ltx_vae_config(const nn::WeightShapes& shapes, const std::string& file);
nlohmann::json ltx_scheduler_config();
nlohmann::json ltx_index();  // model_index.json

}  // namespace kinora::models::single_file
