#pragma once
// What an encoder says about a picture's latents: independent normal distributions.
#include <ATen/core/Tensor.h>

namespace kinora::models::stable_diffusion {

struct Posterior {
  at::Tensor mean, logvar;  // [B, C, h, w]; logvar lies in -30..20

  // moments [B, 2 C, ...]: mean, then logvar.
  explicit Posterior(const at::Tensor& moments);
  const at::Tensor& mode() const { return mean; }
  at::Tensor deviation() const;
  at::Tensor sample(const at::Tensor& noise) const;  // standard normal noise of mean's shape and dtype
};

}  // namespace kinora::models::stable_diffusion
