#pragma once
// Shared by the transfers: what is worth another try, and how long to wait before it.
#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <system_error>

#include "base/result.hpp"
#include "net/http.hpp"

namespace kinora::worker {

inline bool is_passing(const base::Error& error) {
  using base::ErrorCode;
  return error.code == ErrorCode::unavailable || error.code == ErrorCode::timeout || error.code == ErrorCode::io ||
         error.code == ErrorCode::exhausted;
}

// What to do about a URL that leads to a private address.
inline std::string out_of_reach(const base::Error& error) {
  return error.message + "; on a network of your own set worker.private_targets = true at the worker";
}

inline base::Error io_error(int number) { return {base::ErrorCode::io, std::generic_category().message(number)}; }

// Waits that double up to a bound.
class Backoff {
 public:
  explicit Backoff(std::chrono::milliseconds first, std::chrono::milliseconds most = std::chrono::seconds(10))
      : first_(first), next_(first), most_(most) {}
  net::Task<void> wait() {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, next_);
    next_ = std::min(next_ * 2, most_);
    co_await timer.async_wait(boost::asio::use_awaitable);
  }
  void reset() { next_ = first_; }

 private:
  std::chrono::milliseconds first_, next_, most_;
};

}  // namespace kinora::worker
