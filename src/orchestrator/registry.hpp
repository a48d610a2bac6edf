#pragma once
// The workers of an orchestrator: who registered which capability, how much of it is free, who gets the next job.
//
// The key of a registration is (name, url). Registrations of one url with the same non-empty group share one capacity,
// whatever their names (one device). A Slot occupies one unit of it until it is destroyed.
// Pure of I/O: time is handed in. One thread. Slots may outlive a registration, not the Registry.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ulid.hpp"
#include "orchestrator/orchestrator.hpp"
#include "wire/byoc.hpp"

namespace kinora::orchestrator {

// One capacity: of a worker's device, or of a single registration.
struct SlotGroup {
  unsigned capacity = 0;
  unsigned in_use = 0;
  unsigned free() const { return in_use < capacity ? capacity - in_use : 0; }
};

class Slot {
 public:
  explicit Slot(std::shared_ptr<SlotGroup> group) : group_(std::move(group)) { ++group_->in_use; }
  ~Slot() { release(); }
  Slot(Slot&& other) noexcept : group_(std::move(other.group_)) {}
  Slot& operator=(Slot&& other) noexcept {
    release();
    group_ = std::move(other.group_);
    return *this;
  }

 private:
  void release() {
    if (group_) --group_->in_use;
    group_.reset();
  }
  std::shared_ptr<SlotGroup> group_;
};

// What a job needs to know of the worker that it got.
struct Assignment {
  wire::Registration worker;
  Slot slot;
};

class Registry {
 public:
  // Adds or renews. exhausted: kMaxRegistrations are there already.
  base::Status add(const wire::Registration& registration, base::UnixMillis now);
  // Takes away (name, url), or all of that name when url is empty. False: there was none.
  bool remove(std::string_view name, std::string_view url);
  // Takes away everything that this worker registered: nobody listens there.
  void remove_worker(std::string_view url);
  void drop_expired(base::UnixMillis now);

  bool known(std::string_view name) const;
  // A free slot for the capability: on `prefer` when it has one, else on a worker that did not just fail, the least loaded,
  // among equals the fastest, among those the one that got a job least recently. nullopt: none is free. Workers in `avoid`
  // are left out.
  std::optional<Assignment> assign(std::string_view name, std::string_view prefer, const std::vector<std::string>& avoid,
                                   base::UnixMillis now);
  // Measured seconds of one unit of work there (exponential mean, newest counts 0.3). Forgives failures.
  void measured(std::string_view name, std::string_view url, double seconds_per_unit);
  // A job failed by the worker's fault: the others come first for kFirstPenalty, doubling with each failure in a row.
  void failed(std::string_view name, std::string_view url, base::UnixMillis now);

  // The highest price that a worker of that name asks: nobody is charged more than what was announced.
  wire::Price price(std::string_view name) const;
  std::vector<CapabilityStatus> status() const;
  std::size_t size() const;

 private:
  struct Entry {
    wire::Registration registration;
    std::shared_ptr<SlotGroup> slots;
    std::optional<base::UnixMillis> expires;
    std::optional<double> seconds_per_unit;
    std::uint64_t last_turn = 0;
    int failures = 0;  // in a row
    base::UnixMillis penalty_until{};
  };
  using Workers = std::map<std::string, Entry, std::less<>>;  // by url
  template <class Predicate>
  void remove_if(const Predicate& gone);
  Entry* find(std::string_view name, std::string_view url);
  std::shared_ptr<SlotGroup> group_for(const wire::Registration& registration);

  std::map<std::string, Workers, std::less<>> names_;
  std::map<std::pair<std::string, std::string>, std::weak_ptr<SlotGroup>> groups_;  // by url and group
  std::uint64_t turn_ = 0;
};

}  // namespace kinora::orchestrator
