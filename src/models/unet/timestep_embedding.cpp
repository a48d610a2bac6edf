#include "models/unet/timestep_embedding.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/exp.h>

#include <cmath>

namespace kinora::models::unet {

at::Tensor sinusoidal_embedding(const at::Tensor& values, std::int64_t size, const Sinusoid& form) {
  const std::int64_t half = size / 2;
  const auto steps = at::arange(0, half, at::TensorOptions().dtype(at::kFloat).device(values.device()));
  const auto frequencies = at::exp(steps.mul(-std::log(10000.0)).div(static_cast<double>(half) - form.freq_shift));
  const auto angles = values.to(at::kFloat).unsqueeze(1).mul(frequencies);
  const auto sines = angles.sin(), cosines = angles.cos();
  const auto waves = form.flip_sin_to_cos ? at::cat({cosines, sines}, 1) : at::cat({sines, cosines}, 1);
  return size % 2 == 0 ? waves : at::constant_pad_nd(waves, {0, 1});
}

TimestepEmbedding::TimestepEmbedding(const nn::Weights& w, std::int64_t in, std::int64_t hidden, std::int64_t out, nn::Act act_,
                                     std::int64_t condition)
    : linear_1(w / "linear_1", in, hidden), linear_2(w / "linear_2", hidden, out), act(act_) {
  if (condition > 0) cond_proj = nn::Linear(w / "cond_proj", condition, in, nn::Bias::no);
}

at::Tensor TimestepEmbedding::operator()(const at::Tensor& x, const at::Tensor& condition) const {
  const auto in = condition.defined() ? cond_proj(condition.to(dtype())).add_(x) : x;
  return linear_2(nn::apply_in_place(act, linear_1(in)));
}

}  // namespace kinora::models::unet
