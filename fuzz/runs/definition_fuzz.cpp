// A definition: refused, or checked and begun; what was accepted is accepted again.
#include <cstdint>

#include "base/check.hpp"
#include "runs/request.hpp"
#include "runs/scheduler.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora;
  const auto body = base::parse_json({reinterpret_cast<const char*>(data), size});
  if (!body) return 0;
  const auto request = runs::parse_run_request(*body);
  if (!request || request->workflow) return 0;
  auto definition = runs::parse_definition(request->definition);
  if (!definition) return 0;
  const base::json::value args = request->args;
  if (!runs::check_types(*definition, &args)) return 0;
  KINORA_CHECK(runs::parse_definition(definition->source));
  runs::Run run;
  run.args = request->args;
  run.deadline_at = runs::UnixMillis(std::chrono::hours(1));
  run.steps.resize(definition->steps.size());
  runs::derive(*definition, run);
  runs::Touched touched;
  runs::settle(*definition, run, runs::UnixMillis(), touched);
  for (const auto& [step, index] : touched.start) static_cast<void>(runs::job_body(*definition, run, step, index, runs::UnixMillis()));
  return 0;
}
