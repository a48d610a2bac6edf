#include "models/stable_diffusion/vae_attention.hpp"

#include "models/unet/tokens.hpp"

namespace kinora::models::stable_diffusion {

VaeAttention::VaeAttention(const nn::Weights& w, std::int64_t channels, std::int64_t groups)
    : group_norm(w / "group_norm", groups, channels, 1e-6),
      attention(w, {.query = channels, .context = channels, .heads = 1, .inner = channels}, nn::Bias::yes) {}

at::Tensor VaeAttention::operator()(const at::Tensor& x) const {
  return unet::to_picture(attention.self(unet::to_tokens(group_norm(x))), x.size(2), x.size(3)).add_(x);
}

}  // namespace kinora::models::stable_diffusion
