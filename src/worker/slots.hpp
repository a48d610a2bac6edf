#pragma once
// Capacity: how many orders of one kind run at once. An order beyond it is refused, the orchestrator knows another worker.
#include <memory>
#include <optional>
#include <utility>

namespace kinora::worker {

class Slots {
 public:
  // One taken place; given back when destroyed. Harmless when it outlives the Slots.
  class Slot {
   public:
    Slot(Slot&& other) noexcept = default;
    Slot& operator=(Slot&& other) noexcept {
      give_back();
      in_use_ = std::move(other.in_use_);
      return *this;
    }
    ~Slot() { give_back(); }
    void give_back() {
      if (in_use_) --*in_use_;
      in_use_.reset();
    }

   private:
    friend class Slots;
    explicit Slot(std::shared_ptr<unsigned> in_use) : in_use_(std::move(in_use)) { ++*in_use_; }
    std::shared_ptr<unsigned> in_use_;
  };

  explicit Slots(unsigned capacity) : capacity_(capacity) {}
  std::optional<Slot> take() {
    if (*in_use_ >= capacity_) return std::nullopt;
    return Slot(in_use_);
  }
  unsigned capacity() const { return capacity_; }
  unsigned in_use() const { return *in_use_; }

 private:
  unsigned capacity_;
  std::shared_ptr<unsigned> in_use_ = std::make_shared<unsigned>(0);
};

}  // namespace kinora::worker
