#include "nn/checkpoint.hpp"

#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "nn/load_error.hpp"
#include "nn/safetensors.hpp"
#include "nn/weights.hpp"

namespace kinora::nn {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Key;
using testing::ThrowsMessage;

class Checkpoints : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  void put(const std::string& name, const TensorMap& tensors, const std::map<std::string, std::string>& metadata = {}) {
    write_safetensors(folder_ / name, tensors, metadata);
  }
  void put_text(const std::string& name, const std::string& text) { std::ofstream(folder_ / name) << text; }
  float first(const std::string& tensor, const std::optional<std::string>& variant = std::nullopt) {
    return open_checkpoint(folder_, variant).tensors.at(tensor).read().item<float>();
  }
  void expect_refused(const std::string& path, const std::string& why) {
    EXPECT_THAT([&] { open_checkpoint(folder_ / path); }, ThrowsMessage<LoadError>(HasSubstr(why)));
  }
  static at::Tensor one(float value) { return at::full({1}, value); }

  fs::path folder_ = fs::path(testing::TempDir()) / ("checkpoints_" + std::to_string(::getpid()));
};

TEST_F(Checkpoints, a_file_is_opened_whatever_its_name_and_tells_shapes_without_reading) {
  put("weights.part1", {{"a", at::full({2, 3}, 1.5).to(at::kBFloat16)}}, {{"format", "pt"}});
  const auto checkpoint = open_checkpoint(folder_ / "weights.part1");
  EXPECT_EQ(checkpoint.tensors.at("a").dtype, Dtype::bf16);
  EXPECT_EQ(checkpoint.shapes(), (WeightShapes{{"a", {2, 3}}}));
  EXPECT_EQ(checkpoint.metadata.at("format"), "pt");
  EXPECT_EQ(checkpoint.read().at("a").sum().item<float>(), 9.0F);
}

TEST_F(Checkpoints, the_fp16_variant_is_chosen_when_it_is_there_and_any_variant_when_asked) {
  put("diffusion_pytorch_model.safetensors", {{"w", one(1)}});
  EXPECT_EQ(first("w"), 1.0F);
  put("diffusion_pytorch_model.fp16.safetensors", {{"w", one(2)}});
  put("diffusion_pytorch_model.non_ema.safetensors", {{"w", one(3)}});
  EXPECT_EQ(first("w"), 2.0F);
  EXPECT_EQ(first("w", ""), 1.0F);
  EXPECT_EQ(first("w", "fp16"), 2.0F);
  EXPECT_EQ(first("w", "non_ema"), 3.0F);
  EXPECT_THAT([&] { first("w", "bf16"); },
              ThrowsMessage<LoadError>(HasSubstr("no weights of variant bf16; there: diffusion_pytorch_model.fp16.safetensors, ")));
}

TEST_F(Checkpoints, transformers_names_and_a_lone_file_of_any_name_are_found) {
  put("mm_sd_v15.safetensors", {{"w", one(1)}});
  EXPECT_EQ(first("w"), 1.0F);
  put("model.safetensors", {{"w", one(2)}});
  EXPECT_EQ(first("w"), 2.0F);
}

TEST_F(Checkpoints, a_folder_without_weights_or_with_several_unnamed_ones_is_refused) {
  expect_refused("", "holds no weights");
  expect_refused("absent", "No such file");
  put("a.safetensors", {{"w", one(1)}});
  put("b.safetensors", {{"w", one(1)}});
  expect_refused("", "which of these holds the weights? a.safetensors, b.safetensors");
}

TEST_F(Checkpoints, shards_are_one_checkpoint_also_as_a_variant_in_the_old_and_the_new_naming) {
  put("s1.safetensors", {{"a", one(1)}});
  put("s2.safetensors", {{"b", one(2)}});
  const std::string index = R"({"metadata": {"total_size": 8}, "weight_map": {"a": "s1.safetensors", "b": "s2.safetensors"}})";
  for (const char* name : {"model.safetensors.index.json", "model.safetensors.index.fp16.json", "model.fp16.safetensors.index.json"}) {
    put_text(name, index);
    EXPECT_THAT(open_checkpoint(folder_).tensors, ElementsAre(Key("a"), Key("b"))) << name;
    EXPECT_EQ(first("b"), 2.0F);
    fs::remove(folder_ / name);
  }
}

TEST_F(Checkpoints, an_index_that_does_not_fit_its_files_is_refused) {
  put("s1.safetensors", {{"a", one(1)}});
  put("s2.safetensors", {{"a", one(2)}});
  put_text("missing.json", R"({"weight_map": {"a": "s1.safetensors", "c": "s1.safetensors"}})");
  expect_refused("missing.json", "weight_map.c: is not in s1.safetensors");
  put_text("twice.json", R"({"weight_map": {"a": "s1.safetensors", "b": "s2.safetensors"}})");
  expect_refused("twice.json", "s2.safetensors: a: is also in another file of twice.json");
  put_text("absent.json", R"({"weight_map": {"a": "s3.safetensors"}})");
  expect_refused("absent.json", "s3.safetensors: is missing, and absent.json names it");
}

