#pragma once
// Where a task's events wait for the coroutine that sends them. put() may be called from any thread; everything else belongs to the
// executor. Only the newest progress is kept, so the box never grows.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "net/sync.hpp"
#include "tasks/event.hpp"

namespace kinora::runner {

class EventBox : public std::enable_shared_from_this<EventBox> {
 public:
  explicit EventBox(boost::asio::any_io_executor executor) : executor_(std::move(executor)), changed_(executor_) {}

  void put(tasks::TaskEvent event) {
    boost::asio::post(executor_, [self = shared_from_this(), event = std::move(event)]() mutable {
      const bool progress = std::holds_alternative<tasks::Progress>(event);
      (progress ? self->progress_ : self->outcome_) = std::move(event);
      self->changed_.notify();
    });
  }

  // The next event: newest progress, or the outcome; nullopt when none came until the deadline.
  net::Task<std::optional<tasks::TaskEvent>> next(net::Clock::time_point deadline) {
    while (!outcome_ && !progress_ && net::Clock::now() < deadline) co_await changed_.wait(deadline);
    co_return outcome_ ? std::exchange(outcome_, std::nullopt) : std::exchange(progress_, std::nullopt);
  }

 private:
  boost::asio::any_io_executor executor_;
  net::Signal changed_;
  std::optional<tasks::TaskEvent> progress_, outcome_;
};

}  // namespace kinora::runner
