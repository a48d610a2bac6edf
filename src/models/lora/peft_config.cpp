#include "models/lora/peft_config.hpp"

#include <cmath>

#include "nn/load_error.hpp"

namespace kinora::models::lora {
namespace {

constexpr const char* kMember = "lora_adapter_metadata";
constexpr std::size_t kMaxBytes = 4 << 20;

}  // namespace

PeftConfig::PeftConfig(const nn::Checkpoint& checkpoint) : file_(checkpoint.file) {
  const auto found = checkpoint.metadata.find(kMember);
  if (found == checkpoint.metadata.end()) return;
  if (found->second.size() > kMaxBytes) throw nn::LoadError(file_, kMember, "larger than the limit of 4 MiB");
  members_ = nlohmann::json::parse(found->second, nullptr, /*allow_exceptions=*/false);
  if (!members_.is_object()) throw nn::LoadError(file_, kMember, "not a JSON object");
}

double PeftConfig::scale(const std::string& module, std::int64_t rank) const {
  const auto dot = module.find('.');
  const std::string component = module.substr(0, dot), path = dot == std::string::npos ? "" : module.substr(dot + 1);
  const auto member = [&](const char* name) -> const nlohmann::json* {
    const auto found = members_.find(component + "." + name);
    return found == members_.end() || found->is_null() ? nullptr : &*found;
  };
  const auto* alpha = member("lora_alpha");
  // "alpha_pattern" gives alphas of single modules by the end of their path.
  if (const auto* patterns = member("alpha_pattern"); patterns != nullptr && patterns->is_object())
    for (const auto& [pattern, value] : patterns->items())
      if (path == pattern || path.ends_with("." + pattern)) alpha = &value;
  if (alpha == nullptr) return 1;
  if (!alpha->is_number() || !std::isfinite(alpha->get<double>()))
    throw nn::LoadError(file_, kMember, component + ".lora_alpha must be a finite number");
  const auto* stabilized = member("use_rslora");
  const bool root = stabilized != nullptr && stabilized->is_boolean() && stabilized->get<bool>();
  return alpha->get<double>() / (root ? std::sqrt(static_cast<double>(rank)) : static_cast<double>(rank));
}

}  // namespace kinora::models::lora
