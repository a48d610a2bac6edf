#pragma once
// The configurations that a diffusers folder would hold beside the weights, worked out from the shapes of a single file's components. What
// shapes cannot tell (heads, sample sizes, scaling factors, the scheduler) is the family's. Members have the names of diffusers and
// transformers; those that are not given have their defaults there.
#include <nlohmann/json.hpp>

#include "models/single_file/family.hpp"

namespace kinora::models::single_file {

// shapes: of the component as split() gives it. Throws nn::LoadError naming the missing weight.
nlohmann::json unet_config(const nn::WeightShapes& shapes, Family family, const std::string& file);
nlohmann::json vae_config(const nn::WeightShapes& shapes, Family family, const std::string& file);
// second: "text_encoder_2", the one with projection.
nlohmann::json text_config(const nn::WeightShapes& shapes, Family family, bool second, const std::string& file);
nlohmann::json vision_config(const nn::WeightShapes& shapes, const std::string& file);

struct Schedule {
  bool v_prediction = false;   // the file is marked so ("v_pred"), or its family is
  bool zero_terminal = false;  // marked "ztsnr"
};
nlohmann::json scheduler_config(Family family, const Schedule& schedule);
// model_index.json: the pipeline's class and its components' classes.
nlohmann::json model_index(Family family);

}  // namespace kinora::models::single_file
