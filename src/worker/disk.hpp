#pragma once
// Work that may block (files, hashing) goes to a few threads of its own; the coroutine that asked goes on with the result.
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <type_traits>
#include <utility>

#include "net/http.hpp"

namespace kinora::worker {

class Disk {
 public:
  explicit Disk(std::size_t threads = 2) : pool_(threads) {}
  ~Disk() { pool_.join(); }

  // Runs `work()` on a thread of the pool and resumes here with what it returned. Cancelling does not interrupt it: the
  // coroutine goes on when the work is done, so `work` may use what the coroutine owns.
  template <class Work>
  net::Task<std::invoke_result_t<Work&>> run(Work work) {
    using Value = std::invoke_result_t<Work&>;
    co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(Value)>(
        [this](auto handler, Work task) {
          auto home = boost::asio::make_work_guard(boost::asio::get_associated_executor(handler));
          boost::asio::post(pool_, [handler = std::move(handler), task = std::move(task), home = std::move(home)]() mutable {
            Value value = task();
            boost::asio::post(home.get_executor(),
                              [handler = std::move(handler), value = std::move(value)]() mutable { std::move(handler)(std::move(value)); });
          });
        },
        boost::asio::use_awaitable, std::move(work));
  }

 private:
  boost::asio::thread_pool pool_;
};

}  // namespace kinora::worker
