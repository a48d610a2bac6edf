// tokenizer.json of a unigram model on any bytes: LoadError, or a tokenizer whose ids are all its own. A text to encode follows a NUL.
#include <algorithm>
#include <cstdlib>

#include "nn/load_error.hpp"
#include "nn/tokenizers/unigram_tokenizer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora::nn;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto cut = std::min(input.find('\0'), size);
  try {
    const auto tokenizer = UnigramTokenizer::from_tokenizer_json({"fuzz", std::string(input.substr(0, cut))}, {});
    const auto text = input.substr(std::min(cut + 1, size));
    for (const auto id : tokenizer.encode(text))
      if (id < 0 || id > tokenizer.largest_id()) std::abort();
    if (const auto row = tokenizer.encode_row(text, 24); row.ids.size() != 24 || row.real == 0 || row.real > 24) std::abort();
  } catch (const LoadError&) {
  }
  return 0;
}
