#include "runner/ai_models.hpp"

namespace kinora::runner {

namespace json = base::json;

base::Result<json::array> read_ai_loras(std::string_view text) {
  json::array adapters;
  if (text.empty()) return adapters;
  const auto parsed = base::parse_json(text);
  if (!parsed || (!parsed->is_object() && !parsed->is_null()))
    return base::fail(base::ErrorCode::invalid, "Unable to parse '" + std::string(text) + "' as JSON");
  if (parsed->is_null()) return adapters;
  for (const auto& [name, strength] : parsed->get_object()) {
    if (!strength.is_number() || strength.to_number<double>() < 0)
      return base::fail(base::ErrorCode::invalid, "All strengths must be numbers greater than or equal to 0.0");
    adapters.push_back(json::object{{"adapter", name}, {"scale", strength.to_number<double>()}});
  }
  if (adapters.size() > kMaxAiLoras)
    return base::fail(base::ErrorCode::invalid, "Too many LoRas provided. Maximum is " + std::to_string(kMaxAiLoras));
  return adapters;
}

std::optional<int> lightning_steps(std::string_view model_id) {
  constexpr std::string_view kName = "ByteDance/SDXL-Lightning";
  if (!model_id.starts_with(kName)) return std::nullopt;
  const auto rest = model_id.substr(kName.size());
  for (const int steps : {2, 4, 8})
    if (rest == "-" + std::to_string(steps) + "step") return steps;
  return rest.empty() ? std::optional(8) : std::nullopt;
}

std::string lightning_model(int steps) { return "ByteDance/SDXL-Lightning/sdxl_lightning_" + std::to_string(steps) + "step_unet"; }

}  // namespace kinora::runner
