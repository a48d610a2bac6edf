#pragma once
// Models distilled to a few steps (Turbo, Lightning, LCM) and their defaults, as their cards give them. A folder's scheduler tells; a
// single file has none, so its name must.
#include <cstdint>
#include <optional>
#include <string_view>

#include "models/pipeline.hpp"
#include "nn/json_config.hpp"

namespace kinora::models::stable_diffusion {

struct FewSteps {
  std::int64_t steps = 4;
  double guidance_scale = 1.0;  // 1: without guidance
};

// By the scheduler's configuration; nullopt for models of many steps. guidance_embedded: the network takes the scale as an input.
std::optional<FewSteps> few_steps(const nn::JsonConfig& scheduler, bool guidance_embedded);

// "sdxl_lightning_8step" -> 8; of 1, 2, 4 and 8; 0: the name tells none.
std::int64_t steps_in_name(std::string_view file_name);

// The scheduler that goes with a single file of this name, as members that replace the family's; null for ordinary models.
// "sdxl_lightning_8step.safetensors": Euler with trailing timesteps. The steps that the name gives ("8step") are in `steps`, else 0.
struct NamedRecipe {
  nlohmann::json scheduler;
  std::int64_t steps = 0;
};
NamedRecipe recipe_for_file(std::string_view file_name);
// The same for an adapter (LoRA); of those only LCM and Lightning change the number of steps.
NamedRecipe recipe_for_adapter(std::string_view name);
// Replaces what the recipe names in the model's scheduler, and sets the defaults that go with the scheduler: few steps, guidance.
void apply(const NamedRecipe& recipe, PipelineInfo& info);

}  // namespace kinora::models::stable_diffusion