TEST_F(Checkpoints, position_ids_are_left_out_and_old_attention_gets_its_names_of_today) {
  put("model.safetensors", {{"text_model.embeddings.position_ids", one(0)},
                            {"decoder.mid_block.attentions.0.query.weight", one(1)},
                            {"decoder.mid_block.attentions.0.key.bias", one(2)},
                            {"decoder.mid_block.attentions.0.value.weight", one(3)},
                            {"decoder.mid_block.attentions.0.proj_attn.weight", one(4)},
                            {"layer.0.attention.self.query.weight", one(5)},
                            {"query.weight", one(6)}});
  EXPECT_THAT(open_checkpoint(folder_).tensors,
              ElementsAre(Key("decoder.mid_block.attentions.0.to_k.bias"), Key("decoder.mid_block.attentions.0.to_out.0.weight"),
                          Key("decoder.mid_block.attentions.0.to_q.weight"), Key("decoder.mid_block.attentions.0.to_v.weight"),
                          Key("layer.0.attention.self.query.weight"), Key("query.weight")));
  put("model.safetensors", {{"a.attentions.0.query.weight", one(1)}, {"a.attentions.0.to_q.weight", one(1)}});
  expect_refused("", "a.attentions.0.query.weight: is there as well as a.attentions.0.to_q.weight");
}

// Expected values: the gguf package (tests/golden/gguf_types/make.py).
TEST_F(Checkpoints, gguf_files_are_read_in_every_element_type) {
  const fs::path golden = fs::path(KINORA_SOURCE_DIR) / "tests/golden/gguf_types";
  const auto checkpoint = open_checkpoint(golden / "types.gguf");
  const auto expected = SafetensorsFile(golden / "expected.safetensors").tensors();
  EXPECT_EQ(checkpoint.metadata.at("general.architecture"), "wan");
  EXPECT_EQ(checkpoint.tensors.size(), expected.size());
  for (const auto& [name, values] : expected) {
    ASSERT_TRUE(checkpoint.tensors.contains(name)) << name;
    const auto ours = checkpoint.tensors.at(name).read();
    ASSERT_EQ(ours.sizes(), values.sizes()) << name;
    EXPECT_TRUE(ours.to(values.scalar_type()).equal(values)) << name << " " << ours.sub(values).abs().max().item<double>();
  }
  EXPECT_EQ(checkpoint.tensors.at("float16").dtype, Dtype::f16);
  EXPECT_EQ(checkpoint.tensors.at("bf16").dtype, Dtype::bf16);
  EXPECT_EQ(checkpoint.tensors.at("q4_k").dtype, Dtype::f32);
}

TEST_F(Checkpoints, any_changed_byte_of_a_header_or_an_index_gives_an_error_or_a_checkpoint) {
  put("a.safetensors", {{"conv.weight", at::full({2, 3}, 1.5)}, {"conv.bias", at::full({2}, 2.5).to(at::kHalf)}}, {{"format", "pt"}});
  put("model-1.safetensors", {{"w", one(1)}});
  put_text("model.safetensors.index.json", R"({"metadata": {"total_size": 4}, "weight_map": {"w": "model-1.safetensors"}})");
  int refused = 0;
  for (const char* name : {"a.safetensors", "model.safetensors.index.json"}) {
    std::ifstream in(folder_ / name, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    for (std::size_t i = 0; i < text.size(); ++i) {
      for (const unsigned flip : {0x01U, 0x20U, 0x80U, 0xffU}) {
        std::string changed = text;
        changed[i] = static_cast<char>(static_cast<unsigned char>(changed[i]) ^ flip);
        put_text(std::string("flipped-") + name, changed);
        try {
          open_checkpoint(folder_ / (std::string("flipped-") + name)).read();
        } catch (const LoadError& error) {
          EXPECT_THAT(error.what(), HasSubstr(folder_.string()));
          ++refused;
        }
      }
    }
  }
  EXPECT_GT(refused, 500);
}

TEST_F(Checkpoints, a_load_reads_only_what_it_takes) {
  Checkpoint checkpoint = make_checkpoint({{"a", one(1)}, {"b", one(2)}}, "f");
  int reads = 0;
  for (auto& [name, tensor] : checkpoint.tensors) tensor.read = [read = tensor.read, &reads] { return ++reads, read(); };
  WeightLoad load(checkpoint, {});
  EXPECT_EQ(load.root().take("a", {1}).item<float>(), 1.0F);
  load.ignore("b");
  load.finish();
  EXPECT_EQ(reads, 1);
}

}  // namespace
}  // namespace kinora::nn
