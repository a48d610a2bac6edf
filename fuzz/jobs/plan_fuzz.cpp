// A cut's result as a worker reports it: chunk tasks that follow each other, or a refusal.
#include <cstdint>

#include "base/check.hpp"
#include "jobs/planner.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora;
  const auto event = tasks::parse_event({reinterpret_cast<const char*>(data), size});
  if (!event || !*event || !std::holds_alternative<tasks::TaskResult>(**event)) return 0;
  const auto& result = std::get<tasks::TaskResult>(**event);
  for (const char* task : {"video-upscale", "frame-interpolation", "video-enhance"})
    if (const auto chunks = jobs::chunk_tasks(task, {}, result))
      KINORA_CHECK(!chunks->empty() && chunks->size() <= std::size_t{jobs::kMaxChunks});
  static_cast<void>(jobs::join_params(result));
  static_cast<void>(jobs::source_facts(result.outputs));
  return 0;
}
