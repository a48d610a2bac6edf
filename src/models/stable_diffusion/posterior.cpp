#include "models/stable_diffusion/posterior.hpp"

#include <ATen/ops/clamp.h>

namespace kinora::models::stable_diffusion {

Posterior::Posterior(const at::Tensor& moments)
    : mean(moments.narrow(1, 0, moments.size(1) / 2)),
      logvar(at::clamp(moments.narrow(1, moments.size(1) / 2, moments.size(1) / 2), -30, 20)) {}

at::Tensor Posterior::deviation() const { return logvar.mul(0.5).exp(); }
at::Tensor Posterior::sample(const at::Tensor& noise) const { return deviation().mul(noise).add(mean); }

}  // namespace kinora::models::stable_diffusion
