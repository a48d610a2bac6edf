#pragma once
// Everything a worker is told. Plain values, filled by apps/kinora from flags, file and environment.
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "net/reach.hpp"
#include "proc/media_tool.hpp"

namespace kinora::worker {

// Where a worker offers itself.
struct OrchestratorAddress {
  std::string url;                 // http(s)://host:port, no trailing slash
  std::optional<std::string> pin;  // its key; without one an https orchestrator needs a certificate that the system trusts
  friend bool operator==(const OrchestratorAddress&, const OrchestratorAddress&) = default;
};
// "https://host:port#sha256/<base64>" or without "#...". invalid: no http(s) URL, a path, or a malformed pin.
base::Result<OrchestratorAddress> parse_orchestrator(std::string_view text);

// A device that gets its own kinora-runner.
struct DeviceSettings {
  std::string name;         // as kinora-runner --device takes it: "cpu", "cuda:0", "cuda:0+cuda:1"
  std::vector<int> cpus{};  // processors its runner may use; empty: all
};

struct WorkerTimings {
  std::chrono::milliseconds renew{5'000};             // between registrations; protocol.md 2
  std::chrono::seconds registration_ttl{15};          // the orchestrator forgets us after that
  std::chrono::milliseconds heartbeat{5'000};         // comment line in a silent event stream
  std::chrono::seconds keep_outcome{300};             // a finished attempt can be attached to for that long
  std::chrono::milliseconds runner_start{60'000};     // until its first line
  std::chrono::milliseconds runner_health{5'000};     // between polls of /health, and how long one may take
  std::chrono::milliseconds runner_silence{120'000};  // no progress of a running task: a hang
  std::chrono::milliseconds runner_backoff{500};      // before the first restart; doubles up to runner_backoff_max
  std::chrono::milliseconds runner_backoff_max{30'000};
  std::chrono::milliseconds transfer_retry{200};  // before a transfer is tried again; doubles
};

struct WorkerSettings {
  std::string name = "worker";                  // shown to people
  std::filesystem::path work_dir;               // ours alone: inputs, outputs, cache; emptied at start
  std::filesystem::path programs{};             // folder of kinora-media and kinora-runner; empty: beside this executable
  std::vector<std::filesystem::path> models{};  // folders that hold model folders
  std::vector<OrchestratorAddress> orchestrators{};
  std::string orchestrator_secret{};      // secret
  std::string url{};                      // of our own listener as orchestrators reach it: http(s)://host:port
  std::optional<std::string> tls_pin{};   // of our listener's key, when it is https
  std::string token{};                    // secret; what orchestrators must show us; empty: a random one
  std::vector<DeviceSettings> devices{};  // none: no model tasks
  unsigned media_slots = 0;               // kinora-media processes at once; 0: one per processor
  unsigned ping_slots = 256;
  std::int64_t price_per_unit = 0;  // of a second of compute, BYOC
  std::int64_t price_scaling = 1;
  std::uint64_t cache_bytes = 20ull << 30;      // inputs kept for the next order
  std::uint64_t max_input_bytes = 64ull << 30;  // of one input
  std::uint64_t disk_reserve_bytes = 0;         // with less room than this for work_dir no order is taken; 0: always
  // Where the media URLs of an order may lead: whoever sends an order chooses them. Addresses of `own_gateways` are allowed whatever they
  // are.
  net::Reach media_reach = net::Reach::public_only;
  std::vector<std::string> own_gateways{};  // http(s)://host:port
  proc::ToolLimits media_limits{};
  WorkerTimings timings{};
};

}  // namespace kinora::worker
