#include "models/stable_diffusion/few_steps.hpp"

#include <algorithm>
#include <cctype>
#include <string>

namespace kinora::models::stable_diffusion {

std::optional<FewSteps> few_steps(const nn::JsonConfig& scheduler, bool guidance_embedded) {
  const auto cls = scheduler.text("_class_name", "");
  if (cls == "LCMScheduler" || cls == "TCDScheduler") return FewSteps{.guidance_scale = guidance_embedded ? 8.5 : 1.0};
  // Trailing timesteps and noise prediction: adversarial distillation. Turbo is ancestral and made for one step.
  const bool ancestral = cls == "EulerAncestralDiscreteScheduler";
  if (!ancestral && cls != "EulerDiscreteScheduler") return std::nullopt;
  if (scheduler.text("timestep_spacing", "linspace") != "trailing") return std::nullopt;
  const auto prediction = scheduler.text("prediction_type", "epsilon");
  if (prediction == "v_prediction") return std::nullopt;
  return FewSteps{.steps = ancestral || prediction == "sample" ? 1 : 4};
}

namespace {

std::string lower(std::string_view name) {
  std::string out(name);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

}  // namespace

std::int64_t steps_in_name(std::string_view file_name) {
  const std::string name = lower(file_name);
  std::int64_t found = 0;
  for (const std::int64_t steps : {1, 2, 4, 8})
    for (const char* const link : {"step", "-step", "_step"})
      if (name.find(std::to_string(steps) + link) != std::string::npos) found = steps;
  return found;
}

NamedRecipe recipe_for_file(std::string_view file_name) {
  const std::string name = lower(file_name);
  const auto has = [&](std::string_view word) { return name.find(word) != std::string::npos; };
  NamedRecipe recipe;
  recipe.steps = steps_in_name(name);
  if (has("lightning")) {
    recipe.scheduler = {{"_class_name", "EulerDiscreteScheduler"}, {"timestep_spacing", "trailing"}};
    if (recipe.steps == 1) recipe.scheduler["prediction_type"] = "sample";
  } else if (has("turbo")) {
    recipe.scheduler = {{"_class_name", "EulerAncestralDiscreteScheduler"}, {"timestep_spacing", "trailing"}};
  } else if (has("lcm")) {
    recipe.scheduler = {{"_class_name", "LCMScheduler"}};
  } else {
    recipe.steps = 0;
  }
  return recipe;
}

NamedRecipe recipe_for_adapter(std::string_view name) {
  auto recipe = recipe_for_file(name);
  const auto cls = recipe.scheduler.is_null() ? "" : recipe.scheduler.value("_class_name", "");
  return cls == "LCMScheduler" || cls == "EulerDiscreteScheduler" ? recipe : NamedRecipe{};
}

void apply(const NamedRecipe& recipe, PipelineInfo& info) {
  auto scheduler = nn::JsonConfig::parse(info.scheduler_config, "scheduler_config.json");
  if (!recipe.scheduler.is_null()) {
    auto members = scheduler.json();
    members.update(recipe.scheduler);
    scheduler = nn::JsonConfig(std::move(members), scheduler.file());
    info.scheduler_config = scheduler.json().dump();
  }
  const auto few = few_steps(scheduler, info.guidance_embedded);
  if (!few) return;
  info.few_steps = true;
  info.steps = recipe.steps > 0 ? recipe.steps : few->steps;
  info.guidance_scale = few->guidance_scale;
}

}  // namespace kinora::models::stable_diffusion
