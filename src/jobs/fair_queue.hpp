#pragma once
// What waits for a free slot of one capability: by priority; inside a priority owners take turns, and each owner's items go first in,
// first out. So one client's thousand jobs do not starve another's one. Pure; every operation is O(log n) or better but position().
#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "jobs/job.hpp"

namespace kinora::jobs {

// A task of a job that is ready to run.
struct ReadyTask {
  std::string job;
  std::string step;
  int ordinal = 0;
  friend bool operator==(const ReadyTask&, const ReadyTask&) = default;
};

class FairQueue {
 public:
  void push(Priority priority, const std::string& owner, ReadyTask task);
  // Back to where it stood, for one that was refused.
  void push_front(Priority priority, const std::string& owner, ReadyTask task);
  std::optional<ReadyTask> pop();
  void erase_job(const std::string& job);
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::optional<Priority> top() const;  // of the next one
  // How many leave before the job's first task, counted from 1; 0 when it is not here. O(n).
  std::int64_t position(const std::string& job) const;

 private:
  struct Lane {
    std::map<std::string, std::deque<ReadyTask>> owners;
    std::deque<std::string> turns;  // owners with something, next one first
  };
  std::array<Lane, 4> lanes_;  // by Priority
  std::size_t size_ = 0;
};

}  // namespace kinora::jobs
