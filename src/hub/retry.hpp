#pragma once
// Requests that are tried again, with growing pauses, as long as it may help.
#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <utility>

#include "hub/http.hpp"
#include "hub/pull.hpp"

namespace kinora::hub {

// What one attempt came to: done, or an error; `again` when another attempt may help, `progressed` when bytes arrived (the count of
// attempts begins anew), `wait` when the hub named a time.
struct Attempt {
  base::Status outcome;
  bool again = false;
  bool progressed = false;
  std::optional<std::chrono::milliseconds> wait = std::nullopt;
};

// The attempt that an answer other than 2xx, or none, stands for.
inline Attempt failed_attempt(const base::Result<HttpAnswer>& answer, const std::string& what, bool progressed) {
  if (!answer) return {base::fail(answer.error().within(what)), answer.error().code == base::ErrorCode::unavailable, progressed};
  return {base::fail(status_error(answer->status, what)), worth_retrying(answer->status), progressed, retry_after(*answer)};
}

inline base::Status with_retries(const PullSettings& settings, const std::stop_token& stop, const std::function<Attempt()>& attempt) {
  constexpr std::chrono::milliseconds kLongestWait{30'000};
  auto wait = settings.first_wait;
  for (int left = settings.attempts;;) {
    Attempt made = attempt();
    if (made.outcome || !made.again) return std::move(made.outcome);
    if (made.progressed) {
      left = settings.attempts;
      wait = settings.first_wait;
    }
    if (--left <= 0) return std::move(made.outcome);
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any stopped;
    stopped.wait_for(lock, stop, made.wait.value_or(wait), [] { return false; });
    if (stop.stop_requested()) return base::fail(base::ErrorCode::canceled, "stopped");
    wait = std::min(wait * 2, kLongestWait);
  }
}

}  // namespace kinora::hub
