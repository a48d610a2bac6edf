#include "orchestrator/registry.hpp"

#include <algorithm>
#include <tuple>

namespace kinora::orchestrator {
namespace {

constexpr double kNewestCounts = 0.3;

bool contains(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

}  // namespace

std::shared_ptr<SlotGroup> Registry::group_for(const wire::Registration& registration) {
  if (registration.group.empty()) return std::make_shared<SlotGroup>();
  std::erase_if(groups_, [](const auto& item) { return item.second.expired(); });
  auto& known = groups_[{registration.url, registration.group}];
  auto group = known.lock();
  if (!group) known = group = std::make_shared<SlotGroup>();
  return group;
}

base::Status Registry::add(const wire::Registration& registration, base::UnixMillis now) {
  const auto name = names_.find(registration.name);
  const bool renewed = name != names_.end() && name->second.contains(registration.url);
  if (!renewed && size() >= kMaxRegistrations) return base::fail(base::ErrorCode::exhausted, "too many registrations");
  Entry& entry = names_[registration.name][registration.url];
  // A renewal keeps its slots, so that jobs that run stay counted.
  if (!entry.slots || entry.registration.group != registration.group) entry.slots = group_for(registration);
  entry.slots->capacity = static_cast<unsigned>(registration.capacity);
  entry.registration = registration;
  entry.expires.reset();
  if (registration.ttl_s > 0) entry.expires = now + std::chrono::seconds(registration.ttl_s);
  return {};
}

bool Registry::remove(std::string_view name, std::string_view url) {
  const auto found = names_.find(name);
  if (found == names_.end()) return false;
  bool removed = url.empty();
  if (removed) {
    found->second.clear();
  } else if (const auto worker = found->second.find(url); worker != found->second.end()) {
    found->second.erase(worker);
    removed = true;
  }
  if (found->second.empty()) names_.erase(found);
  return removed;
}

template <class Predicate>
void Registry::remove_if(const Predicate& gone) {
  for (auto name = names_.begin(); name != names_.end();) {
    std::erase_if(name->second, [&](const auto& worker) { return gone(worker.first, worker.second); });
    name = name->second.empty() ? names_.erase(name) : std::next(name);
  }
}

void Registry::remove_worker(std::string_view url) {
  remove_if([&](const std::string& worker, const Entry&) { return worker == url; });
}

void Registry::drop_expired(base::UnixMillis now) {
  remove_if([&](const std::string&, const Entry& entry) { return entry.expires && *entry.expires <= now; });
}

bool Registry::known(std::string_view name) const { return names_.contains(name); }

std::optional<Assignment> Registry::assign(std::string_view name, std::string_view prefer, const std::vector<std::string>& avoid,
                                           base::UnixMillis now) {
  const auto found = names_.find(name);
  if (found == names_.end()) return std::nullopt;
  Entry* best = nullptr;
  const auto rank = [&](const Entry& entry) {
    const double load = static_cast<double>(entry.slots->in_use) / entry.slots->capacity;
    // A worker that was never measured counts as fastest: it has to be tried to be known.
    return std::tuple(entry.registration.url != prefer, now < entry.penalty_until, load, entry.seconds_per_unit.value_or(0.0),
                      entry.last_turn);
  };
  for (auto& [url, entry] : found->second) {
    if (entry.slots->free() == 0 || contains(avoid, url)) continue;
    if (best == nullptr || rank(entry) < rank(*best)) best = &entry;
  }
  if (best == nullptr) return std::nullopt;
  best->last_turn = ++turn_;
  return Assignment{best->registration, Slot(best->slots)};
}

Registry::Entry* Registry::find(std::string_view name, std::string_view url) {
  const auto found = names_.find(name);
  if (found == names_.end()) return nullptr;
  const auto worker = found->second.find(url);
  return worker == found->second.end() ? nullptr : &worker->second;
}

void Registry::measured(std::string_view name, std::string_view url, double seconds_per_unit) {
  Entry* entry = find(name, url);
  if (entry == nullptr) return;
  auto& mean = entry->seconds_per_unit;
  mean = mean ? *mean + kNewestCounts * (seconds_per_unit - *mean) : seconds_per_unit;
  entry->failures = 0;
  entry->penalty_until = {};
}

void Registry::failed(std::string_view name, std::string_view url, base::UnixMillis now) {
  Entry* entry = find(name, url);
  if (entry == nullptr || now < entry->penalty_until) return;  // jobs that failed together are one failure
  constexpr int kMostDoublings = 16;
  const auto penalty = kFirstPenalty * (1 << std::min(entry->failures, kMostDoublings));
  ++entry->failures;
  entry->penalty_until = now + std::min<std::chrono::milliseconds>(penalty, kLongestPenalty);
}

wire::Price Registry::price(std::string_view name) const {
  wire::Price highest;
  const auto found = names_.find(name);
  if (found == names_.end()) return highest;
  for (const auto& [url, entry] : found->second) {
    if (highest < entry.registration.price) highest = entry.registration.price;
  }
  return highest;
}

std::vector<CapabilityStatus> Registry::status() const {
  std::vector<CapabilityStatus> all;
  for (const auto& [name, workers] : names_) {
    CapabilityStatus& capability = all.emplace_back();
    capability.name = name;
    capability.price = price(name);
    for (const auto& [url, entry] : workers) {
      capability.workers.push_back({url, entry.slots->capacity, entry.slots->in_use, entry.registration.warm, entry.seconds_per_unit,
                                    entry.registration.weights, entry.registration.unusable});
    }
  }
  return all;
}

std::size_t Registry::size() const {
  std::size_t total = 0;
  for (const auto& [name, workers] : names_) total += workers.size();
  return total;
}

}  // namespace kinora::orchestrator
