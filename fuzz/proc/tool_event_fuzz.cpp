// One line of kinora-media's output.
#include <cstdint>
#include <cstdlib>

#include "proc/tool_event.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto event = kinora::proc::parse_tool_event(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!event) return 0;
  if (const auto* progress = std::get_if<kinora::proc::ToolProgress>(&*event)) {
    const double fraction = progress->object.at("fraction").as_double();
    if (!(fraction >= 0 && fraction <= 1)) std::abort();
  }
  if (const auto* error = std::get_if<kinora::proc::ToolError>(&*event)) {
    if (error->detail.size() > kinora::proc::kMaxDetailBytes || error->code.empty()) std::abort();
  }
  return 0;
}
