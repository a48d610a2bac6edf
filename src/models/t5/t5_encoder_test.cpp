// T5 and UMT5 against transformers, and the buckets of distances.
#include "models/t5/t5_encoder.hpp"

#include <ATen/ops/ones_like.h>
#include <ATen/ops/tensor.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include "models/golden/golden_case.hpp"
#include "nn/load_error.hpp"

namespace kinora::models::t5 {
namespace {

void run(const golden::Case& test) {
  const auto loaded = load(test.model_dir(), {});
  for (int set = 0; set < test.sets(); ++set) {
    const auto mask = test.has_input("attention_mask", set) ? test.input("attention_mask", set) : at::Tensor();
    std::vector<at::Tensor> states;
    const auto last = loaded.model->forward(test.input("input_ids", set), mask, &states);
    test.expect_close("embeddings", set, states.at(0));
    test.expect_close("after_layer0", set, states.at(1));
    test.expect_close("last_hidden_state", set, last);
  }
}
const golden::Register t5{"T5EncoderModel", run};
const golden::Register umt5{"UMT5EncoderModel", run};

TEST(T5Encoder, distances_fall_into_the_buckets_of_the_paper) {
  // Known answers for 32 buckets and distance 128, from the reference's function.
  const std::vector<std::pair<std::int64_t, std::int64_t>> known{{-200, 15}, {-128, 15}, {-64, 14}, {-20, 10}, {-9, 8},  {-8, 8},  {-7, 7},
                                                                 {-1, 1},    {0, 0},     {1, 17},   {7, 23},   {8, 24},  {12, 25}, {16, 26},
                                                                 {20, 26},   {32, 28},   {64, 30},  {100, 31}, {200, 31}};
  for (const auto& [distance, bucket] : known) EXPECT_EQ(relative_bucket(distance, 32, 128), bucket) << distance;
}

const std::filesystem::path kModel = std::filesystem::path(KINORA_SOURCE_DIR) / "tests/golden/text_umt5/model";

TEST(T5Encoder, masked_padding_does_not_reach_the_real_tokens) {
  const c10::InferenceMode inference;
  const auto model = load(kModel, {}).model;
  const auto ids = at::tensor({5, 9, 44, 1, 0, 0, 0}, at::kLong).unsqueeze(0);
  const auto padded = model->forward(ids, ids.ne(0).to(at::kLong));
  const auto bare = model->forward(ids.narrow(1, 0, 4), {});
  EXPECT_LE(padded.narrow(1, 0, 4).sub(bare).abs().max().item<double>(), 2e-5);
  EXPECT_GT(model->forward(ids, {}).narrow(1, 0, 4).sub(bare).abs().max().item<double>(), 1e-3);
}

TEST(T5Encoder, bfloat16_stays_near_float32) {
  const c10::InferenceMode inference;
  const auto ids = at::tensor({5, 9, 44, 1, 0}, at::kLong).unsqueeze(0);
  const auto exact = load(kModel, {}).model->forward(ids, ids.ne(0).to(at::kLong));
  const auto half = load(kModel, {.dtype = at::kBFloat16}).model->forward(ids, ids.ne(0).to(at::kLong));
  EXPECT_EQ(half.scalar_type(), at::kBFloat16);
  EXPECT_LE(half.to(at::kFloat).sub(exact).abs().mean().item<double>(), 0.05);
}

TEST(T5Encoder, the_embedding_loads_under_either_name_and_a_decoder_is_left_out) {
  const auto config = Config::read(nn::JsonConfig::read(kModel / "config.json"));
  auto checkpoint = nn::open_checkpoint(kModel);
  auto shared = checkpoint.tensors.extract("shared.weight");
  shared.key() = "encoder.embed_tokens.weight";
  checkpoint.tensors.insert(std::move(shared));
  checkpoint.tensors.emplace("decoder.final_layer_norm.weight", checkpoint.tensors.at("encoder.final_layer_norm.weight"));
  EXPECT_TRUE(load(config, checkpoint, {}).parameters.contains("shared.weight"));
  checkpoint.tensors.erase("encoder.embed_tokens.weight");
  EXPECT_THROW(load(config, checkpoint, {}), nn::LoadError);
}

TEST(T5Encoder, bad_configurations_are_refused_by_member) {
  const auto read = [](nlohmann::json json) { return Config::read(nn::JsonConfig(std::move(json), "config.json")); };
  EXPECT_THROW(read({{"feed_forward_proj", "gated-unknown"}}), nn::LoadError);
  EXPECT_THROW(read({{"relative_attention_num_buckets", 30}}), nn::LoadError);
  EXPECT_THROW(read({{"relative_attention_max_distance", 8}}), nn::LoadError);
  EXPECT_THROW(read({{"d_model", 0}}), nn::LoadError);
  EXPECT_FALSE(read({{"model_type", "t5"}, {"feed_forward_proj", "relu"}}).gated);
  EXPECT_TRUE(read({{"model_type", "umt5"}}).bias_per_layer);
}

}  // namespace
}  // namespace kinora::models::t5
