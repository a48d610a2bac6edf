#pragma once
// What the orchestrator tells of itself (OrchestratorInfo), from the registry's state. Pure.
#include <span>

#include "orchestrator/orchestrator.hpp"
#include "wire/messages.hpp"

namespace kinora::orchestrator {

// `asked` is the request's capabilities, nullptr for a general discovery. The auth token is the caller's to fill in.
wire::pb::OrchestratorInfo build_info(const OrchestratorSettings& settings, std::span<const CapabilityStatus> offered,
                                      const wire::pb::Capabilities* asked);

// Checks a request in the reference's order; the text is what the caller is told.
base::Status check_request(const wire::pb::OrchestratorRequest& request);

}  // namespace kinora::orchestrator
