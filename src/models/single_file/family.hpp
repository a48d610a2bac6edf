#pragma once
// Which model a single file in its authors' layout holds, told by tensors that only this model has.
#include <optional>
#include <string_view>

#include "nn/weight_check.hpp"

namespace kinora::models::single_file {

enum class Family { sd1, sd2, sdxl, sdxl_refiner, svd };

std::string_view name(Family family);  // "Stable Diffusion 1", for people
// nullopt: none of these.
std::optional<Family> detect(const nn::WeightShapes& shapes);

}  // namespace kinora::models::single_file
