// The body of POST /v1/jobs, from text to a checked submission: it answers or refuses with pointers, never crashes.
#include <cstdint>

#include "base/check.hpp"
#include "jobs/submission.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora;
  const auto body = base::parse_json({reinterpret_cast<const char*>(data), size});
  if (!body) return 0;
  const auto out = jobs::parse_submission(*body);
  if (out)
    KINORA_CHECK(out->task != nullptr && !out->task->internal);
  else
    KINORA_CHECK(tasks::find_error(out.error().code) != nullptr && !out.error().errors.empty());
  return 0;
}
