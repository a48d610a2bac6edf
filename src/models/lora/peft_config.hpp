#pragma once
// PEFT's configuration in an adapter file's metadata: "lora_adapter_metadata", a JSON object whose members carry the component's name in
// front ("unet.lora_alpha"). Errors: nn::LoadError.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "nn/checkpoint.hpp"

namespace kinora::models::lora {

class PeftConfig {
 public:
  explicit PeftConfig(const nn::Checkpoint& checkpoint);  // without such metadata: every scale is 1
  // alpha / rank (or alpha / sqrt(rank), "use_rslora") of a module as the file names it, "unet.down_blocks.0...".
  double scale(const std::string& module, std::int64_t rank) const;

 private:
  std::string file_;
  nlohmann::json members_ = nlohmann::json::object();
};

}  // namespace kinora::models::lora
