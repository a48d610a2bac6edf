#include "models/esrgan/prelu_kernel.hpp"

#include <ATen/ops/equal.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/prelu.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace kinora::models::esrgan {
namespace {

// LibTorch's operator is the reference; sizes that no vector width divides.
TEST(PreluKernel, equals_the_operator_bit_for_bit_in_both_formats) {
  for (const std::int64_t channels : {1, 3, 24, 64, 100}) {
    const auto values = at::randn({7 * 13, channels});
    const auto slopes = at::randn({channels});
    const auto* first = static_cast<const float*>(slopes.const_data_ptr());
    const auto repeated = repeat_slopes(std::vector<float>(first, first + channels));
    auto ours = values.clone();
    prelu_f32(ours.mutable_data_ptr<float>(), 7 * 13, static_cast<std::size_t>(channels), repeated);
    EXPECT_TRUE(at::equal(ours, at::prelu(values, slopes))) << channels;

    const auto short_values = values.to(at::kBFloat16);
    auto short_ours = short_values.clone();
    prelu_bf16(static_cast<std::uint16_t*>(short_ours.mutable_data_ptr()), 7 * 13, static_cast<std::size_t>(channels), repeated);
    EXPECT_TRUE(at::equal(short_ours, at::prelu(short_values.to(at::kFloat), slopes).to(at::kBFloat16))) << channels;
  }
}

TEST(PreluKernel, keeps_nan_and_infinity) {
  std::vector<float> values{std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity(), 5};
  prelu_f32(values.data(), 3, 1, repeat_slopes({0.5F}));
  EXPECT_TRUE(std::isnan(values[0]));
  EXPECT_EQ(values[1], -std::numeric_limits<float>::infinity());
  EXPECT_EQ(values[2], 5);
  std::vector<std::uint16_t> bits{0x7fc0, 0xff80, 0x7fff};  // NaN, -inf, NaN
  prelu_bf16(bits.data(), 3, 1, repeat_slopes({0.5F}));
  EXPECT_EQ(bits[0] & 0x7fc0, 0x7fc0);
  EXPECT_EQ(bits[1], 0xff80);
  EXPECT_EQ(bits[2] & 0x7fc0, 0x7fc0);
}

}  // namespace
}  // namespace kinora::models::esrgan
