#pragma once
// The configurations that diffusers' folders of Wan hold, worked out from the shapes of the weights under diffusers' names. What no shape
// tells is the family's: heads of width 128, the statistics of the latents, the scheduler. Errors: nn::LoadError naming the tensor.
#include <nlohmann/json.hpp>

#include "nn/weight_check.hpp"

namespace kinora::models::single_file {

nlohmann::json wan_transformer_config(const nn::WeightShapes& shapes, const std::string& file);
// Residual blocks of an encoder's level, under the authors' names or diffusers': they must be known before the names can be changed.
std::int64_t wan_vae_layers(const nn::WeightShapes& shapes);
nlohmann::json wan_vae_config(const nn::WeightShapes& shapes, const std::string& file);
// of a transformer with this configuration
nlohmann::json wan_scheduler_config(const nlohmann::json& transformer);
// model_index.json. two_experts: of 2.2 A14B.
nlohmann::json wan_index(const nlohmann::json& transformer, bool two_experts);
// preprocessor_config.json of the picture encoder with this configuration
nlohmann::json clip_processor_config(const nlohmann::json& vision);

}  // namespace kinora::models::single_file
