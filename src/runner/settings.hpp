#pragma once
// What a runner process is told at its start.
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "media/limits.hpp"

namespace kinora::runner {

// Tasks that may wait behind the running one; a further one is refused with 503.
inline constexpr std::size_t kQueueDepth = 4;
// The body of POST /tasks/{task}.
inline constexpr std::size_t kMaxTaskBodyBytes = 1 << 20;

struct RunnerSettings {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;                          // 0: any free one
  std::filesystem::path work_dir;                  // inputs and outputs of tasks lie under it
  std::vector<std::filesystem::path> models_dirs;  // of two models with one id the first counts
  std::string device = "cpu";                      // "cpu" or "cuda:N"
  std::string guidance_device;                     // a second one for denoisers (models::PipelineSettings); empty: none
  int threads = 0;                                 // of the network; 0: all that the process may use
  std::uint64_t memory_bytes = 0;                  // activations of one network call; 0: from the free memory
  std::uint64_t model_bytes = 0;                   // weights on the device; 0: three quarters of its memory
  std::vector<std::string> pinned;                 // models that are not evicted for others
  std::string auth_token;                          // of the AI-runner routes; empty: none
  media::Limits limits;
  std::chrono::milliseconds grace{500};  // a running task's time to end after a stop
};

}  // namespace kinora::runner
