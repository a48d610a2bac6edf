#include "nn/weights.hpp"

#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nn/layers.hpp"

namespace kinora::nn {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string refusal(WeightLoad& load) {
  try {
    load.finish();
  } catch (const LoadError& error) {
    return error.what();
  }
  return "";
}

TEST(Weights, scopes_name_the_weight_by_its_path) {
  WeightLoad load({{"down_blocks.0.conv.weight", at::full({2, 3}, 7.0)}}, {}, "unet");
  const auto weight = (load.root() / "down_blocks" / 0 / "conv").take("weight", {2, 3});
  EXPECT_EQ(weight.sum().item<float>(), 42.0F);
  EXPECT_EQ(load.finish().count("down_blocks.0.conv.weight"), 1U);
}

TEST(Weights, one_report_names_missing_superfluous_and_wrong_shapes) {
  WeightLoad load({{"a", at::ones({2})}, {"b", at::ones({3})}, {"extra", at::ones({1})}}, {}, "unet/weights");
  load.root().take("a", {2});
  EXPECT_EQ(load.root().take("b", {4}).sizes(), c10::IntArrayRef({4}));  // the construction can go on
  EXPECT_EQ(load.root().take("c", {5}).numel(), 5);
  EXPECT_THAT(refusal(load), AllOf(HasSubstr("unet/weights"), HasSubstr("3 weights"), HasSubstr("missing c [5]"),
                                   HasSubstr("b has shape [3], needed [4]"), HasSubstr("unexpected extra [1]"), Not(HasSubstr(" a "))));
}

TEST(Weights, ten_differences_are_named_and_all_are_counted) {
  WeightLoad load({}, {}, "f");
  for (std::int64_t i = 0; i < 25; ++i) (load.root() / i).take("weight", {1});
  const auto text = refusal(load);
  EXPECT_THAT(text, HasSubstr("25 weights"));
  std::size_t named = 0;
  for (std::size_t at = text.find("missing"); at != std::string::npos; at = text.find("missing", at + 1)) ++named;
  EXPECT_EQ(named, kMaxReportedWeights);
}

TEST(Weights, an_ignored_weight_is_not_unexpected) {
  WeightLoad load({{"position_ids", at::ones({2})}}, {}, "f");
  load.ignore("position_ids");
  EXPECT_EQ(refusal(load), "");
}

TEST(Weights, a_tied_weight_is_taken_twice_as_one_tensor) {
  WeightLoad load({{"shared.weight", at::ones({2, 2})}}, {}, "f");
  const auto first = load.root().take("shared.weight", {2, 2});
  EXPECT_TRUE(load.root().take("shared.weight", {2, 2}).is_same(first));
}

TEST(Weights, floating_weights_get_the_placements_dtype_and_integers_keep_theirs) {
  WeightLoad load({{"w", at::ones({2})}, {"ids", at::ones({2}, at::kLong)}}, {.dtype = at::kBFloat16}, "f");
  EXPECT_EQ(load.root().take("w", {2}).scalar_type(), at::kBFloat16);
  EXPECT_EQ(load.root().take("ids", {2}).scalar_type(), at::kLong);
}

TEST(Weights, loading_in_the_stored_dtype_copies_nothing) {
  const auto stored = at::ones({4});
  WeightLoad load({{"w", stored}}, {}, "f");
  const auto weight = load.root().take("w", {4});
  EXPECT_EQ(weight.const_data_ptr(), stored.const_data_ptr());
  EXPECT_FALSE(weight.is_same(stored));  // exchanging it must not reach the checkpoint
}

TEST(Weights, a_parameter_exchanged_in_place_is_seen_by_the_layer) {
  WeightLoad load({{"weight", at::ones({1, 2})}}, {}, "f");
  const Linear layer(load.root(), 2, 1, Bias::no);
  auto parameters = load.finish();
  parameters.at("weight").unsafeGetTensorImpl()->shallow_copy_from(at::full({1, 2}, 5.0).getIntrusivePtr());
  EXPECT_EQ(layer(at::ones({1, 2})).item<float>(), 10.0F);
}

TEST(Weights, a_load_to_the_meta_device_tells_what_does_not_fit_and_reads_nothing) {
  Checkpoint checkpoint{.file = "unet", .tensors = {}, .metadata = {}};
  checkpoint.tensors["a"] = {.dtype = Dtype::f32, .shape = {2}, .read = []() -> at::Tensor { throw LoadError("unet", "a", "was read"); }};
  WeightLoad load(checkpoint, {.device = c10::kMeta});
  EXPECT_TRUE(load.root().take("a", {2}).is_meta());
  load.root().take("b", {3});
  EXPECT_THAT(refusal(load), AllOf(HasSubstr("1 weights"), HasSubstr("missing b [3]")));
}

TEST(Weights, a_dry_run_lists_the_weights_without_memory) {
  auto load = WeightLoad::shapes_only();
  const Conv2d layer(load.root() / "conv", 1'000'000, 1'000'000, 3);
  const auto parameters = load.finish();
  EXPECT_EQ(parameters.at("conv.weight").numel(), 9'000'000'000'000);
  EXPECT_TRUE(parameters.at("conv.bias").is_meta());
}

}  // namespace
}  // namespace kinora::nn
