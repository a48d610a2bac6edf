#include "jobs/fair_queue.hpp"

#include <algorithm>

namespace kinora::jobs {

void FairQueue::push(Priority priority, const std::string& owner, ReadyTask task) {
  Lane& lane = lanes_[static_cast<std::size_t>(priority)];
  auto& items = lane.owners[owner];
  if (items.empty()) lane.turns.push_back(owner);
  items.push_back(std::move(task));
  ++size_;
}

void FairQueue::push_front(Priority priority, const std::string& owner, ReadyTask task) {
  Lane& lane = lanes_[static_cast<std::size_t>(priority)];
  auto& items = lane.owners[owner];
  // The owner has had no turn: it is next again.
  if (!items.empty()) lane.turns.erase(std::find(lane.turns.begin(), lane.turns.end(), owner));
  lane.turns.push_front(owner);
  items.push_front(std::move(task));
  ++size_;
}

std::optional<ReadyTask> FairQueue::pop() {
  for (auto lane = lanes_.rbegin(); lane != lanes_.rend(); ++lane) {
    if (lane->turns.empty()) continue;
    const std::string owner = std::move(lane->turns.front());
    lane->turns.pop_front();
    const auto items = lane->owners.find(owner);
    ReadyTask task = std::move(items->second.front());
    items->second.pop_front();
    if (items->second.empty())
      lane->owners.erase(items);
    else
      lane->turns.push_back(owner);
    --size_;
    return task;
  }
  return std::nullopt;
}

void FairQueue::erase_job(const std::string& job) {
  for (Lane& lane : lanes_) {
    for (auto at = lane.owners.begin(); at != lane.owners.end();) {
      size_ -= std::erase_if(at->second, [&](const ReadyTask& task) { return task.job == job; });
      if (!at->second.empty()) {
        ++at;
        continue;
      }
      lane.turns.erase(std::find(lane.turns.begin(), lane.turns.end(), at->first));
      at = lane.owners.erase(at);
    }
  }
}

std::optional<Priority> FairQueue::top() const {
  for (std::size_t i = lanes_.size(); i-- > 0;)
    if (!lanes_[i].turns.empty()) return static_cast<Priority>(i);
  return std::nullopt;
}

std::int64_t FairQueue::position(const std::string& job) const {
  std::int64_t ahead = 0;
  for (auto lane = lanes_.rbegin(); lane != lanes_.rend(); ++lane) {
    for (std::size_t turn = 0; turn < lane->turns.size(); ++turn) {
      const auto& mine = lane->owners.at(lane->turns[turn]);
      const auto found = std::find_if(mine.begin(), mine.end(), [&](const ReadyTask& task) { return task.job == job; });
      if (found == mine.end()) continue;
      // In each full round before it every owner gives one, in its own round those whose turn comes earlier.
      const auto rounds = static_cast<std::size_t>(found - mine.begin());
      for (std::size_t other = 0; other < lane->turns.size(); ++other) {
        const std::size_t before = rounds + (other < turn ? 1 : 0);
        ahead += static_cast<std::int64_t>(std::min(lane->owners.at(lane->turns[other]).size(), before));
      }
      return ahead + 1;
    }
    for (const auto& [owner, items] : lane->owners) ahead += static_cast<std::int64_t>(items.size());
  }
  return 0;
}

}  // namespace kinora::jobs
