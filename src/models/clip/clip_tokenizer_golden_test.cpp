// CLIP's tokenizer gives the ids of the reference, from tokenizer.json as from vocab.json and merges.txt.
#include <gtest/gtest.h>

#include <fstream>

#include "models/golden/golden_case.hpp"
#include "nn/tokenizers/clip_tokenizer.hpp"

namespace kinora::models::clip {
namespace {

using Ids = std::vector<nn::TokenId>;

void run(const golden::Case& test) {
  const auto at = test.folder() / "tokenizer";
  const auto whole = nn::ClipTokenizer::open(at);
  const auto parts = nn::ClipTokenizer::from_vocab_and_merges(*nn::read_tokenizer_file(at / "vocab.json"),
                                                              *nn::read_tokenizer_file(at / "merges.txt"), nn::read_settings(at));
  EXPECT_EQ(whole.start(), test.json().at("bos"));
  EXPECT_EQ(whole.end(), test.json().at("eos"));
  EXPECT_EQ(whole.pad(), test.json().at("pad"));
  std::ifstream strings(test.folder() / "strings.json");
  const auto document = nlohmann::json::parse(strings);
  for (const auto& entry : document.at("strings")) {
    const auto text = entry.at("text").get<std::string>();
    const auto expected = entry.at("ids").get<Ids>();
    const Ids inner(expected.begin() + 1, expected.end() - 1);  // between start and end token
    EXPECT_EQ(whole.encode(text), inner) << text;
    EXPECT_EQ(parts.encode(text), inner) << text;
    if (entry.contains("padded77")) {
      EXPECT_EQ(whole.encode_row(text, 77), entry.at("padded77").get<Ids>()) << text;
    }
  }
}

const golden::Register registered{"CLIPTokenizer", run};

}  // namespace
}  // namespace kinora::models::clip
