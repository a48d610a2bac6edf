#include "runner/residency.hpp"

#include <c10/util/Exception.h>

#include <algorithm>
#include <new>

#include "base/log.hpp"

namespace kinora::runner {
namespace {

std::string mib(std::uint64_t bytes) { return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MiB"; }

// Calls f; false when memory was short.
template <class F>
bool fits(const F& f) {
  try {
    f();
    return true;
  } catch (const c10::OutOfMemoryError&) {
  } catch (const std::bad_alloc&) {
  }
  return false;
}

}  // namespace

Residency::Entries::iterator Residency::find(const std::string& id) {
  return std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.row.id == id; });
}

std::uint64_t Residency::device_used() const {
  std::uint64_t sum = 0;
  for (const Entry& entry : entries_) sum += entry.row.on_device ? entry.row.device_bytes : 0;
  return sum;
}
std::uint64_t Residency::host_used(const std::string& except) const {
  std::uint64_t sum = 0;
  for (const Entry& entry : entries_)
    if (entry.row.id != except) sum += entry.row.bytes - std::min(entry.row.bytes, entry.row.device_bytes);
  return sum;
}

void Residency::measure(Entry& entry) {
  const std::lock_guard lock(mutex_);
  entry.row.bytes = entry.model->bytes();
  entry.row.device_bytes = entry.model->device_bytes();
  entry.row.description = entry.model->description();
}

void Residency::evict(Entries::iterator entry, const std::string& for_id) {
  const bool keep = entry->model->movable() && entry->row.bytes <= budget_.host_bytes;
  if (keep) {
    // The oldest of those in host memory make room there; the one that is wanted is about to leave it.
    while (host_used(for_id) + entry->row.device_bytes > budget_.host_bytes) {
      const auto oldest =
          std::find_if(entries_.rbegin(), entries_.rend(), [&](const Entry& e) { return !e.row.on_device && e.row.id != for_id; });
      if (oldest == entries_.rend()) break;
      const std::lock_guard lock(mutex_);
      entries_.erase(std::next(oldest).base());
    }
  }
  base::log::info("runner", keep ? "model moved to host memory" : "model dropped", {{"model", entry->row.id}, {"bytes", entry->row.bytes}});
  if (keep && fits([&] { entry->model->to_host(); })) {
    const std::lock_guard lock(mutex_);
    entry->row.on_device = false;
    entry->row.device_bytes = 0;
  } else {
    const std::lock_guard lock(mutex_);
    entries_.erase(entry);
  }
  if (trim_) trim_();
}

void Residency::make_room(std::uint64_t needed, const std::string& for_id) {
  while (device_used() + needed > budget_.device_bytes) {
    const auto oldest = std::find_if(entries_.rbegin(), entries_.rend(), [&](const Entry& e) {
      return e.row.on_device && !e.row.pinned && !held(e.row.id) && e.row.id != for_id;
    });
    if (oldest == entries_.rend()) return;
    evict(std::next(oldest).base(), for_id);
  }
}

void Residency::release_others(const std::string& id) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto here = entry++;
    if (here->row.id != id && !held(here->row.id) && here->row.on_device) evict(here, id);
  }
  if (trim_) trim_();
}

Resident& Residency::bring(Entries::iterator entry) {
  {
    const std::lock_guard lock(mutex_);
    entries_.splice(entries_.begin(), entries_, entry);
  }
  if (!entry->row.on_device) {
    entry->model->to_device();
    const std::lock_guard lock(mutex_);
    entry->row.on_device = true;
  }
  measure(*entry);
  return *entry->model;
}

Resident& Residency::load(const WantedModel& wanted, const Make& make, models::Residency residency) {
  std::unique_ptr<Resident> model;
  if (!fits([&] { model = make(residency); })) {
    base::log::warn("runner", "memory is short: everything else leaves the device", {{"model", wanted.id}});
    release_others(wanted.id);
    model = make(residency);
  }
  {
    const std::lock_guard lock(mutex_);
    const bool pinned = std::find(pins_.begin(), pins_.end(), wanted.id) != pins_.end();
    const bool pieces = residency != models::Residency::whole;
    entries_.push_front(
        {.row = {.id = wanted.id, .on_device = true, .pinned = pinned, .one_by_one = pieces, .version = wanted.version, .description = {}},
         .model = std::move(model)});
  }
  measure(entries_.front());
  const Row& row = entries_.front().row;
  base::log::info("runner", "model loaded", {{"model", row.id}, {"runtime", row.description}, {"bytes", row.bytes}});
  return *entries_.front().model;
}

Resident& Residency::use(const WantedModel& wanted, const Make& make) {
  auto known = find(wanted.id);
  if (known != entries_.end() && known->row.version != wanted.version) {
    base::log::info("runner", "model dropped: its files have changed", {{"model", wanted.id}});
    {
      const std::lock_guard lock(mutex_);
      entries_.erase(known);
    }
    if (trim_) trim_();
    known = entries_.end();
  }
  if (known != entries_.end()) {
    if (!known->row.on_device && !known->row.one_by_one) make_room(known->row.bytes, wanted.id);
    if (fits([&] { bring(known); })) return *known->model;
    release_others(wanted.id);
    return bring(known);
  }
  const auto needed = [&](std::uint64_t bytes) {
    make_room(bytes, wanted.id);
    return device_used() + bytes <= budget_.device_bytes;
  };
  if (wanted.bytes <= budget_.device_bytes && needed(wanted.bytes)) return load(wanted, make, models::Residency::whole);
  if (wanted.largest_part < wanted.bytes && needed(wanted.largest_part)) return load(wanted, make, models::Residency::one_by_one);
  if (wanted.least > 0 && wanted.least < wanted.largest_part && needed(wanted.least))
    return load(wanted, make, models::Residency::block_by_block);
  std::uint64_t pinned = 0;
  for (const Entry& entry : entries_) pinned += entry.row.pinned && entry.row.on_device ? entry.row.device_bytes : 0;
  throw DoesNotFit(wanted.id + " needs " + mib(wanted.bytes) + " (its largest part " + mib(wanted.largest_part) +
                   (wanted.least > 0 ? ", block by block " + mib(wanted.least) : "") + "), the device has " + mib(budget_.device_bytes) +
                   " for models, of which pinned models take " + mib(pinned));
}

void Residency::pin(const std::string& id, bool pinned) {
  const std::lock_guard lock(mutex_);
  std::erase(pins_, id);
  if (pinned) pins_.push_back(id);
  if (const auto entry = find(id); entry != entries_.end()) entry->row.pinned = pinned;
}

std::vector<Residency::Row> Residency::rows() const {
  const std::lock_guard lock(mutex_);
  std::vector<Row> rows;
  for (const Entry& entry : entries_) rows.push_back(entry.row);
  return rows;
}

}  // namespace kinora::runner
