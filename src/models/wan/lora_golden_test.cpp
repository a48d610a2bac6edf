// LoRA files in the namings of Wan on its transformer against diffusers and PEFT.
#include <gtest/gtest.h>

#include "models/golden/golden_case.hpp"
#include "models/loaded.hpp"
#include "models/lora/adapters.hpp"
#include "models/wan/transformer.hpp"

namespace kinora::models::wan {
namespace {

// "original_alpha_w07": original_alpha.safetensors at 0.7. "base": none.
std::vector<lora::AdapterUse> uses_of(const golden::Case& test, const std::string& variant) {
  const auto end = variant.rfind("_w");
  if (end == std::string::npos) return {};
  const double scale = std::stod(variant.substr(end + 2, 1) + "." + variant.substr(end + 3));
  const auto file = nn::open_checkpoint(test.folder() / (variant.substr(0, end) + ".safetensors"));
  return {{.file = std::make_shared<const lora::AdapterFile>(lora::read_adapter(file)), .scale = scale}};
}

void run(const golden::Case& test) {
  const auto loaded = load_component<Transformer, TransformerConfig>(test.model_dir(), {});
  lora::Adapters adapters({{"transformer", loaded.parameters}});
  const auto expect = [&](const std::string& variant) {
    SCOPED_TRACE(variant);
    adapters.set(uses_of(test, variant));
    const auto context = loaded.model->context(test.input("encoder_hidden_states"));
    test.expect_close(variant, loaded.model->forward(test.input("hidden_states"), test.input("timestep"), context));
  };
  for (const auto& [variant, how] : test.json().at("variants").items()) expect(variant);
  expect("base");  // back where it began
}

const golden::Register registered{"WanPipeline.load_lora_weights", run};

}  // namespace
}  // namespace kinora::models::wan
