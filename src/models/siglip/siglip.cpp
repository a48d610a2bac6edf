#include "models/siglip/siglip.hpp"

#include <ATen/ops/conv2d.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/sigmoid.h>

#include <stdexcept>

#include "models/clip/clip_layers.hpp"

namespace kinora::models::siglip {
namespace {

constexpr clip::TowerConfig kDefaults{.hidden_size = 768,
                                      .intermediate_size = 3072,
                                      .num_hidden_layers = 12,
                                      .num_attention_heads = 12,
                                      .projection_dim = 768,
                                      .layer_norm_eps = 1e-6};

// One query of its own attends to all patches (torch.nn.MultiheadAttention, whose three projections are one matrix).
class PoolingHead {
 public:
  PoolingHead(const clip::TowerConfig& config, const nn::Weights& w)
      : probe_(w.take("probe", {1, 1, config.hidden_size})),
        in_weight_((w / "attention").take("in_proj_weight", {3 * config.hidden_size, config.hidden_size})),
        in_bias_((w / "attention").take("in_proj_bias", {3 * config.hidden_size})),
        out_proj_(w / "attention" / "out_proj", config.hidden_size, config.hidden_size),
        norm_(w / "layernorm", config.hidden_size, config.layer_norm_eps),
        fc1_(w / "mlp" / "fc1", config.hidden_size, config.intermediate_size),
        fc2_(w / "mlp" / "fc2", config.intermediate_size, config.hidden_size),
        heads_(config.num_attention_heads),
        act_(config.hidden_act) {}

  at::Tensor operator()(const at::Tensor& x) const {  // [B, N, hidden] -> [B, hidden]
    const auto projected = [this](const at::Tensor& from, std::int64_t which) {
      const auto size = in_weight_.size(1);
      const auto y = at::linear(from, in_weight_.narrow(0, which * size, size), in_bias_.narrow(0, which * size, size));
      return y.unflatten(-1, {heads_, -1}).transpose(1, 2);
    };
    const auto probe = probe_.expand({x.size(0), 1, -1});
    const auto attended = at::scaled_dot_product_attention(projected(probe, 0), projected(x, 1), projected(x, 2));
    const auto y = out_proj_(attended.transpose(1, 2).flatten(2));
    return fc2_(nn::apply(act_, fc1_(norm_(y)))).add_(y).select(1, 0);
  }

 private:
  at::Tensor probe_, in_weight_, in_bias_;
  nn::Linear out_proj_;
  nn::LayerNorm norm_;
  nn::Linear fc1_, fc2_;
  std::int64_t heads_;
  nn::Act act_;
};

struct Sizes {
  clip::TowerConfig text, vision;
  std::int64_t vocab_size, max_positions, text_projection, channels, image_size, patch_size;
};

class Siglip final : public clip::ZeroShot {
 public:
  Siglip(const Sizes& sizes, const nn::Weights& root)
      : image_size_(sizes.image_size),
        tokens_(root / "text_model" / "embeddings" / "token_embedding", sizes.vocab_size, sizes.text.hidden_size),
        text_positions_(
            (root / "text_model" / "embeddings" / "position_embedding").take("weight", {sizes.max_positions, sizes.text.hidden_size})),
        text_(sizes.text, root / "text_model" / "encoder"),
        text_norm_(root / "text_model" / "final_layer_norm", sizes.text.hidden_size, sizes.text.layer_norm_eps),
        text_head_(root / "text_model" / "head", sizes.text.hidden_size, sizes.text_projection),
        patches_(root / "vision_model" / "embeddings" / "patch_embedding", sizes.channels, sizes.vision.hidden_size, sizes.patch_size,
                 sizes.patch_size),
        patch_positions_(
            (root / "vision_model" / "embeddings" / "position_embedding")
                .take("weight", {(sizes.image_size / sizes.patch_size) * (sizes.image_size / sizes.patch_size), sizes.vision.hidden_size})),
        vision_(sizes.vision, root / "vision_model" / "encoder"),
        vision_norm_(root / "vision_model" / "post_layernorm", sizes.vision.hidden_size, sizes.vision.layer_norm_eps),
        pool_(sizes.vision, root / "vision_model" / "head"),
        logit_scale_(root.take("logit_scale", {1})),
        logit_bias_(root.take("logit_bias", {1})) {}

  at::Tensor image_embeds(const at::Tensor& pixels) const override {
    if (pixels.dim() != 4 || pixels.size(2) != image_size_ || pixels.size(3) != image_size_)
      throw std::invalid_argument("the picture encoder takes pictures of " + std::to_string(image_size_) + "x" +
                                  std::to_string(image_size_) + " pixels");
    const auto x = patches_(pixels).flatten(2).transpose(1, 2).add(patch_positions_);
    return clip::unit_length(pool_(vision_norm_(vision_.hidden_states(x, /*causal=*/false, vision_.layers.size()).back())));
  }
  at::Tensor text_embeds(const at::Tensor& ids) const override {
    const auto x = tokens_(ids).add_(text_positions_.narrow(0, 0, ids.size(1)));
    const auto last = text_norm_(text_.hidden_states(x, /*causal=*/false, text_.layers.size()).back());
    return clip::unit_length(text_head_(last.select(1, -1)));
  }
  at::Tensor logits(const at::Tensor& image, const at::Tensor& text) const override {
    return at::matmul(image, text.t()).mul(logit_scale_.exp()).add(logit_bias_);
  }
  at::Tensor probabilities(const at::Tensor& logits) const override { return at::sigmoid(logits); }

 private:
  std::int64_t image_size_;
  nn::Embedding tokens_;
  at::Tensor text_positions_;
  clip::Tower text_;
  nn::LayerNorm text_norm_;
  nn::Linear text_head_;
  nn::Conv2d patches_;
  at::Tensor patch_positions_;
  clip::Tower vision_;
  nn::LayerNorm vision_norm_;
  PoolingHead pool_;
  at::Tensor logit_scale_, logit_bias_;
};

}  // namespace

std::unique_ptr<const clip::ZeroShot> build(const nn::JsonConfig& config, const nn::Weights& root) {
  const auto text = config.object("text_config"), vision = config.object("vision_config");
  Sizes sizes{};
  sizes.text = clip::read_tower(text, kDefaults, "gelu_pytorch_tanh");
  sizes.vision = clip::read_tower(vision, kDefaults, "gelu_pytorch_tanh");
  sizes.vocab_size = text.integer("vocab_size", 32000, 1, 1 << 20);
  sizes.max_positions = text.integer("max_position_embeddings", 64, 1, 1 << 16);
  sizes.text_projection = text.integer("projection_size", sizes.text.hidden_size, 1, 1 << 16);
  sizes.channels = vision.integer("num_channels", 3, 1, 64);
  sizes.image_size = vision.integer("image_size", 224, 1, 4096);
  sizes.patch_size = vision.integer("patch_size", 16, 1, sizes.image_size);
  if (!vision.flag("vision_use_head", true))
    vision.refuse("vision_use_head", "must be true: the pooling head gives the picture's embedding");
  if (sizes.text_projection != sizes.vision.hidden_size)
    text.refuse("projection_size", "must equal the vision tower's hidden_size, " + std::to_string(sizes.vision.hidden_size));
  return std::make_unique<const Siglip>(sizes, root);
}

}  // namespace kinora::models::siglip
