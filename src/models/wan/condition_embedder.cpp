#include "models/wan/condition_embedder.hpp"

namespace kinora::models::wan {

ConditionEmbedder::ConditionEmbedder(const TransformerConfig& c, const nn::Weights& w)
    : frequency_width_(c.frequency_width),
      time_embedder_((w / "time_embedder").wide(), c.frequency_width, c.width(), c.width()),
      time_proj_(w / "time_proj", c.width(), 6 * c.width()),
      text_1_(w / "text_embedder" / "linear_1", c.text_width, c.width()),
      text_2_(w / "text_embedder" / "linear_2", c.width(), c.width()) {
  if (c.image_width == 0) return;
  const auto scope = w / "image_embedder";
  image_ = {.norm1 = nn::LayerNorm((scope / "norm1").wide(), c.image_width),
            .norm2 = nn::LayerNorm((scope / "norm2").wide(), c.width()),
            .in = nn::Linear(scope / "ff" / "net" / 0 / "proj", c.image_width, c.image_width),
            .out = nn::Linear(scope / "ff" / "net" / 2, c.image_width, c.width()),
            .positions = {}};
  if (c.image_positions > 0) image_.positions = scope.take("pos_embed", {1, c.image_positions, c.image_width});
}

Times ConditionEmbedder::times(const at::Tensor& timestep) const {
  Times times;
  const auto waves = unet::sinusoidal_embedding(video::distinct_times(timestep, times), frequency_width_);
  times.embedding = time_embedder_(waves).to(text_1_.bias.scalar_type());
  times.modulation = time_proj_(nn::apply(nn::Act::silu, times.embedding)).unflatten(1, {6, -1}).to(at::kFloat);
  return times;
}

at::Tensor ConditionEmbedder::text(const at::Tensor& embeddings) const {
  return text_2_(nn::apply_in_place(nn::Act::gelu_tanh, text_1_(embeddings)));
}

at::Tensor ConditionEmbedder::image(const at::Tensor& embeddings) const {
  auto x = embeddings;
  if (image_.positions.defined()) x = x.reshape({-1, 2 * x.size(1), x.size(2)}).add(image_.positions);
  const auto dtype = text_1_.bias.scalar_type();
  x = image_.norm1(x.to(at::kFloat)).to(dtype);
  x = image_.out(nn::apply_in_place(nn::Act::gelu, image_.in(x)));
  return image_.norm2(x.to(at::kFloat)).to(dtype);
}

}  // namespace kinora::models::wan
