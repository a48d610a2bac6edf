// What a runner says about itself: its first line and its list of models.
#include <cstdint>
#include <cstdlib>

#include "worker/runner.hpp"
#include "worker/settings.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto url = kinora::worker::parse_ready_line(text)) {
    if (!url->starts_with("http://127.0.0.1") && !url->starts_with("http://[::1]")) std::abort();
  }
  (void)kinora::worker::parse_models(text);
  (void)kinora::worker::parse_orchestrator(text);
  return 0;
}
