// Packed matrices against the gguf package's numbers: tests/golden/gguf_types (make.py).
#include "nn/gguf/packed.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linear.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "nn/checkpoint.hpp"
#include "nn/layers.hpp"
#include "nn/safetensors.hpp"
#include "nn/weights.hpp"

namespace kinora::nn::gguf {
namespace {

const std::filesystem::path kGolden = std::filesystem::path(KINORA_SOURCE_DIR) / "tests/golden/gguf_types";

TEST(Packed, no_two_types_have_blocks_of_one_size) {
  std::set<std::size_t> sizes;
  int types = 0;
  for (std::uint32_t id = 0; id < 64; ++id) {
    const auto type = ggml_type(id);
    if (!type || type->plain) continue;
    ++types;
    sizes.insert(type->bytes);
    EXPECT_EQ(packed_type(type->bytes)->id, id);
  }
  EXPECT_EQ(sizes.size(), 10U);
  EXPECT_EQ(types, 10);
  EXPECT_FALSE(packed_type(4));
}

TEST(Packed, matrices_are_the_numbers_that_a_whole_reading_gives) {
  const auto file = open_checkpoint(kGolden / "types.gguf");
  const auto expected = SafetensorsFile(kGolden / "expected.safetensors").tensors();
  std::set<std::int64_t> seen;
  for (const auto& [name, stored] : file.tensors) {
    if (!stored.packed) continue;
    const auto packed = stored.packed();
    ASSERT_TRUE(is_packed(packed)) << name;
    seen.insert(packed.size(2));
    EXPECT_EQ(logical_sizes(packed), stored.shape) << name;
    EXPECT_TRUE(unpacked(packed, at::kFloat).equal(expected.at(name))) << name;
    EXPECT_TRUE(unpacked_by_operators(packed, at::kFloat).equal(expected.at(name))) << name;
    EXPECT_TRUE(unpacked(packed, at::kBFloat16).equal(expected.at(name).to(at::kBFloat16))) << name;
  }
  EXPECT_EQ(seen.size(), 10U);  // every type of blocks
}

TEST(Packed, a_linear_layer_keeps_the_blocks_and_computes_with_their_numbers) {
  const auto file = open_checkpoint(kGolden / "types.gguf");
  const auto& stored = file.tensors.at("q4_k");
  ASSERT_EQ(stored.shape.size(), 2U);
  const auto rows = stored.shape[0], columns = stored.shape[1];
  Checkpoint checkpoint{.file = "f", .tensors = {{"weight", stored}}, .metadata = {}};
  WeightLoad load(checkpoint, {.device = c10::kCPU, .dtype = at::kFloat});
  const Linear layer(load.root(), columns, rows, Bias::no);
  const auto parameters = load.finish();
  EXPECT_EQ(parameters.at("weight").nbytes(), static_cast<std::size_t>(rows * columns / 256 * 144));
  const auto x = at::arange(3 * columns, at::kFloat).view({3, columns}).div(columns);
  EXPECT_TRUE(layer(x).equal(at::linear(x, stored.read())));
  EXPECT_TRUE(layer(x.to(at::kBFloat16)).equal(at::linear(x.to(at::kBFloat16), stored.read().to(at::kBFloat16))));
}

TEST(Packed, an_embedding_turns_only_the_rows_that_are_asked_for_into_numbers) {
  const auto file = open_checkpoint(kGolden / "types.gguf");
  const auto& stored = file.tensors.at("q8_0");
  WeightLoad load(Checkpoint{.file = "f", .tensors = {{"weight", stored}}, .metadata = {}}, {});
  const Embedding table(load.root(), stored.shape[0], stored.shape[1]);
  const auto ids = at::arange(stored.shape[0], at::kLong).flip(0).view({1, -1});
  EXPECT_TRUE(table(ids).equal(stored.read().flip(0).unsqueeze(0)));
}

TEST(Packed, weights_that_no_layer_asks_for_in_blocks_become_numbers) {
  const auto file = open_checkpoint(kGolden / "types.gguf");
  const auto& stored = file.tensors.at("q8_0");
  WeightLoad load(Checkpoint{.file = "f", .tensors = {{"weight", stored}}, .metadata = {}}, {});
  EXPECT_EQ(load.root().take("weight", stored.shape).scalar_type(), at::kFloat);
}

}  // namespace
}  // namespace kinora::nn::gguf
