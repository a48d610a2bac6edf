// The prompt encoder against the embeddings that the reference pipelines hand to their denoiser, against compel for weighted prompts,
// and its rules for long prompts.
#include "models/clip/prompt_encoder.hpp"

#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/golden/golden_case.hpp"
#include "nn/load_error.hpp"

namespace kinora::models::clip {
namespace {

namespace fs = std::filesystem;

TextEncoder load(const fs::path& model, const std::string& suffix) {
  return {std::make_shared<nn::ClipTokenizer>(nn::ClipTokenizer::open(model / ("tokenizer" + suffix))),
          load_text_model(model / ("text_encoder" + suffix), {}).model};
}

PromptEncoder encoder_of(const fs::path& model) {
  if (fs::exists(model / "text_encoder_2")) return {PromptFamily::sdxl, {load(model, ""), load(model, "_2")}, true};
  return {PromptFamily::sd, {load(model, "")}, false};
}

std::vector<std::string> texts(const nlohmann::json& run, const char* key) {
  if (!run.contains(key)) return {};
  return run.at(key).is_string() ? std::vector{run.at(key).get<std::string>()} : run.at(key).get<std::vector<std::string>>();
}

PromptRequest request_of(const nlohmann::json& run, PromptSyntax syntax) {
  PromptRequest request{.prompts = texts(run, "prompt"), .negative = texts(run, "negative_prompt"), .syntax = syntax};
  if (run.contains("clip_skip")) request.clip_skip = run.at("clip_skip").get<std::int64_t>();
  return request;
}

class PromptEncoderGolden : public testing::TestWithParam<const char*> {
  c10::InferenceMode inference_;
};

TEST_P(PromptEncoderGolden, plain_prompts_give_what_the_reference_hands_to_its_denoiser) {
  const golden::Case test(golden::golden_dir() / GetParam());
  const auto encoder = encoder_of(test.model_dir());
  const auto& tolerances = test.json().at("intermediates");
  for (int set = 0; set < test.sets(); ++set) {
    for (const auto syntax : {PromptSyntax::literal, PromptSyntax::weighted}) {
      const auto [positive, negative] = encoder.encode(request_of(test.run(set), syntax));
      const auto both = [&](const std::string& name, const at::Tensor& first, const at::Tensor& second) {
        const auto stored = "mid" + (set == 0 ? "" : std::to_string(set)) + ".unet_call0." + name;
        const auto count = first.size(0);
        const auto expected = test.io().at(stored);
        ASSERT_EQ(expected.size(0), 2 * count);
        const double atol = tolerances.at(stored).at("tolerance").at("atol");
        EXPECT_LE(first.sub(expected.narrow(0, 0, count)).abs().max().item<double>(), atol) << stored;
        EXPECT_LE(second.sub(expected.narrow(0, count, count)).abs().max().item<double>(), atol) << stored;
      };
      both("encoder_hidden_states", negative.tokens, positive.tokens);
      if (positive.pooled.defined()) both("text_embeds", negative.pooled, positive.pooled);
    }
  }
}
INSTANTIATE_TEST_SUITE_P(, PromptEncoderGolden, testing::Values("pipe_sd15", "pipe_sdxl"), [](const auto& info) { return info.param; });

void run_compel(const golden::Case& test) {
  const auto encoder = encoder_of(test.model_dir());
  for (int set = 0; set < test.sets(); ++set) {
    const auto weighted = encoder.encode(request_of(test.run(set), PromptSyntax::weighted)).positive.tokens;
    test.expect_close("embeddings", set, weighted);
    const auto literal = encoder.encode(request_of(test.run(set), PromptSyntax::literal)).positive.tokens;
    EXPECT_GT(literal.sub(weighted).abs().max().item<double>(), 1e-3);
  }
}
const golden::Register compel{"Compel", run_compel};

class PromptEncoderRules : public testing::Test {
 protected:
  at::Tensor tokens(const std::string& prompt) { return sd.encode({.prompts = {prompt}}).positive.tokens; }

