#include "models/esrgan/prelu_kernel.hpp"

#include <bit>
#include <numeric>

namespace kinora::models::esrgan {
namespace {

// Values in a group that any vector width divides: 64 holds two AVX-512 registers of bf16.
constexpr std::size_t kGroup = 64;

[[gnu::always_inline]] inline float activate(float value, float slope) { return value > 0 ? value : value * slope; }
[[gnu::always_inline]] inline void activate_in(float& value, float slope) { value = activate(value, slope); }
[[gnu::always_inline]] inline void activate_in(std::uint16_t& value, float slope) {
  const auto bits = std::bit_cast<std::uint32_t>(activate(std::bit_cast<float>(std::uint32_t{value} << 16), slope));
  value = static_cast<std::uint16_t>((bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16);
}

template <class Value>
[[gnu::always_inline]] inline void run(Value* x, std::size_t count, const float* slopes, std::size_t period) {
  std::size_t i = 0;
  for (; i + period <= count; i += period)
    for (std::size_t j = 0; j < period; ++j) activate_in(x[i + j], slopes[j]);
  for (std::size_t j = 0; i + j < count; ++j) activate_in(x[i + j], slopes[j]);
}

#if defined(__x86_64__)
template <class Value>
[[gnu::target("avx512f,avx512bw,avx512vl,avx512dq")]] void run_avx512(Value* x, std::size_t count, const float* slopes,
                                                                      std::size_t period) {
  run(x, count, slopes, period);
}
template <class Value>
[[gnu::target("avx2,fma")]] void run_avx2(Value* x, std::size_t count, const float* slopes, std::size_t period) {
  run(x, count, slopes, period);
}
#endif
template <class Value>
void run_plain(Value* x, std::size_t count, const float* slopes, std::size_t period) {
  run(x, count, slopes, period);
}

template <class Value>
using Kernel = void (*)(Value*, std::size_t, const float*, std::size_t);
template <class Value>
Kernel<Value> choose() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq"))
    return run_avx512<Value>;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return run_avx2<Value>;
#endif
  return run_plain<Value>;
}

}  // namespace

std::vector<float> repeat_slopes(const std::vector<float>& slopes) {
  std::vector<float> repeated(std::lcm(slopes.size(), kGroup));
  for (std::size_t i = 0; i < repeated.size(); ++i) repeated[i] = slopes[i % slopes.size()];
  return repeated;
}

void prelu_f32(float* x, std::size_t pixels, std::size_t channels, const std::vector<float>& slopes) {
  static const auto kernel = choose<float>();
  kernel(x, pixels * channels, slopes.data(), slopes.size());
}
void prelu_bf16(std::uint16_t* x, std::size_t pixels, std::size_t channels, const std::vector<float>& slopes) {
  static const auto kernel = choose<std::uint16_t>();
  kernel(x, pixels * channels, slopes.data(), slopes.size());
}

}  // namespace kinora::models::esrgan
