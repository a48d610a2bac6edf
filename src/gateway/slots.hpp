#pragma once
// A bounded number of places for work that costs a process: acquire() waits in line (first come, first served).
//
// Threading: one executor. Cancellation: a waiting acquire() that is cancelled leaves the line. The Slots outlive every Lease.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <utility>

#include "net/http.hpp"

namespace kinora::gateway {

class Slots {
 public:
  class Lease {
   public:
    explicit Lease(Slots* slots) : slots_(slots) {}
    Lease(Lease&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (slots_ != nullptr) slots_->release();
    }

   private:
    Slots* slots_;
  };

  Slots(boost::asio::any_io_executor executor, unsigned places) : executor_(std::move(executor)), free_(places) {}
  net::Task<Lease> acquire();
  unsigned free() const { return free_; }
  std::size_t waiting() const { return line_.size(); }

 private:
  struct Waiter {
    boost::asio::steady_timer timer;
    bool granted = false;
  };
  void release();
  boost::asio::any_io_executor executor_;
  unsigned free_;
  std::deque<Waiter*> line_;
};

}  // namespace kinora::gateway