  c10::InferenceMode inference;
  fs::path model = fs::path(KINORA_SOURCE_DIR) / "tests/golden/pipe_sd15/model";
  PromptEncoder sd = encoder_of(model);
  nn::ClipTokenizer tokenizer = nn::ClipTokenizer::open(model / "tokenizer");

  // The prompt's rows without start token, end token and padding.
  std::vector<std::vector<nn::TokenId>> rows(const std::string& prompt) {
    std::vector<std::vector<nn::TokenId>> bare;
    for (const auto& row : prompt_rows(tokenizer, nn::parse_prompt(prompt), 77)) {
      EXPECT_EQ(row.ids.size(), 77U);
      EXPECT_EQ(row.ids.front(), tokenizer.start());
      const auto end = std::find(row.ids.begin(), row.ids.end(), tokenizer.end());
      bare.emplace_back(row.ids.begin() + 1, end);
      EXPECT_TRUE(std::all_of(end + 1, row.ids.end(), [&](auto id) { return id == tokenizer.pad(); }));
    }
    return bare;
  }

  std::vector<nn::TokenId> repeated(std::size_t count, const std::string& word) {
    std::vector<nn::TokenId> ids;
    for (std::size_t i = 0; i < count; ++i) ids.push_back(tokenizer.encode(word).at(0));
    return ids;
  }

