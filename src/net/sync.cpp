#include "net/sync.hpp"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <exception>

#include "base/log.hpp"

namespace kinora::net {

namespace asio = boost::asio;

namespace {

// co_spawn runs a coroutine up to its first suspension within the call, that is inside whatever engine is calling.
Task<void> in_a_later_turn(Task<void> task) {
  co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
  co_await std::move(task);
}

}  // namespace

void Signal::notify() {
  for (asio::steady_timer* waiter : waiters_) waiter->cancel();
}

Task<void> Signal::wait(Clock::time_point deadline) {
  struct Registration {
    Registration(std::vector<asio::steady_timer*>& list_, asio::steady_timer* timer_) : list(list_), timer(timer_) {
      list.push_back(timer);
    }
    ~Registration() { std::erase(list, timer); }
    std::vector<asio::steady_timer*>& list;
    asio::steady_timer* timer;
  };
  asio::steady_timer timer(executor_, deadline);
  const Registration registration(waiters_, &timer);
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) throw boost::system::system_error(asio::error::operation_aborted);
}

bool is_cancellation(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const asio::multiple_exceptions& several) {
    return is_cancellation(several.first_exception());
  } catch (const boost::system::system_error& error) {
    return error.code() == asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

void TaskGroup::Member::cancel() {
  // Asio's own hop to the executor (Boost 1.81) carries a bare pointer that dangles when the coroutine ends before it arrives.
  asio::dispatch(executor_, [self = shared_from_this()] {
    if (self->running_) self->signal_.emit(asio::cancellation_type::terminal);
  });
}

struct TaskGroup::State {
  explicit State(asio::any_io_executor executor_) : executor(executor_), changed(executor_) {}
  asio::any_io_executor executor;
  Signal changed;
  std::list<std::shared_ptr<Member>> members;
};

TaskGroup::TaskGroup(asio::any_io_executor executor) : state_(std::make_shared<State>(std::move(executor))) {}

TaskGroup::~TaskGroup() { cancel(); }

std::shared_ptr<TaskGroup::Member> TaskGroup::spawn(Task<void> task) {
  auto member = std::make_shared<Member>();
  member->executor_ = state_->executor;
  state_->members.push_back(member);
  auto finished = [state = state_, member](std::exception_ptr failure) {
    member->running_ = false;
    state->members.remove(member);
    state->changed.notify();
    if (!failure || is_cancellation(failure)) return;
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      base::log::error("net", "a task failed", {{"error", error.what()}});
    }
  };
  asio::co_spawn(state_->executor, in_a_later_turn(std::move(task)),
                 asio::bind_cancellation_slot(member->signal_.slot(), std::move(finished)));
  return member;
}

void TaskGroup::cancel() {
  const auto members = state_->members;  // a copy: a member may end while others are told
  for (const auto& member : members) member->cancel();
}

std::size_t TaskGroup::size() const { return state_->members.size(); }

Task<void> TaskGroup::wait() {
  const auto state = state_;
  while (!state->members.empty()) co_await state->changed.wait();
}

Timeout::Timeout(const asio::any_io_executor& executor, Clock::time_point deadline, std::function<void()> action)
    : timer_(executor, deadline), alive_(std::make_shared<bool>(true)), fired_(std::make_shared<bool>(false)) {
  timer_.async_wait([alive = alive_, fired = fired_, action = std::move(action)](boost::system::error_code failed) {
    if (failed || !*alive) return;
    *fired = true;
    action();
  });
}

Timeout::~Timeout() { *alive_ = false; }

}  // namespace kinora::net
