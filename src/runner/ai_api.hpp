#pragma once
// The batch routes of Livepeer's AI runner (ai-runner 0.14.1; docs/runner-api.md): POST /text-to-image, /image-to-image, /image-to-video,
// so that a Livepeer orchestrator can use this runner in place of its containers. They wait for their result; the health route answers
// meanwhile.
//
// Only 200, 400, 401, 422 and 500 with JSON are ever answered: anything else crashes the request in a go-livepeer orchestrator.
#include <string>

#include "net/router.hpp"
#include "runner/inference_queue.hpp"
#include "runner/model_store.hpp"
#include "runner/probe_api.hpp"
#include "runner/settings.hpp"

namespace kinora::runner {

// auth_token: what callers must send as bearer token; empty: none. The references must outlive the router's use.
void add_ai_routes(net::Router& router, const RunnerSettings& settings, const Identity& identity, std::string auth_token,
                   const ModelStore& models, InferenceQueue& queue);

}  // namespace kinora::runner
