#include "models/video/token_math.hpp"

#include <ATen/ops/_unique2.h>
#include <ATen/ops/addcmul.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/view_as_complex.h>
#include <ATen/ops/view_as_real.h>

namespace kinora::models::video {

at::Tensor turned(const at::Tensor& x, const at::Tensor& table) {
  const auto pairs = at::view_as_complex(x.to(at::kFloat).unflatten(-1, {-1, 2}));
  return at::view_as_real(pairs.mul(table)).flatten(-2).to(x.scalar_type());
}

at::Tensor unit_scaled(const at::Tensor& x, double eps, std::int64_t dim) {
  const auto wide = x.to(at::kFloat);
  const auto squares = at::linalg_vector_norm(wide, 2, at::OptionalIntArrayRef({dim}), /*keepdim=*/true).square();
  return wide.mul(at::rsqrt(squares.div(static_cast<double>(x.size(dim))).add(eps)));
}

at::Tensor Times::spread(const at::Tensor& rows, std::int64_t batch) const {
  if (!of_token.defined()) return rows.unsqueeze(1);
  return rows.index_select(0, of_token).unflatten(0, {batch, -1});
}

at::Tensor distinct_times(const at::Tensor& timestep, Times& times) {
  if (timestep.dim() < 2) return timestep.flatten();
  const auto [values, of_token, counts] = at::_unique2(timestep.flatten(), /*sorted=*/true, /*return_inverse=*/true);
  if (values.size(0) > 1) times.of_token = of_token;
  return values;
}

at::Tensor modulated_norm(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale, double eps) {
  const std::int64_t width = x.size(-1);
  const auto wide = x.to(at::kFloat);
  // One shift for all: they are the norm's own weights, and one kernel does it all.
  if (shift.numel() == width) return at::layer_norm(wide, {width}, scale.add(1).flatten(), shift.flatten(), eps).to(x.scalar_type());
  return at::addcmul(shift, at::layer_norm(wide, {width}, {}, {}, eps), scale.add(1)).to(x.scalar_type());
}

at::Tensor gated_sum(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate) {
  return at::addcmul(x.to(at::kFloat), y.to(at::kFloat), gate).to(x.scalar_type());
}

}  // namespace kinora::models::video
