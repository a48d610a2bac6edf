#pragma once
// One order being worked on, and what is told about it: several streams may follow one attempt (a repeated order attaches), and a
// finished attempt's outcome is kept for a while (docs/protocol.md 4).
//
// Threading: one executor run by one thread.
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "net/http.hpp"
#include "net/sync.hpp"
#include "tasks/event.hpp"

namespace kinora::worker {

class Attempt {
 public:
  Attempt(boost::asio::any_io_executor executor, std::string id, tasks::Accepted accepted);

  const std::string& id() const { return id_; }
  bool finished() const { return !last_.empty(); }
  // Its last follower left before the end: it is being stopped, and nobody can attach any more.
  bool withdrawn() const { return withdrawn_; }
  std::size_t last_bytes() const { return last_.size(); }

  // What a follower is told next. Reports that come quicker than kProgressGap are dropped unless the stage changes.
  static constexpr std::chrono::milliseconds kProgressGap{200};
  void report(const tasks::Progress& progress);
  // The last word, once; later ones are ignored.
  void finish(const tasks::TaskEvent& result_or_failure);

  // Called when the last follower left before the end: nobody wants the result any more.
  void on_abandoned(std::function<void()> action) { abandoned_ = std::move(action); }
  // Writes the event stream (accepted, progress, the last word, [DONE]) until the end or until the peer is gone.
  // `attempt` is shared so that it lives as long as the stream.
  static net::Task<void> follow(std::shared_ptr<Attempt> attempt, net::Response& response, std::chrono::milliseconds heartbeat);

 private:
  void left();

  std::string id_;
  std::string accepted_;  // JSON texts
  std::string progress_;
  std::string last_;
  std::string stage_;
  net::Clock::time_point reported_{};
  std::uint64_t version_ = 0;  // of progress_
  std::size_t followers_ = 0;
  bool withdrawn_ = false;
  std::function<void()> abandoned_;
  net::Signal changed_;
};

// Attempts by id: the running ones, and the finished ones for `keep`, at most kMaxKept and kMaxKeptBytes of them.
class AttemptTable {
 public:
  static constexpr std::size_t kMaxKept = 4096;
  static constexpr std::size_t kMaxKeptBytes = 64 << 20;
  explicit AttemptTable(std::chrono::milliseconds keep, std::size_t max_kept_bytes = kMaxKeptBytes)
      : keep_(keep), max_kept_bytes_(max_kept_bytes) {}

  std::shared_ptr<Attempt> find(const std::string& id, net::Clock::time_point now);
  void add(std::shared_ptr<Attempt> attempt);
  // Keeps a finished attempt's outcome, but not that of a withdrawn one: the same order may come again and begins anew.
  void finished(const std::shared_ptr<Attempt>& attempt, net::Clock::time_point now);
  std::size_t size() const { return all_.size(); }

 private:
  struct Kept {
    std::string id;
    std::size_t bytes;
    net::Clock::time_point until;
  };
  void forget_oldest();
  void expire(net::Clock::time_point now);

  std::chrono::milliseconds keep_;
  std::size_t max_kept_bytes_;
  std::unordered_map<std::string, std::shared_ptr<Attempt>> all_;
  std::deque<Kept> kept_;
  std::size_t kept_bytes_ = 0;
};

}  // namespace kinora::worker
