#pragma once
// The pieces of structured concurrency in this room: waiting for a change, groups of coroutines, timeouts.
// All belong to one executor run by one thread. A waiter never does I/O of its own, so cancelling it harms no connection.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <vector>

#include "net/http.hpp"

namespace kinora::net {

using Clock = std::chrono::steady_clock;

// Wakes those who wait for a change: while (!condition) co_await signal.wait();
class Signal {
 public:
  explicit Signal(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;
  void notify();
  // Until notify(), or `deadline`, or the coroutine is cancelled (throws operation_aborted). May also wake for nothing.
  // The Signal must live until the wait has ended.
  Task<void> wait(Clock::time_point deadline = Clock::time_point::max());

 private:
  boost::asio::any_io_executor executor_;
  std::vector<boost::asio::steady_timer*> waiters_;
};

// Coroutines with a common owner, who cancels them and waits for their end. When the group is destroyed with coroutines
// inside, they are cancelled and end in a later turn of the executor; they must then own what they use.
class TaskGroup {
 public:
  // One coroutine of the group; outlives it harmlessly.
  class Member : public std::enable_shared_from_this<Member> {
   public:
    // Also from outside the executor, such as a destructor after the loop has stopped: it takes effect when the loop runs again.
    void cancel();

   private:
    friend class TaskGroup;
    boost::asio::any_io_executor executor_;
    boost::asio::cancellation_signal signal_;
    bool running_ = true;
  };

  explicit TaskGroup(boost::asio::any_io_executor executor);
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  // Starts in a later turn. What it throws is logged, operation_aborted aside.
  std::shared_ptr<Member> spawn(Task<void> task);
  void cancel();
  std::size_t size() const;
  Task<void> wait();  // until the group is empty

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// The exception means "cancelled": operation_aborted, or several from parallel awaits with it at their head.
bool is_cancellation(const std::exception_ptr& failure);

// Runs an action when a time has passed, unless destroyed before.
class Timeout {
 public:
  Timeout(const boost::asio::any_io_executor& executor, Clock::time_point deadline, std::function<void()> action);
  ~Timeout();
  Timeout(const Timeout&) = delete;
  Timeout& operator=(const Timeout&) = delete;
  bool fired() const { return *fired_; }

 private:
  boost::asio::steady_timer timer_;
  std::shared_ptr<bool> alive_;
  std::shared_ptr<bool> fired_;
};

}  // namespace kinora::net
