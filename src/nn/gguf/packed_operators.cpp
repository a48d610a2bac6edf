// Blocks to numbers by LibTorch's operators. Layouts and order of operations: ggml_type.cpp, so that the numbers are the same.
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>
#include <c10/util/Exception.h>

#include "nn/gguf/packed.hpp"

namespace kinora::nn::gguf {
namespace {

// Of blocks [N, bytes].
at::Tensor bytes(const at::Tensor& blocks, std::int64_t from, std::int64_t count) { return blocks.narrow(1, from, count); }
at::Tensor half(const at::Tensor& blocks, std::int64_t from) {  // [N, 1]
  return bytes(blocks, from, 2).contiguous().view(at::kHalf).to(at::kFloat);
}
at::Tensor low(const at::Tensor& x) { return x.bitwise_and(15); }
at::Tensor high(const at::Tensor& x) { return x.bitwise_right_shift(4); }
// [N, 1, ...] of bytes shifted by each of `steps`: [N, steps, ...].
at::Tensor shifted(const at::Tensor& x, std::int64_t step, std::int64_t count) {
  std::vector<at::Tensor> all;
  all.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) all.push_back(x.bitwise_right_shift(step * i));
  return at::stack(all, 1);
}

// 32 elements: those of the first half in the low nibbles.
at::Tensor nibbles(const at::Tensor& quants) { return at::cat({low(quants), high(quants)}, 1); }
// Bit i of four bytes is the fifth of element i.
at::Tensor fifth_bits(const at::Tensor& four) {
  return shifted(four, 1, 8).transpose(1, 2).flatten(1).bitwise_and(1).bitwise_left_shift(4);
}
at::Tensor numbers(const at::Tensor& x) { return x.to(at::kFloat); }

struct ScaleMin {
  at::Tensor scale, min;  // [N, 8, 1]
};
ScaleMin scales_minima(const at::Tensor& twelve) {
  const auto a = bytes(twelve, 0, 4), b = bytes(twelve, 4, 4), c = bytes(twelve, 8, 4);
  const auto top = [](const at::Tensor& x) { return x.bitwise_right_shift(2).bitwise_and(48); };
  const auto scale = at::cat({a.bitwise_and(63), low(c).bitwise_or(top(a))}, 1),
             min = at::cat({b.bitwise_and(63), high(c).bitwise_or(top(b))}, 1);
  return {numbers(scale).unsqueeze(2), numbers(min).unsqueeze(2)};
}
// Runs of 32 bytes hold two sub-blocks of 32: low nibbles, then high. [N, 8, 32].
at::Tensor sub_blocks(const at::Tensor& quants) {
  const auto runs = quants.unflatten(1, {4, 32});
  return at::stack({low(runs), high(runs)}, 2).flatten(1, 2);
}
at::Tensor with_minima(const at::Tensor& blocks, const at::Tensor& q) {
  const auto [scale, min] = scales_minima(bytes(blocks, 4, 12));
  const auto d = half(blocks, 0).unsqueeze(2), dmin = half(blocks, 2).unsqueeze(2);
  return d.mul(scale).mul(numbers(q)).sub(dmin.mul(min));
}

// Two parts of 128 elements: four rows of 32 by 2 bits of the same bytes. [N, 16, 16].
at::Tensor two_bits(const at::Tensor& quants) {
  return shifted(quants.unflatten(1, {2, 32}), 2, 4).transpose(1, 2).bitwise_and(3).reshape({quants.size(0), 16, 16});
}
at::Tensor q6_k(const at::Tensor& blocks) {
  const auto lows = bytes(blocks, 0, 128).unflatten(1, {2, 2, 32});  // part, even or odd row
  const auto fours = at::stack({low(lows), high(lows)}, 2).reshape({blocks.size(0), 16, 16});
  const auto q = numbers(fours.bitwise_or(two_bits(bytes(blocks, 128, 64)).bitwise_left_shift(4))).sub(32);
  const auto scales = numbers(bytes(blocks, 192, 16).contiguous().view(at::kChar)).unsqueeze(2);
  return half(blocks, 208).unsqueeze(2).mul(scales).mul(q);
}
at::Tensor q2_k(const at::Tensor& blocks) {
  const auto scales = bytes(blocks, 0, 16).unsqueeze(2);
  const auto by = half(blocks, 80).unsqueeze(2).mul(numbers(low(scales))), less = half(blocks, 82).unsqueeze(2).mul(numbers(high(scales)));
  return by.mul(numbers(two_bits(bytes(blocks, 16, 64)))).sub(less);
}
at::Tensor q3_k(const at::Tensor& blocks) {
  const auto packed = bytes(blocks, 96, 12);
  const auto tops = shifted(bytes(packed, 8, 4), 2, 4).flatten(1).bitwise_and(3).bitwise_left_shift(4);
  const auto scales = numbers(nibbles(bytes(packed, 0, 8)).bitwise_or(tops)).sub(32).unsqueeze(2);
  const auto set = shifted(bytes(blocks, 0, 32), 1, 8).bitwise_and(1).reshape({blocks.size(0), 16, 16});
  const auto q = numbers(two_bits(bytes(blocks, 32, 64))).sub(numbers(set.eq(0)).mul(4));
  return half(blocks, 108).unsqueeze(2).mul(scales).mul(q);
}

at::Tensor decoded(std::string_view name, const at::Tensor& b) {
  if (name == "Q8_0") return half(b, 0).mul(numbers(bytes(b, 2, 32).contiguous().view(at::kChar)));
  if (name == "Q4_0") return half(b, 0).mul(numbers(nibbles(bytes(b, 2, 16))).sub(8));
  if (name == "Q4_1") return half(b, 0).mul(numbers(nibbles(bytes(b, 4, 16)))).add(half(b, 2));
  if (name == "Q5_0") return half(b, 0).mul(numbers(nibbles(bytes(b, 6, 16)).bitwise_or(fifth_bits(bytes(b, 2, 4)))).sub(16));
  if (name == "Q5_1") return half(b, 0).mul(numbers(nibbles(bytes(b, 8, 16)).bitwise_or(fifth_bits(bytes(b, 4, 4))))).add(half(b, 2));
  if (name == "Q4_K") return with_minima(b, sub_blocks(bytes(b, 16, 128)));
  if (name == "Q5_K") {
    const auto fifth = shifted(bytes(b, 16, 32), 1, 8).bitwise_and(1).bitwise_left_shift(4);
    return with_minima(b, sub_blocks(bytes(b, 48, 128)).bitwise_or(fifth));
  }
  if (name == "Q6_K") return q6_k(b);
  if (name == "Q2_K") return q2_k(b);
  if (name == "Q3_K") return q3_k(b);
  TORCH_CHECK(false, "blocks of ", name, " have no form by operators");
}

}  // namespace

at::Tensor unpacked_by_operators(const at::Tensor& packed, at::ScalarType dtype) {
  const auto sizes = logical_sizes(packed);
  const auto type = packed_type(static_cast<std::size_t>(packed.size(2)));
  return decoded(type->name, packed.flatten(0, 1)).reshape(sizes).to(dtype);
}

}  // namespace kinora::nn::gguf
