#include "nn/dtype.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace kinora::nn {
namespace {

template <class T>
std::span<const std::byte> bytes_of(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

TEST(Dtype, knows_the_names_and_sizes_of_the_format) {
  EXPECT_EQ(dtype_from_name("BF16"), Dtype::bf16);
  EXPECT_EQ(dtype_from_name("F8_E4M3"), Dtype::f8_e4m3);
  EXPECT_EQ(bytes_per_element(Dtype::f8_e5m2), 1U);
  EXPECT_EQ(bytes_per_element(Dtype::f16), 2U);
  EXPECT_EQ(bytes_per_element(Dtype::c64), 8U);
  for (int i = 0; i <= static_cast<int>(Dtype::c64); ++i) {
    const auto dtype = static_cast<Dtype>(i);
    EXPECT_EQ(dtype_from_name(name(dtype)), dtype);
  }
}

TEST(Dtype, refuses_unknown_and_packed_names) {
  EXPECT_FALSE(dtype_from_name("F4"));
  EXPECT_FALSE(dtype_from_name("f32"));
  EXPECT_FALSE(dtype_from_name(""));
}

TEST(FirstNonFinite, finds_nan_and_infinity_in_every_floating_type) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(first_non_finite(bytes_of(std::vector<float>{1, -2, kNan, kInf}), Dtype::f32), 2U);
  EXPECT_EQ(first_non_finite(bytes_of(std::vector<double>{-1.0 / 0.0}), Dtype::f64), 0U);
  EXPECT_EQ(first_non_finite(bytes_of(std::vector<std::uint16_t>{0x3c00, 0xfc00}), Dtype::f16), 1U);   // 1, -inf
  EXPECT_EQ(first_non_finite(bytes_of(std::vector<std::uint16_t>{0x3f80, 0x7f81}), Dtype::bf16), 1U);  // 1, NaN
  EXPECT_EQ(first_non_finite(bytes_of(std::vector<std::uint8_t>{0x7e, 0xff}), Dtype::f8_e4m3), 1U);    // 448, NaN
  EXPECT_EQ(first_non_finite(bytes_of(std::vector<std::uint8_t>{0x7b, 0x7c}), Dtype::f8_e5m2), 1U);    // 57344, inf
  EXPECT_EQ(first_non_finite(bytes_of(std::vector<float>{0, 1, 2, kInf}), Dtype::c64), 1U);
}

TEST(FirstNonFinite, accepts_the_largest_and_smallest_finite_values) {
  EXPECT_FALSE(first_non_finite(
      bytes_of(std::vector<float>{std::numeric_limits<float>::max(), std::numeric_limits<float>::denorm_min(), -0.0F}), Dtype::f32));
  EXPECT_FALSE(first_non_finite(bytes_of(std::vector<std::uint16_t>{0x7bff}), Dtype::f16));  // 65504
  EXPECT_FALSE(first_non_finite(bytes_of(std::vector<std::int64_t>{-1}), Dtype::i64));
  EXPECT_FALSE(first_non_finite({}, Dtype::f32));
}

}  // namespace
}  // namespace kinora::nn
