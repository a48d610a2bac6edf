#include "nn/scalar_type.hpp"

#include <array>
#include <utility>

namespace kinora::nn {
namespace {

constexpr std::array<std::pair<Dtype, at::ScalarType>, 17> kScalarTypes{{{Dtype::boolean, at::kBool},
                                                                         {Dtype::u8, at::kByte},
                                                                         {Dtype::i8, at::kChar},
                                                                         {Dtype::f8_e4m3, at::kFloat8_e4m3fn},
                                                                         {Dtype::f8_e5m2, at::kFloat8_e5m2},
                                                                         {Dtype::f8_e8m0, at::kFloat8_e8m0fnu},
                                                                         {Dtype::u16, at::kUInt16},
                                                                         {Dtype::i16, at::kShort},
                                                                         {Dtype::f16, at::kHalf},
                                                                         {Dtype::bf16, at::kBFloat16},
                                                                         {Dtype::u32, at::kUInt32},
                                                                         {Dtype::i32, at::kInt},
                                                                         {Dtype::f32, at::kFloat},
                                                                         {Dtype::u64, at::kUInt64},
                                                                         {Dtype::i64, at::kLong},
                                                                         {Dtype::f64, at::kDouble},
                                                                         {Dtype::c64, at::kComplexFloat}}};

}  // namespace

at::ScalarType scalar_type(Dtype dtype) {
  for (const auto& [ours, theirs] : kScalarTypes)
    if (ours == dtype) return theirs;
  return at::kFloat;  // unreachable: the table is complete
}

std::optional<Dtype> stored_dtype(at::ScalarType type) {
  for (const auto& [ours, theirs] : kScalarTypes)
    if (theirs == type) return ours;
  return std::nullopt;
}

}  // namespace kinora::nn
