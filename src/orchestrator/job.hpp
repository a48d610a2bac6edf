#pragma once
// One job: POST /process/request/<path> from a gateway, handed to a worker, its answer streamed back.
#include "net/http.hpp"
#include "orchestrator/state.hpp"

namespace kinora::orchestrator {

// Verifies the header, admits against free slots, tries workers until one answers, passes the answer on.
// Cancelled (the gateway went away): the worker's stream is closed and the slot is free again.
Task<void> process_job(Orchestrator::State& state, net::Request& request, net::Response& response);

}  // namespace kinora::orchestrator
