// Tokenizer files on any bytes: LoadError, or a tokenizer whose ids are all its own. The input is three texts parted by NUL:
// tokenizer.json or vocab.json, merges.txt, tokenizer_config.json; a further one is encoded.
#include <algorithm>
#include <array>
#include <cstdlib>

#include "nn/load_error.hpp"
#include "nn/tokenizers/clip_tokenizer.hpp"

namespace {

using namespace kinora::nn;

void check(const ClipTokenizer& tokenizer, const std::string& text) {
  for (const auto id : tokenizer.encode(text))
    if (id < 0 || id > tokenizer.largest_id()) std::abort();
  if (tokenizer.encode_row(text, 77).size() != 77) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::array<NamedText, 4> texts{{{"tokens", ""}, {"merges", ""}, {"config", ""}, {"text", ""}}};
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  for (auto& text : texts) {
    const auto end = std::min(rest.find('\0'), rest.size());
    text.text = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  try {
    TokenizerSettings settings;
    if (!texts[2].text.empty()) settings = parse_settings(texts[2], std::nullopt, std::nullopt);
    if (texts[1].text.empty())
      check(ClipTokenizer::from_tokenizer_json(texts[0], settings), texts[3].text);
    else
      check(ClipTokenizer::from_vocab_and_merges(texts[0], texts[1], settings), texts[3].text);
  } catch (const LoadError&) {
  }
  return 0;
}
