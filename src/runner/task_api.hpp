#pragma once
// The native API (docs/runner-api.md): POST /tasks/{task} answers with a stream of events, GET /models, GET /native/info.
#include "net/router.hpp"
#include "runner/inference_queue.hpp"

namespace kinora::runner {

// A silent stream says ": hb" this often; the last progress is said again every second while nothing new comes.
inline constexpr std::chrono::seconds kHeartbeat{5};
inline constexpr std::chrono::seconds kRepeat{1};

// The references must outlive the router's use.
void add_task_routes(net::Router& router, const RunnerSettings& settings, const ModelStore& models, InferenceQueue& queue);

}  // namespace kinora::runner
