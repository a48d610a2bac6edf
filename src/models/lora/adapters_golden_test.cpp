// LoRA files on SDXL's networks against diffusers and PEFT.
#include <gtest/gtest.h>

#include <regex>

#include "models/clip/clip_load.hpp"
#include "models/golden/golden_case.hpp"
#include "models/loaded.hpp"
#include "models/lora/adapters.hpp"
#include "models/stable_diffusion/unet.hpp"

namespace kinora::models::lora {
namespace {

// "two_peft_w07_kohya_wm04": peft.safetensors at 0.7 and kohya.safetensors at -0.4. "base": none.
std::vector<AdapterUse> uses_of(const golden::Case& test, const std::string& variant) {
  static const std::regex one("(?:two_)?(.+?)_w(m?)([0-9]+)(?:_|$)");
  std::vector<AdapterUse> uses;
  for (auto found = std::sregex_iterator(variant.begin(), variant.end(), one); found != std::sregex_iterator(); ++found) {
    const std::string digits = (*found)[3];  // "07": 0.7
    const double scale = std::stod(digits.substr(0, 1) + "." + digits.substr(1)) * ((*found)[2].length() > 0 ? -1 : 1);
    const auto file = nn::open_checkpoint(test.folder() / ((*found)[1].str() + ".safetensors"));
    uses.push_back({.file = std::make_shared<const AdapterFile>(read_adapter(file)), .scale = scale});
  }
  return uses;
}

void expect_weight(const golden::Case& test, const std::string& stored, const at::Tensor& ours) {
  if (test.io().contains(stored)) test.expect_tensor(stored, ours, 2e-6, 1e-5);
}

void run(const golden::Case& test) {
  const auto unet = load_component<stable_diffusion::UNet, stable_diffusion::UNetConfig>(test.model_dir() / "unet", {});
  const auto first = clip::load_text_model(test.model_dir() / "text_encoder", {});
  const auto second = clip::load_text_model(test.model_dir() / "text_encoder_2", {});
  Adapters adapters({{"unet", unet.parameters}, {"text_encoder", first.parameters}, {"text_encoder_2", second.parameters}});

  const auto expect = [&](const std::string& variant) {
    SCOPED_TRACE(variant);
    adapters.set(uses_of(test, variant));
    if (test.has_output("unet_" + variant))
      test.expect_close("unet_" + variant, unet.model->forward(test.input("sample"), test.input("timestep"),
                                                               {.context = test.input("encoder_hidden_states"),
                                                                .pooled_text = test.input("text_embeds"),
                                                                .size_ids = test.input("time_ids")}));
    const auto text = [&](const std::string& name, const clip::TextModel& model) {
      if (!test.has_output(name + "_penultimate_" + variant)) return;
      const auto ids = test.input("input_ids");
      const auto states = model.hidden_states(ids, model.layers());
      test.expect_close(name + "_penultimate_" + variant, states[states.size() - 2]);
      if (test.has_output(name + "_text_embeds_" + variant))
        test.expect_close(name + "_text_embeds_" + variant, model.projected(model.pooled(ids, model.final_norm(states.back()))));
    };
    text("te1", *first.model);
    text("te2", *second.model);
    expect_weight(test, "mid.merged_weight_" + variant,
                  unet.parameters.at("down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q.weight"));
    expect_weight(test, "mid.merged_weight_conv_" + variant, unet.parameters.at("down_blocks.1.resnets.0.conv1.weight"));
  };
  for (const auto& [variant, how] : test.json().at("variants").items()) expect(variant);
  expect("base");  // back where it began
  EXPECT_EQ(adapters.changed_weights(), 0U);
}

const golden::Register registered{"StableDiffusionXLPipeline.load_lora_weights", run};

}  // namespace
}  // namespace kinora::models::lora
