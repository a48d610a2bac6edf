// T5 prompts against what the reference pipelines hand to their denoiser, and Wan's cleaning of prompts against ftfy.
#include "models/t5/t5_prompt.hpp"

#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <fstream>

#include "models/golden/golden_case.hpp"
#include "nn/load_error.hpp"
#include "nn/prompts/prompt_clean.hpp"

namespace kinora::models::t5 {
namespace {

PromptEncoder encoder_of(const std::filesystem::path& model) {
  return {std::make_shared<nn::UnigramTokenizer>(nn::UnigramTokenizer::open(model / "tokenizer")), load(model / "text_encoder", {}).model};
}

void expect_near(const golden::Case& test, const std::string& name, const at::Tensor& ours) {
  const double atol = test.json().at("intermediates").at(name).at("tolerance").at("atol");
  test.expect_tensor(name, ours, atol, 1e-5);
}

class T5Prompts : public testing::Test {
 protected:
  c10::InferenceMode inference;
};

TEST_F(T5Prompts, wans_embeddings_are_those_of_the_reference) {
  const golden::Case test(golden::golden_dir() / "pipe_wan21_t2v");
  const auto run = test.run(0);
  const auto length = run.at("max_sequence_length").get<std::size_t>();
  const auto out = encoder_of(test.model_dir()).encode({nn::clean_prompt(run.at("prompt").get<std::string>())}, length, Padding::zeroed);
  expect_near(test, "mid.transformer_call0.encoder_hidden_states", out.tokens);
}

TEST_F(T5Prompts, ltx_embeddings_are_those_of_the_reference) {
  const golden::Case test(golden::golden_dir() / "pipe_ltx_090");
  const auto run = test.run(0);
  const auto expected = test.io().at("mid.transformer_call0.encoder_hidden_states");
  const auto length = static_cast<std::size_t>(expected.size(1));
  const auto negative = run.value("negative_prompt", std::string());
  const auto out = encoder_of(test.model_dir()).encode({negative, run.at("prompt").get<std::string>()}, length, Padding::attended);
  expect_near(test, "mid.transformer_call0.encoder_hidden_states", out.tokens);
}

TEST_F(T5Prompts, prompts_of_one_call_do_not_touch_each_other) {
  const auto encoder = encoder_of(golden::golden_dir() / "pipe_wan21_t2v/model");
  const auto both = encoder.encode({"a dog", "the monkey and the dog dance in the garden"}, 24, Padding::zeroed);
  const auto one = encoder.encode({"a dog"}, 24, Padding::zeroed);
  EXPECT_LE(both.tokens[0].sub(one.tokens[0]).abs().max().item<double>(), 2e-5);
  const auto real = one.mask.sum().item<std::int64_t>();
  EXPECT_EQ(both.tokens[0].narrow(0, real, 24 - real).abs().max().item<double>(), 0);
  EXPECT_TRUE(both.mask[0].equal(one.mask[0]));
}

TEST_F(T5Prompts, a_long_prompt_is_cut_and_keeps_its_end_token) {
  const auto encoder = encoder_of(golden::golden_dir() / "pipe_wan21_t2v/model");
  const auto out = encoder.encode({"the monkey and the dog dance in the garden and in the garden"}, 4, Padding::zeroed);
  EXPECT_EQ(out.tokens.size(1), 4);
  EXPECT_EQ(out.mask.sum().item<std::int64_t>(), 4);
  EXPECT_THROW(encoder.encode({}, 4, Padding::zeroed), std::invalid_argument);
  EXPECT_THROW(encoder.encode({"a"}, 0, Padding::zeroed), std::invalid_argument);
  EXPECT_THROW(encoder.encode({"a"}, kMaxPromptTokens + 1, Padding::attended), std::invalid_argument);
}

void run_clean(const golden::Case& test) {
  std::ifstream strings(test.folder() / "strings.json");
  const auto document = nlohmann::json::parse(strings);
  for (const auto& entry : document.at("strings")) {
    const auto text = entry.at("text").get<std::string>();
    EXPECT_EQ(nn::clean_prompt(text), entry.at("clean").get<std::string>()) << text;
  }
}
const golden::Register clean{"prompt_clean", run_clean};

}  // namespace
}  // namespace kinora::models::t5
