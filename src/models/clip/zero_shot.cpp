#include "models/clip/zero_shot.hpp"

#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>

#include "models/clip/clip_text.hpp"
#include "models/clip/clip_vision.hpp"
#include "models/siglip/siglip.hpp"

namespace kinora::models::clip {
namespace {

class Clip final : public ZeroShot {
 public:
  Clip(const TextConfig& text, const VisionConfig& vision, const nn::Weights& root)
      : text_(text, root), vision_(vision, root), logit_scale_(root.take("logit_scale", {})) {}

  at::Tensor image_embeds(const at::Tensor& pixels) const override {
    return unit_length(vision_.projected(vision_.pooled(vision_.hidden_states(pixels, vision_.layers()).back())));
  }
  at::Tensor text_embeds(const at::Tensor& ids) const override {
    const auto last = text_.final_norm(text_.hidden_states(ids, text_.layers()).back());
    return unit_length(text_.projected(text_.pooled(ids, last)));
  }
  at::Tensor logits(const at::Tensor& image, const at::Tensor& text) const override {
    return at::matmul(image, text.t()).mul(logit_scale_.exp());
  }
  at::Tensor probabilities(const at::Tensor& logits) const override { return at::softmax(logits, -1); }

 private:
  TextModel text_;
  VisionModel vision_;
  at::Tensor logit_scale_;
};

}  // namespace

at::Tensor unit_length(const at::Tensor& x) { return x.div(x.norm(2, -1, /*keepdim=*/true)); }

std::unique_ptr<const ZeroShot> load_zero_shot(const std::filesystem::path& folder, const nn::Placement& placement,
                                               const std::optional<std::string>& variant) {
  const auto config = nn::JsonConfig::read(folder / "config.json");
  const auto type = config.choice("model_type", "clip", {"clip", "siglip"});
  nn::WeightLoad load(nn::open_checkpoint(folder, variant), placement);
  std::unique_ptr<const ZeroShot> model;
  if (type == "siglip") {
    model = siglip::build(config, load.root());
  } else {
    auto text = TextConfig::read(config.object("text_config"));
    auto vision = VisionConfig::read(config.object("vision_config"));
    text.projection = vision.projection = true;
    text.tower.projection_dim = vision.tower.projection_dim = config.integer("projection_dim", 512, 1, 1 << 16);
    model = std::make_unique<const Clip>(text, vision, load.root());
  }
  load.finish();
  return model;
}

}  // namespace kinora::models::clip
