// The unigram tokenizers give the ids of the reference, from tokenizer.json as from spiece.model.
#include <gtest/gtest.h>

#include <fstream>

#include "models/golden/golden_case.hpp"
#include "nn/tokenizers/unigram_tokenizer.hpp"

namespace kinora::models::t5 {
namespace {

using Ids = std::vector<nn::TokenId>;

void run(const golden::Case& test) {
  const auto at = test.folder() / "tokenizer";
  const auto whole = nn::UnigramTokenizer::open(at);
  const auto model = nn::UnigramTokenizer::from_spiece_model(*nn::read_tokenizer_file(at / "spiece.model"), nn::read_settings(at));
  std::ifstream strings(test.folder() / "strings.json");
  const auto document = nlohmann::json::parse(strings);
  for (const auto& entry : document.at("strings")) {
    const auto text = entry.at("text").get<std::string>();
    const auto expected = entry.at("ids").get<Ids>();
    const Ids inner(expected.begin(), expected.end() - 1);  // without the end token
    EXPECT_EQ(expected.back(), whole.end());
    EXPECT_EQ(whole.encode(text), inner) << text;
    EXPECT_EQ(model.encode(text), inner) << text;
    if (entry.contains("padded24")) {
      EXPECT_EQ(whole.encode_row(text, 24).ids, entry.at("padded24").get<Ids>()) << text;
      EXPECT_EQ(whole.encode_row(text, 24).real, std::min<std::size_t>(expected.size(), 24)) << text;
    }
  }
}

const golden::Register registered{"Unigram", run};

}  // namespace
}  // namespace kinora::models::t5
