#pragma once
// Which models lie on the device, by measured bytes. A model that is wanted is brought there; when the room is short, those that were used
// least recently go, first to host memory (from where they come back without reading files), then altogether. Pinned ones stay. A
// model that fits only piece by piece runs with component offload, one of which not even each piece fits block by block; what does not fit
// at all is refused with the numbers.
//
// use(), Hold, release_others() and pin() from the inference thread; rows() from any.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/pipeline.hpp"

namespace kinora::runner {

// A loaded model.
class Resident {
 public:
  virtual ~Resident() = default;
  virtual std::string description() const = 0;  // for people: device, number format
  virtual std::uint64_t bytes() const = 0;      // of its weights, wherever they are
  virtual std::uint64_t device_bytes() const = 0;
  virtual bool movable() const { return true; }  // else it is dropped instead of moved to host memory
  virtual void to_host() = 0;
  virtual void to_device() = 0;
};

struct ResidencyBudget {
  std::uint64_t device_bytes = 0;  // for weights
  std::uint64_t host_bytes = 0;    // second level; 0: a model that leaves the device is dropped (on the CPU there is only one memory)
};

// What is known of a model before it is loaded.
struct WantedModel {
  std::string id;
  std::uint64_t bytes = 0;         // of its weight files
  std::uint64_t largest_part = 0;  // of its largest component: must fit, where its blocks do not come one by one
  std::uint64_t least = 0;         // block by block; 0: it has no such network
  std::uint64_t version = 0;       // of its files: one that was loaded from others is dropped and loaded again
};

// It fits neither whole nor piece by piece nor block by block.
struct DoesNotFit : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Residency {
 public:
  // Loads the model onto the device, as much of it at a time as told. May throw c10::OutOfMemoryError or std::bad_alloc.
  using Make = std::function<std::unique_ptr<Resident>(models::Residency)>;
  // Runs after models left the device, so that the allocator gives memory back.
  using Trim = std::function<void()>;

  explicit Residency(ResidencyBudget budget, Trim trim = {}) : budget_(budget), trim_(std::move(trim)) {}

  // The model, on the device. When memory is short in spite of the numbers, everything else goes and it is tried once more.
  // Throws DoesNotFit, and what `make` throws.
  Resident& use(const WantedModel& wanted, const Make& make);
  // While it lives, the model of that id stays where it is, whatever others need: for a task that runs several.
  class Hold {
   public:
    Hold(Residency& residency, std::string id) : residency_(residency), id_(std::move(id)) { residency_.held_.push_back(id_); }
    ~Hold() { residency_.held_.erase(std::find(residency_.held_.begin(), residency_.held_.end(), id_)); }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    Residency& residency_;
    std::string id_;
  };
  // Everything but `id` and what is held leaves the device, pinned models too: after an out-of-memory while it ran.
  void release_others(const std::string& id);
  // A pinned model is not evicted for another. The name counts whether or not it is loaded.
  void pin(const std::string& id, bool pinned);

  struct Row {
    std::string id;
    std::uint64_t bytes = 0, device_bytes = 0;
    bool on_device = false, pinned = false, one_by_one = false;
    std::uint64_t version = 0;
    std::string description;
  };
  std::vector<Row> rows() const;  // most recently used first
  const ResidencyBudget& budget() const { return budget_; }

 private:
  struct Entry {
    Row row;
    std::unique_ptr<Resident> model;
  };
  using Entries = std::list<Entry>;  // most recently used first

  Entries::iterator find(const std::string& id);
  bool held(const std::string& id) const { return std::find(held_.begin(), held_.end(), id) != held_.end(); }
  std::uint64_t device_used() const;
  std::uint64_t host_used(const std::string& except) const;
  void make_room(std::uint64_t needed, const std::string& for_id);
  void evict(Entries::iterator entry, const std::string& for_id);
  void measure(Entry& entry);
  Resident& bring(Entries::iterator entry);
  Resident& load(const WantedModel& wanted, const Make& make, models::Residency residency);

  const ResidencyBudget budget_;
  const Trim trim_;
  mutable std::mutex mutex_;  // of entries_ and pins_ against rows(); the models belong to the inference thread
  Entries entries_;
  std::vector<std::string> pins_;
  std::vector<std::string> held_;
};

}  // namespace kinora::runner
