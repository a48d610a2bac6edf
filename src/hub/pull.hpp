#pragma once
// Brings a model of a hub onto this machine: lists the repository at one commit, fetches what is missing in parallel parts, checks every
// file's hash, and makes the snapshot when all are there. What was fetched before an interruption is not fetched again. Blocking.
#include <functional>
#include <stop_token>
#include <string>

#include "hub/cache.hpp"
#include "hub/http.hpp"
#include "hub/selection.hpp"

namespace kinora::hub {

inline constexpr std::uint64_t kPartBytes = 32ULL << 20;
inline constexpr int kMaxConnections = 32;

struct PullSettings {
  std::string endpoint = "https://huggingface.co";
  HttpSettings http;
  int connections = 8;                        // 1..kMaxConnections
  int attempts = 6;                           // of one request without any progress; 429, 5xx and cut connections are tried again
  std::chrono::milliseconds first_wait{500};  // before the second attempt; doubles, up to 30 s; Retry-After is obeyed
};

struct PullProgress {
  std::uint64_t bytes_done = 0, bytes_total = 0;  // of the chosen files; those that were there count as done
  std::size_t files_done = 0, files_total = 0;
};

struct Pulled {
  LocalModel model;
  std::uint64_t bytes_fetched = 0;
};

// report is called from the calling thread, about five times a second and at the end. Errors: not_found, unauthenticated, forbidden (with
// what to do), unavailable (after all attempts), exhausted (disk; says what is needed and free), conflict (another pull of it runs),
// invalid (an answer that makes no sense, a hash that differs twice), canceled.
base::Result<Pulled> pull(const Cache& cache, const Repository& repository, const Selection& selection, const PullSettings& settings,
                          const std::function<void(const PullProgress&)>& report, std::stop_token stop);

}  // namespace kinora::hub
