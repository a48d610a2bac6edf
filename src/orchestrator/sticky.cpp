#include "orchestrator/sticky.hpp"

namespace kinora::orchestrator {

void StickyAttempts::remember(const std::string& attempt, std::string worker_url, base::UnixMillis now) {
  if (attempt.empty()) return;
  by_attempt_[attempt] = {std::move(worker_url), now};
  order_.emplace_back(now, attempt);
  forget(now);
}

std::string StickyAttempts::worker_of(const std::string& attempt, base::UnixMillis now) const {
  const auto found = by_attempt_.find(attempt);
  if (found == by_attempt_.end() || found->second.since + kStickyFor <= now) return {};
  return found->second.url;
}

void StickyAttempts::forget(base::UnixMillis now) {
  // The queue is bounded too: an entry that was renewed is skipped when its old place comes up.
  while (!order_.empty() && (order_.front().first + kStickyFor <= now || order_.size() > max_)) {
    const auto found = by_attempt_.find(order_.front().second);
    if (found != by_attempt_.end() && found->second.since == order_.front().first) by_attempt_.erase(found);
    order_.pop_front();
  }
}

}  // namespace kinora::orchestrator
