#include "kinora_train/video/flow_training.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>

#include "kinora_train/clips/captions.hpp"
#include "models/t5/t5_encoder.hpp"
#include "models/wan/transformer.hpp"

namespace kinora::train {
namespace {

using models::t5::Encoder;
using models::wan::Transformer;

constexpr double kDropCaption = 0.1;                      // share of empty captions: what guidance leads away from
constexpr double kNoiseMiddle = 1.2, kNoiseSpread = 1.5;  // of the logit of the noise's share

// The matrices within the layers; what maps tokens, times and latents in and out stays with Adam.
bool within_a_layer(const std::string& name) {
  return (name.find(".blocks.") != std::string::npos || name.find(".block.") != std::string::npos) &&
         name.find("relative_attention_bias") == std::string::npos && !name.ends_with("scale_shift_table");
}

}  // namespace

TokenRows token_rows(const nn::UnigramTokenizer& tokenizer, const std::vector<std::string>& captions) {
  std::vector<nn::UnigramTokenizer::Row> rows;
  std::size_t width = 0;
  for (const auto& caption : captions) {
    rows.push_back(tokenizer.encode_row(caption, static_cast<std::size_t>(kPromptTokens)));
    width = std::max(width, rows.back().real);
  }
  width = std::min(width + 1, static_cast<std::size_t>(kPromptTokens));
  std::vector<std::int64_t> ids, mask;
  std::vector<double> bias;
  for (const auto& row : rows) {
    const double weight = static_cast<double>(kPromptTokens) - static_cast<double>(row.real);
    for (std::size_t i = 0; i < width; ++i) {
      ids.push_back(row.ids[i]);
      mask.push_back(i < row.real ? 1 : 0);
      bias.push_back(i < row.real ? 0 : std::log(weight / static_cast<double>(width - row.real)));
    }
  }
  const auto count = static_cast<std::int64_t>(captions.size());
  return {.ids = at::tensor(ids, at::kLong).view({count, -1}),
          .mask = at::tensor(mask, at::kLong).view({count, -1}),
          .bias = at::tensor(bias, at::kDouble).to(at::kFloat).view({count, 1, 1, -1})};
}

FitReport train_flow(const StarterConfig& config, const nn::UnigramTokenizer& tokenizer, const Latents& latents, std::int64_t batch,
                     FitSettings settings, at::ScalarType dtype,
                     const std::function<void(const nn::TensorMap& average, std::int64_t step)>& saved, const Talk& talk) {
  settings.by_muon = within_a_layer;
  Leaves leaves;
  const auto text_encoder = leaves.build<Encoder>("text_encoder", config.text_config(),
                                                  random_weights_of<Encoder>(config.text_config(), settings.seed), {.dtype = dtype});
  const auto transformer =
      leaves.build<Transformer>("transformer", config.transformer_config(),
                                random_weights_of<Transformer>(config.transformer_config(), settings.seed + 1), {.dtype = dtype});
  const auto loss = [&](std::int64_t step) {
    Random random(settings.seed, static_cast<std::uint64_t>(step));
    std::vector<std::int64_t> chosen;
    std::vector<std::string> captions;
    std::vector<double> shares;
    for (std::int64_t i = 0; i < batch; ++i) {
      chosen.push_back(random.integer(0, static_cast<int>(latents.values.size(0)) - 1));
      const auto& shown = latents.shown[static_cast<std::size_t>(chosen.back())];
      captions.push_back(random.chance(kDropCaption) ? "" : draw_training_caption(shown, random));
      shares.push_back(1 / (1 + std::exp(-kNoiseMiddle - kNoiseSpread * random.normal())));
    }
    const auto rows = token_rows(tokenizer, captions);
    const auto encoded = text_encoder->forward(rows.ids, rows.mask);
    auto context = transformer->context(encoded.mul(rows.mask.unsqueeze(-1).to(dtype)));
    for (auto& block : context) block.bias = rows.bias.to(dtype);

    const auto clean = at::index_select(latents.values, 0, at::tensor(chosen, at::kLong)).to(at::kFloat);
    const auto generator = at::make_generator<at::CPUGeneratorImpl>(settings.seed + static_cast<std::uint64_t>(step));
    const auto noise = at::randn(clean.sizes(), generator, at::kFloat);
    const auto share = at::tensor(shares, at::kDouble).to(at::kFloat);
    const auto mixed = clean.lerp(noise, share.view({-1, 1, 1, 1, 1}));
    const auto velocity = transformer->forward(mixed.to(dtype), share.mul(1000), context).to(at::kFloat);
    return velocity.sub(noise.sub(clean)).square().mean();
  };
  return fit(leaves, settings, loss, saved, talk);
}

}  // namespace kinora::train
