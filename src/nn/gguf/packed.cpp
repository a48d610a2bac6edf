#include "nn/gguf/packed.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

namespace kinora::nn::gguf {
namespace {

GgmlType type_of(const at::Tensor& packed) {
  const auto type = packed.dim() == 3 ? packed_type(static_cast<std::size_t>(packed.size(2))) : std::nullopt;
  TORCH_CHECK(type, "a weight of 8-bit numbers is no matrix of a GGUF file");
  return *type;
}

}  // namespace

bool is_packed(const at::Tensor& weight) { return weight.defined() && weight.scalar_type() == at::kByte && weight.dim() == 3; }

std::vector<std::int64_t> logical_sizes(const at::Tensor& weight) {
  if (!is_packed(weight)) return weight.sizes().vec();
  return {weight.size(0), weight.size(1) * static_cast<std::int64_t>(type_of(weight).elements)};
}

at::Tensor unpacked(const at::Tensor& packed, at::ScalarType dtype) {
  if (!packed.is_cpu()) return unpacked_by_operators(packed, dtype);
  const auto type = type_of(packed);
  const auto blocks = packed.contiguous();
  const auto* in = static_cast<const std::byte*>(blocks.const_data_ptr());
  at::Tensor values = at::empty(logical_sizes(packed), at::kFloat);
  auto* out = static_cast<float*>(values.mutable_data_ptr());
  at::parallel_for(0, packed.size(0) * packed.size(1), 1024, [&](std::int64_t first, std::int64_t end) {
    const auto from = static_cast<std::size_t>(first), count = static_cast<std::size_t>(end - first);
    dequantise(type, {in + from * type.bytes, count * type.bytes}, {out + from * type.elements, count * type.elements});
  });
  return values.to(dtype);
}

}  // namespace kinora::nn::gguf
