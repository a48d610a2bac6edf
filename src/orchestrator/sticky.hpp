#pragma once
// Remembers for some minutes which worker an attempt went to, so that the attempt, when it is asked for again (a gateway
// that restarted), reaches the worker that may still have it. Bounded: the oldest is forgotten. Pure, one thread.
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/ulid.hpp"
#include "orchestrator/settings.hpp"

namespace kinora::orchestrator {

class StickyAttempts {
 public:
  explicit StickyAttempts(std::size_t max_attempts = kMaxStickyAttempts) : max_(max_attempts) {}
  // Empty id: ignored. Remembering again renews.
  void remember(const std::string& attempt, std::string worker_url, base::UnixMillis now);
  // The worker's url, empty when unknown or forgotten.
  std::string worker_of(const std::string& attempt, base::UnixMillis now) const;
  std::size_t size() const { return by_attempt_.size(); }

 private:
  struct Place {
    std::string url;
    base::UnixMillis since;
  };
  void forget(base::UnixMillis now);
  std::unordered_map<std::string, Place> by_attempt_;
  std::deque<std::pair<base::UnixMillis, std::string>> order_;  // by time of remembering; renewed ones occur twice
  std::size_t max_;
};

}  // namespace kinora::orchestrator
