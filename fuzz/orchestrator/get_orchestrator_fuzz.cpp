// A stranger's GetOrchestrator request: checked, answered, and the gateway's compatibility test over both.
#include "base/bytes.hpp"
#include "base/check.hpp"
#include "orchestrator/info.hpp"
#include "wire/capabilities.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora;
  wire::pb::OrchestratorRequest request;
  if (!request.ParseFromArray(data, static_cast<int>(size))) return 0;
  if (!orchestrator::check_request(request)) return 0;
  orchestrator::OrchestratorSettings settings;
  settings.service_url = "https://127.0.0.1:8935";
  const std::vector<orchestrator::CapabilityStatus> offered = {{"echo", {1000, 1}, {{"http://127.0.0.1:1", 2, 1, true, {}}}, 0, 0}};
  const auto info = orchestrator::build_info(settings, offered, request.has_capabilities() ? &request.capabilities() : nullptr);
  KINORA_CHECK(info.has_capabilities() && info.capabilities().has_constraints() && info.address().size() == 20);
  (void)wire::check_compatible(request.capabilities(), info.capabilities());
  auto counts = request.capabilities();
  wire::add_capacities(counts, info.capabilities());
  wire::remove_capacities(counts, info.capabilities());
  return 0;
}
