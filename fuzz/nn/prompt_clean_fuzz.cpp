// The cleaning of prompts on any bytes: valid UTF-8 without double, leading or trailing spaces.
#include <cstdlib>

#include "nn/prompts/prompt_clean.hpp"
#include "nn/tokenizers/unicode.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora::nn;
  const auto clean = clean_prompt({reinterpret_cast<const char*>(data), size});
  if (unicode::valid_utf8(clean) != clean || clean.find("  ") != std::string::npos) std::abort();
  if (clean.starts_with(' ') || clean.ends_with(' ')) std::abort();
  return 0;
}
