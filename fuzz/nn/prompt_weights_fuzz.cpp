// The prompt parser on any text: refuses it, or gives sections whose parts are not empty, differ from their neighbour in weight, and
// hold no more text than the prompt.
#include <cmath>
#include <cstdlib>

#include "nn/prompts/prompt_weights.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora::nn;
  try {
    const auto sections = parse_prompt({reinterpret_cast<const char*>(data), size});
    if (sections.empty()) std::abort();
    std::size_t bytes = 0;
    for (const auto& section : sections) {
      for (std::size_t i = 0; i < section.size(); ++i) {
        bytes += section[i].text.size();
        if (section[i].text.empty() || !(std::abs(section[i].weight) <= kMaxPromptWeight)) std::abort();
        if (i > 0 && section[i].weight == section[i - 1].weight) std::abort();
      }
    }
    if (bytes > size) std::abort();
  } catch (const std::invalid_argument&) {
  }
  return 0;
}
