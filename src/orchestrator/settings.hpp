#pragma once
// Settings and limits of the orchestrator role.
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

#include "base/ulid.hpp"

namespace kinora::orchestrator {

// Wall clock, handed in so that tests can move it: token expiry, registrations' time to live, stickiness.
using Clock = std::function<base::UnixMillis()>;

inline constexpr std::size_t kMaxOrderBytes = 1 << 20;          // 413
inline constexpr std::size_t kMaxRegistrationBytes = 64 << 10;  // 413
inline constexpr std::size_t kMaxRegistrations = 4096;          // (name, worker) pairs: 503
inline constexpr std::size_t kMaxStickyAttempts = 65'536;       // the oldest goes
inline constexpr std::size_t kMaxErrorBytes = 64 << 10;         // of a worker's error text passed on
inline constexpr std::chrono::seconds kFirstPenalty{5};         // a worker that failed comes after the others for so long
inline constexpr std::chrono::seconds kLongestPenalty{120};
inline constexpr std::chrono::minutes kStickyFor{10};        // an attempt id stays with its worker
inline constexpr std::chrono::seconds kTokenLifetime{1800};  // go-livepeer's auth token

struct OrchestratorSettings {
  std::string service_url;                            // announced: https://host:port, no trailing slash
  std::string secret;                                 // workers show it to register; must not be empty
  std::size_t max_jobs = 4096;                        // running at once over all workers: 503
  std::chrono::milliseconds silence_timeout{15'000};  // of a worker that promised heartbeats (it registered with ttl_s)
  std::chrono::milliseconds heartbeat{5'000};         // sent for a worker that promised none
};

}  // namespace kinora::orchestrator