  static std::string words(std::size_t count, const std::string& word) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += " " + word;
    return text;
  }
};

TEST_F(PromptEncoderRules, seventy_five_ids_fill_a_row_and_the_next_begins_another) {
  ASSERT_EQ(tokenizer.encode("a").size(), 1U);
  EXPECT_EQ(rows(words(75, "a")).size(), 1U);
  const auto two = rows(words(76, "a"));
  ASSERT_EQ(two.size(), 2U);
  EXPECT_EQ(two[0], repeated(75, "a"));
  EXPECT_EQ(two[1], repeated(1, "a"));
}

TEST_F(PromptEncoderRules, a_phrase_behind_a_late_comma_moves_to_the_next_row_whole) {
  ASSERT_EQ(tokenizer.encode(",").size(), 1U);
  // 60 ids, a comma, 14 ids fill the row; the 76th id finds the comma within the last 20.
  const auto moved = rows(words(60, "a") + "," + words(16, "a"));
  ASSERT_EQ(moved.size(), 2U);
  EXPECT_EQ(moved[0].size(), 61U);
  EXPECT_EQ(moved[1], repeated(16, "a"));
  // A comma further back stays where it is.
  const auto cut = rows(words(50, "a") + "," + words(26, "a"));
  EXPECT_EQ(cut[0].size(), 75U);
  EXPECT_EQ(cut[1].size(), 2U);
}

TEST_F(PromptEncoderRules, break_fills_the_row_up) {
  const auto two = rows("a a BREAK a");
  ASSERT_EQ(two.size(), 2U);
  EXPECT_EQ(two[0], repeated(2, "a"));
  EXPECT_EQ(two[1], repeated(1, "a"));
}

TEST_F(PromptEncoderRules, rows_are_encoded_apart_and_laid_side_by_side) {
  const auto both = tokens("a cat BREAK the moon");
  ASSERT_EQ(both.size(1), 154);
  EXPECT_LE(both.narrow(1, 0, 77).sub(tokens("a cat")).abs().max().item<double>(), 1e-5);
  EXPECT_LE(both.narrow(1, 77, 77).sub(tokens("the moon")).abs().max().item<double>(), 1e-5);
}

TEST_F(PromptEncoderRules, shorter_prompts_are_filled_with_rows_of_the_empty_prompt) {
  const auto out = sd.encode({.prompts = {"a cat", "a cat BREAK the moon"}, .negative = {"blurry"}});
  ASSERT_EQ(out.positive.tokens.sizes(), (std::vector<std::int64_t>{2, 154, 24}));
  ASSERT_EQ(out.negative.tokens.sizes(), out.positive.tokens.sizes());
  const auto empty = tokens("");
  EXPECT_LE(out.positive.tokens[0].narrow(0, 77, 77).sub(empty[0]).abs().max().item<double>(), 1e-5);
  EXPECT_LE(out.negative.tokens[1].narrow(0, 77, 77).sub(empty[0]).abs().max().item<double>(), 1e-5);
  EXPECT_LE(out.negative.tokens[0].sub(out.negative.tokens[1]).abs().max().item<double>(), 0);
}

TEST_F(PromptEncoderRules, a_weight_of_zero_leaves_the_empty_prompts_embedding_at_its_place) {
  const auto weighted = tokens("(cat:0) dog"), plain = tokens("cat dog"), empty = tokens("");
  const auto cat = static_cast<std::int64_t>(tokenizer.encode("cat").size());
  EXPECT_LE(weighted.narrow(1, 1, cat).sub(empty.narrow(1, 1, cat)).abs().max().item<double>(), 1e-5);
  EXPECT_LE(weighted.narrow(1, 1 + cat, 70).sub(plain.narrow(1, 1 + cat, 70)).abs().max().item<double>(), 1e-5);
}

TEST_F(PromptEncoderRules, the_second_encoder_may_have_a_prompt_of_its_own) {
  const auto sdxl = encoder_of(model.parent_path().parent_path() / "pipe_sdxl/model");
  const auto one = sdxl.encode({.prompts = {"a cat"}}).positive,
             other = sdxl.encode({.prompts = {"a cat"}, .prompts_2 = {"the moon"}}).positive;
  const auto width =
      load_text_model(model.parent_path().parent_path() / "pipe_sdxl/model/text_encoder", {}).model->config().tower.hidden_size;
  EXPECT_TRUE(one.tokens.narrow(2, 0, width).equal(other.tokens.narrow(2, 0, width)));
  EXPECT_GT(one.pooled.sub(other.pooled).abs().max().item<double>(), 1e-3);
}

TEST_F(PromptEncoderRules, what_does_not_fit_is_refused_by_name) {
  const auto refused = [&](PromptRequest request) {
    try {
      sd.encode(request);
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_THAT(refused({}), testing::HasSubstr("prompt: at least one"));
  EXPECT_THAT(refused({.prompts = {"a", "b", "c"}, .negative = {"d", "e"}}), testing::HasSubstr("negative_prompt: 2 for 3 prompts"));
  EXPECT_THAT(refused({.prompts = {"a"}, .clip_skip = -1}), testing::HasSubstr("clip_skip must lie between 0 and"));
  EXPECT_THAT(refused({.prompts = {"a"}, .clip_skip = 99}), testing::HasSubstr("clip_skip must lie between 0 and"));
  EXPECT_EQ(refused({.prompts = {words(kMaxPromptRows * 75, "a")}}), "no error");
  EXPECT_THAT(refused({.prompts = {words(kMaxPromptRows * 75 + 1, "a")}}), testing::HasSubstr("may have 1200 tokens"));
}

TEST_F(PromptEncoderRules, encoders_that_do_not_belong_together_are_refused) {
  const auto small = fs::path(KINORA_SOURCE_DIR) / "tests/golden/text_clip_l/model";  // 300 ids
  const TextEncoder mixed{std::make_shared<nn::ClipTokenizer>(tokenizer), load_text_model(small, {}).model};
  EXPECT_THROW(PromptEncoder(PromptFamily::sd, {mixed}, false), nn::LoadError);
  EXPECT_THROW(PromptEncoder(PromptFamily::sdxl, {load(model, "")}, true), nn::LoadError);  // no projection
  EXPECT_THROW(PromptEncoder(PromptFamily::sd, {}, false), nn::LoadError);
}

}  // namespace
}  // namespace kinora::models::clip
