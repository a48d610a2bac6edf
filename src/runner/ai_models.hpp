#pragma once
// What the AI-runner routes know about models that their ids alone tell: adapters (`loras`) and SDXL-Lightning. Pure.
#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"

namespace kinora::runner {

inline constexpr std::size_t kMaxAiLoras = 4;

// The field `loras`, JSON text {"REPOSITORY": strength, ...} -> the task's `adapters`. Empty text, null and {}: none. Errors: invalid, with
// the reference's words.
base::Result<base::json::array> read_ai_loras(std::string_view text);

// "ByteDance/SDXL-Lightning" 8, "...-2step" 2, "-4step" 4, "-8step" 8; nullopt: another model.
std::optional<int> lightning_steps(std::string_view model_id);
// The id that the UNet file of so many steps has here (model_list.hpp).
std::string lightning_model(int steps);

}  // namespace kinora::runner
