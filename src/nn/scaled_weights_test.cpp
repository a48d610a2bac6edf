#include "nn/scaled_weights.hpp"

#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nn/load_error.hpp"

namespace kinora::nn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Key;
using testing::ThrowsMessage;

Checkpoint scaled(const TensorMap& tensors) {
  auto checkpoint = make_checkpoint(tensors, "m.safetensors");
  apply_scales(checkpoint);
  return checkpoint;
}

at::Tensor text(const std::string& value) { return at::tensor(std::vector<std::uint8_t>(value.begin(), value.end()), at::kByte); }

const at::Tensor kWeight = at::tensor({1.0F, -2.0F, 0.5F, 4.0F}).view({2, 2}).to(at::kFloat8_e4m3fn);  // exact in fp8

TEST(ScaledWeights, are_weight_times_scale_for_the_whole_or_for_each_row) {
  const auto one = scaled({{"a.weight", kWeight}, {"a.weight_scale", at::tensor(0.25F)}, {"a.bias", at::zeros({2})}});
  EXPECT_THAT(one.tensors, ElementsAre(Key("a.bias"), Key("a.weight")));
  EXPECT_EQ(one.tensors.at("a.weight").dtype, Dtype::f32);
  EXPECT_TRUE(one.tensors.at("a.weight").read().equal(at::tensor({0.25F, -0.5F, 0.125F, 1.0F}).view({2, 2})));
  const auto rows = at::tensor({2.0F, 3.0F}).view({2, 1});
  const auto each = scaled({{"a.weight", at::tensor({1, -2, 3, 4}).view({2, 2}).to(at::kChar)}, {"a.weight_scale", rows}});
  EXPECT_TRUE(each.tensors.at("a.weight").read().equal(at::tensor({2.0F, -4.0F, 9.0F, 12.0F}).view({2, 2})));
}

TEST(ScaledWeights, of_the_older_naming_lose_their_marks_too) {
  const auto old = scaled({{"scaled_fp8", at::zeros({2}).to(at::kFloat8_e4m3fn)},
                           {"a.weight", kWeight},
                           {"a.scale_weight", at::tensor({2.0F})},
                           {"a.scale_input", at::tensor({1.0F})}});
  EXPECT_THAT(old.tensors, ElementsAre(Key("a.weight")));
  EXPECT_EQ(old.tensors.at("a.weight").read()[1][1].item<float>(), 8.0F);
}

TEST(ScaledWeights, other_tensors_of_such_names_stay) {
  EXPECT_EQ(scaled({{"a.weight", at::zeros({2, 2})}, {"a.weight_scale", at::zeros({1})}, {"input_scale", at::zeros({1})}}).tensors.size(),
            3U);
}

TEST(ScaledWeights, of_formats_that_need_more_are_refused_by_name) {
  const auto with = [](const std::string& format) {
    return [format] { scaled({{"a.weight", kWeight}, {"a.weight_scale", at::tensor(1.0F)}, {"a.comfy_quant", text(format)}}); };
  };
  with(R"({"format": "float8_e4m3fn"})")();
  with(R"({"format": "int8_tensorwise"})")();
  EXPECT_THAT(with(R"({"format": "int8_tensorwise", "convrot": true})"),
              ThrowsMessage<LoadError>(HasSubstr("a.comfy_quant: weights of format \"int8_tensorwise\" with turned inputs are not read")));
  EXPECT_THAT(with(R"({"format": "nvfp4"})"), ThrowsMessage<LoadError>(HasSubstr("\"nvfp4\"")));
  EXPECT_THAT(with("[]"), ThrowsMessage<LoadError>(HasSubstr("are not read")));
  EXPECT_THAT([] { scaled({{"a.weight", kWeight}, {"a.weight_scale", at::zeros({3})}}); },
              ThrowsMessage<LoadError>(HasSubstr("a.weight_scale: must be one number or one for each row")));
}

}  // namespace
}  // namespace kinora::nn
