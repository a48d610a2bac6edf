#include "kinora_train/prelu.hpp"

#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <bit>
#include <cstdint>
#include <numeric>
#include <vector>

#include "kinora_train/error.hpp"

namespace kinora::train {
namespace {

// Values in a group that any vector width divides.
constexpr std::size_t kGroup = 64;

[[gnu::always_inline]] inline float read(float value) { return value; }
[[gnu::always_inline]] inline float read(std::uint16_t value) { return std::bit_cast<float>(std::uint32_t{value} << 16); }
[[gnu::always_inline]] inline void write(float& to, float value) { to = value; }
// Rounds to nearest even, as LibTorch does.
[[gnu::always_inline]] inline void write(std::uint16_t& to, float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  to = static_cast<std::uint16_t>((bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16);
}

// Slopes repeat every `period` values, a multiple of the channels and of kGroup.
template <class Value>
struct Pass {
  const Value* x;
  const Value* gradient;  // of y; nullptr in the forward pass
  Value* out;             // y, or the gradient of x
  std::size_t count;
  const float* slopes;
  float* slope_sums;
  std::size_t period;
};

template <class Value>
[[gnu::always_inline]] inline void go(const Pass<Value>& pass) {
  const Value* const __restrict x = pass.x;
  const Value* const __restrict gradient = pass.gradient;
  Value* const __restrict out = pass.out;
  const float* const __restrict slopes = pass.slopes;
  float* const __restrict sums = pass.slope_sums;
  for (std::size_t start = 0; start < pass.count; start += pass.period) {
    const std::size_t length = std::min(pass.period, pass.count - start);
    if (gradient == nullptr) {
      for (std::size_t j = 0; j < length; ++j) {
        const float value = read(x[start + j]);
        write(out[start + j], value > 0 ? value : value * slopes[j]);
      }
    } else {
      for (std::size_t j = 0; j < length; ++j) {
        const float value = read(x[start + j]);
        const float slope = read(gradient[start + j]);
        write(out[start + j], value > 0 ? slope : slope * slopes[j]);
        sums[j] += value > 0 ? 0.0F : slope * value;
      }
    }
  }
}

#if defined(__x86_64__)
template <class Value>
[[gnu::target("avx512f,avx512bw,avx512vl,avx512dq")]] void go_avx512(const Pass<Value>& pass) {
  go(pass);
}
template <class Value>
[[gnu::target("avx2,fma")]] void go_avx2(const Pass<Value>& pass) {
  go(pass);
}
#endif

template <class Value>
void run(const Pass<Value>& pass) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq"))
    return go_avx512(pass);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return go_avx2(pass);
#endif
  go(pass);
}

template <class Value>
const Value* data(const at::Tensor& tensor) {
  return tensor.defined() ? static_cast<const Value*>(tensor.const_data_ptr()) : nullptr;
}

// Forward when `gradient` is undefined. Returns y or the gradient of x; slope_gradient [C] receives the slopes'.
template <class Value>
at::Tensor pass_over(const at::Tensor& x, const at::Tensor& slopes, const at::Tensor& gradient, at::Tensor* slope_gradient) {
  at::Tensor out = at::empty_like(x);
  const auto channels = static_cast<std::size_t>(slopes.size(0));
  const std::size_t period = std::lcm(channels, kGroup);
  std::vector<float> repeated(period), sums(period, 0.0F);
  const auto* values = data<float>(slopes);
  for (std::size_t i = 0; i < period; ++i) repeated[i] = values[i % channels];
  run(Pass<Value>{data<Value>(x), data<Value>(gradient), static_cast<Value*>(out.mutable_data_ptr()), static_cast<std::size_t>(x.numel()),
                  repeated.data(), sums.data(), period});
  if (slope_gradient != nullptr) {
    *slope_gradient = at::zeros(slopes.sizes(), at::kFloat);
    auto* folded = static_cast<float*>(slope_gradient->mutable_data_ptr());
    for (std::size_t i = 0; i < period; ++i) folded[i % channels] += sums[i];
  }
  return out;
}

at::Tensor dispatch(const at::Tensor& x, const at::Tensor& slopes, const at::Tensor& gradient, at::Tensor* slope_gradient) {
  if (x.scalar_type() == at::kBFloat16) return pass_over<std::uint16_t>(x, slopes, gradient, slope_gradient);
  return pass_over<float>(x, slopes, gradient, slope_gradient);
}

struct Prelu : torch::autograd::Function<Prelu> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& slopes) {
    const at::Tensor tight = x.contiguous(at::MemoryFormat::ChannelsLast);
    context->save_for_backward({tight, slopes});
    return dispatch(tight, slopes, {}, nullptr);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    at::Tensor slope_gradient;
    const at::Tensor gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    at::Tensor x_gradient = dispatch(saved[0], saved[1], gradient, &slope_gradient);
    return {std::move(x_gradient), std::move(slope_gradient)};
  }
};

}  // namespace

at::Tensor prelu(const at::Tensor& x, const at::Tensor& slopes) {
  if (x.dim() != 4 || slopes.dim() != 1 || x.size(1) != slopes.size(0) || slopes.scalar_type() != at::kFloat ||
      (x.scalar_type() != at::kFloat && x.scalar_type() != at::kBFloat16))
    throw Failure("prelu wants [B, C, H, W] in float or bfloat16 and [C] slopes in float");
  return Prelu::apply(x, slopes);
}

}  // namespace kinora::train
