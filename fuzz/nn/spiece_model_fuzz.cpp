// spiece.model on any bytes: LoadError, or a tokenizer whose ids are all its own, on text that the normalisation table touches.
#include <cstdlib>

#include "nn/load_error.hpp"
#include "nn/tokenizers/unigram_tokenizer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora::nn;
  try {
    TokenizerSettings settings;
    settings.extra_ids = 3;
    const auto tokenizer = UnigramTokenizer::from_spiece_model({"fuzz", std::string(reinterpret_cast<const char*>(data), size)}, settings);
    for (const std::string_view text : {"a  b</s><extra_id_2>", "\uFF21\u2460\uFB01\r\n a\u0301 \u0E01\u0E33", "\xFF\x01\U0001F3AC"})
      for (const auto id : tokenizer.encode(text))
        if (id < 0 || id > tokenizer.largest_id()) std::abort();
  } catch (const LoadError&) {
  }
  return 0;
}
