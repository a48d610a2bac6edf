// CLIP's tokenizer on the vocabularies of tests/golden/tok_clip_* and on files that must be refused. The golden strings are in models.
#include "nn/tokenizers/clip_tokenizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "nn/load_error.hpp"

namespace kinora::nn {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

NamedText text_of(const fs::path& path) { return *read_tokenizer_file(path); }

fs::path folder(const std::string& name) { return fs::path(KINORA_SOURCE_DIR) / "tests/golden" / name / "tokenizer"; }

std::string error_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const LoadError& error) {
    return error.what();
  }
  return "no error";
}

TEST(ClipTokenizer, pads_with_the_token_that_the_configuration_names) {
  EXPECT_EQ(ClipTokenizer::open(folder("tok_clip_l")).encode_row("a", 5), (std::vector<TokenId>{932, 320, 933, 933, 933}));
  EXPECT_EQ(ClipTokenizer::open(folder("tok_clip_g")).encode_row("a", 5), (std::vector<TokenId>{932, 320, 933, 0, 0}));
}

TEST(ClipTokenizer, malformed_utf8_counts_as_the_replacement_character) {
  const auto tokenizer = ClipTokenizer::open(folder("tok_clip_l"));
  EXPECT_EQ(tokenizer.encode("a\xFF\xC3 b"), tokenizer.encode("a\uFFFD\uFFFD b"));
  EXPECT_EQ(tokenizer.encode("\xE2\x82"), tokenizer.encode("\uFFFD"));  // cut off: one part, one replacement
}

TEST(ClipTokenizer, a_word_of_a_million_letters_takes_no_quadratic_time) {
  const auto tokenizer = ClipTokenizer::open(folder("tok_clip_l"));
  EXPECT_GT(tokenizer.encode(std::string(1'000'000, 'a')).size(), 100'000U);
}

// A vocabulary of the bytes alone, with what a test adds.
nlohmann::json byte_vocabulary() {
  nlohmann::json vocabulary;
  for (int byte = 0; byte < 256; ++byte) {
    const auto character = byte_character(static_cast<unsigned char>(byte));
    vocabulary[character] = byte;
    vocabulary[character + "</w>"] = 256 + byte;
  }
  vocabulary["ab"] = 512;
  vocabulary["<|startoftext|>"] = 513;
  vocabulary["<|endoftext|>"] = 514;
  return vocabulary;
}

ClipTokenizer build(const nlohmann::json& vocabulary, const std::string& merges, const std::string& config = "{}") {
  return ClipTokenizer::from_vocab_and_merges({"vocab.json", vocabulary.dump()}, {"merges.txt", merges},
                                              parse_settings(NamedText{"tokenizer_config.json", config}, std::nullopt, std::nullopt));
}

TEST(ClipTokenizer, merges_the_earliest_rule_first) {
  const auto tokenizer = build(byte_vocabulary(), "#version: 0.2\na b\n");
  EXPECT_EQ(tokenizer.encode("abab"), (std::vector<TokenId>{512, 'a', 256 + 'b'}));  // the last letter carries </w>
}

TEST(ClipTokenizer, a_special_token_marked_normalized_is_found_in_any_case) {
  const auto raw = build(byte_vocabulary(), "a b", R"({"bos_token": "<|startoftext|>"})");
  const auto normalized = build(byte_vocabulary(), "a b", R"({"bos_token": {"content": "<|startoftext|>", "normalized": true}})");
  EXPECT_GT(raw.encode("<|StartOfText|>").size(), 1U);
  EXPECT_EQ(normalized.encode("<|StartOfText|>"), (std::vector<TokenId>{513}));
}

TEST(ClipTokenizer, tokens_added_by_a_textual_inversion_keep_their_ids) {
  const auto settings = parse_settings(std::nullopt, std::nullopt, NamedText{"added_tokens.json", R"({"<cat-toy>": 515})"});
  const auto tokenizer = ClipTokenizer::from_vocab_and_merges({"vocab.json", byte_vocabulary().dump()}, {"merges.txt", "a b"}, settings);
  EXPECT_EQ(tokenizer.encode("a <cat-toy>"), (std::vector<TokenId>{256 + 'a', 515}));
  EXPECT_EQ(tokenizer.largest_id(), 515);
}

TEST(ClipTokenizer, bad_files_are_refused_by_file_and_field) {
  EXPECT_THAT(error_of([] { build(nlohmann::json::object(), "a b"); }), HasSubstr("vocab.json: must hold 1 to"));
  auto vocabulary = byte_vocabulary();
  vocabulary["ab"] = -1;
  EXPECT_THAT(error_of([&] { build(vocabulary, "a b"); }), HasSubstr("vocab.json: ab: must be a token id"));
  vocabulary["ab"] = 3;
  EXPECT_THAT(error_of([&] { build(vocabulary, "a b"); }), HasSubstr("the id 3 is given twice"));
  vocabulary["ab"] = 512;
  EXPECT_THAT(error_of([&] { build(vocabulary, "a b\nc d\n"); }), HasSubstr("merges: rule 2 needs the token 'cd'"));
  EXPECT_THAT(error_of([&] { build(vocabulary, "a b\nabc\n"); }), HasSubstr("merges.txt: line 2: must be two tokens"));
  vocabulary.erase("<|endoftext|>");
  EXPECT_THAT(error_of([&] { build(vocabulary, "a b"); }), HasSubstr("eos_token: the token '<|endoftext|>' is not in the vocabulary"));
  EXPECT_THAT(error_of([] { build(byte_vocabulary(), "a b", "{"); }), HasSubstr("tokenizer_config.json: is not JSON: error at byte"));
  EXPECT_THAT(error_of([] { build(byte_vocabulary(), "a b", R"({"pad_token": 3})"); }), HasSubstr("pad_token: must be an object"));
  EXPECT_THAT(error_of([] { build(byte_vocabulary(), "a b", R"({"model_max_length": -5})"); }),
              HasSubstr("model_max_length: must be 2 or more"));
  EXPECT_THAT(error_of([] { ClipTokenizer::open("/nonexistent"); }), HasSubstr("holds neither tokenizer.json nor vocab.json"));
}

TEST(ClipTokenizer, a_tokenizer_json_of_another_kind_is_refused) {
  auto whole = nlohmann::json::parse(text_of(folder("tok_clip_l") / "tokenizer.json").text);
  const auto read = [&] { return ClipTokenizer::from_tokenizer_json({"tokenizer.json", whole.dump()}, {}); };
  EXPECT_EQ(error_of(read), "no error");
  whole["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = "[a-z]+";
  EXPECT_THAT(error_of(read), HasSubstr("tokenizer.json: pre_tokenizer.pretokenizers[0].pattern.Regex: is not the pattern of CLIP"));
  whole["model"]["type"] = "Unigram";
  EXPECT_THAT(error_of(read), HasSubstr("model.type: must be BPE"));
}

TEST(ClipTokenizer, every_flipped_byte_of_its_files_gives_ids_or_an_error) {
  const auto at = folder("tok_clip_l");
  auto vocab = text_of(at / "vocab.json"), merges = text_of(at / "merges.txt");
  for (auto* file : {&vocab, &merges}) {
    for (std::size_t i = 0; i < file->text.size(); i += 211) {
      const char kept = file->text[i];
      file->text[i] = static_cast<char>(kept ^ 0x41);
      EXPECT_NO_FATAL_FAILURE(error_of([&] { ClipTokenizer::from_vocab_and_merges(vocab, merges, {}).encode("a dog"); }));
      file->text[i] = kept;
    }
  }
}

}  // namespace
}  // namespace kinora::nn
