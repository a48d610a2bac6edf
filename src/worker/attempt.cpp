#include "worker/attempt.hpp"

#include <algorithm>

#include "base/json.hpp"
#include "net/sse.hpp"

namespace kinora::worker {
namespace {

std::string text(const tasks::TaskEvent& event) { return boost::json::serialize(tasks::to_json(event)); }

}  // namespace

Attempt::Attempt(boost::asio::any_io_executor executor, std::string id, tasks::Accepted accepted)
    : id_(std::move(id)), accepted_(text(accepted)), changed_(std::move(executor)) {}

void Attempt::report(const tasks::Progress& progress) {
  const auto now = net::Clock::now();
  if (finished() || (progress.stage == stage_ && now - reported_ < kProgressGap)) return;
  stage_ = progress.stage;
  reported_ = now;
  progress_ = text(progress);
  ++version_;
  changed_.notify();
}

void Attempt::finish(const tasks::TaskEvent& result_or_failure) {
  if (finished()) return;
  last_ = text(result_or_failure);
  changed_.notify();
}

void Attempt::left() {
  if (--followers_ > 0 || finished() || !abandoned_) return;
  withdrawn_ = true;
  abandoned_();
}

net::Task<void> Attempt::follow(std::shared_ptr<Attempt> attempt, net::Response& response, std::chrono::milliseconds heartbeat) {
  struct Follower {
    Attempt& attempt;
    explicit Follower(Attempt& attempt_) : attempt(attempt_) { ++attempt.followers_; }
    ~Follower() { attempt.left(); }
  };
  const Follower follower(*attempt);
  const auto event = [](const std::string& data) { return net::format_sse({.type = "message", .data = data, .id = {}}); };

  net::Headers headers{{"content-type", "text/event-stream"}, {"cache-control", "no-store"}};
  if (!co_await response.start(200, std::move(headers))) co_return;
  if (!co_await response.write(event(attempt->accepted_))) co_return;
  std::uint64_t told = 0;
  auto silent_since = net::Clock::now();
  while (!attempt->finished()) {
    std::string piece;
    if (told != attempt->version_) {
      told = attempt->version_;
      piece = event(attempt->progress_);
    } else if (net::Clock::now() - silent_since >= heartbeat) {
      piece = ": hb\n\n";
    } else {
      co_await attempt->changed_.wait(silent_since + heartbeat);
      continue;
    }
    if (!co_await response.write(std::move(piece))) co_return;
    silent_since = net::Clock::now();
  }
  if (!co_await response.write(event(attempt->last_) + event("[DONE]"))) co_return;
  co_await response.finish();
}

std::shared_ptr<Attempt> AttemptTable::find(const std::string& id, net::Clock::time_point now) {
  expire(now);
  const auto found = all_.find(id);
  return found == all_.end() ? nullptr : found->second;
}

void AttemptTable::add(std::shared_ptr<Attempt> attempt) {
  const std::string id = attempt->id();
  all_[id] = std::move(attempt);
}

void AttemptTable::finished(const std::shared_ptr<Attempt>& attempt, net::Clock::time_point now) {
  if (attempt->withdrawn()) {
    all_.erase(attempt->id());
    return;
  }
  kept_.push_back({attempt->id(), attempt->last_bytes(), now + keep_});
  kept_bytes_ += kept_.back().bytes;
  expire(now);
  while (kept_.size() > kMaxKept || kept_bytes_ > max_kept_bytes_) forget_oldest();
}

void AttemptTable::forget_oldest() {
  kept_bytes_ -= kept_.front().bytes;
  all_.erase(kept_.front().id);
  kept_.pop_front();
}

void AttemptTable::expire(net::Clock::time_point now) {
  while (!kept_.empty() && kept_.front().until <= now) forget_oldest();
}

}  // namespace kinora::worker
