#pragma once
// What Livepeer's nodes ask an AI runner: GET /health, /hardware/info, /hardware/stats, /version, in the shapes of ai-runner 0.14.1
// (docs/runner-api.md). They answer at once, whatever the inference thread does.
#include <string>

#include "net/router.hpp"
#include "runner/inference_queue.hpp"
#include "runner/residency.hpp"

namespace kinora::runner {

struct Identity {
  std::string pipeline;  // environment PIPELINE
  std::string model_id;  // environment MODEL_ID
  std::string version;   // environment VERSION, else the program's; a semantic version
};

// /hardware/stats has one member more: "models", what lies on the device by measured bytes.
void add_probe_routes(net::Router& router, Identity identity, const InferenceQueue& queue, const Residency& residency);

}  // namespace kinora::runner
