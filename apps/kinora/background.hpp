#pragma once
// Coroutines that run beside their owner and are awaited before it goes: one executor, one thread.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <list>

#include "net/http.hpp"

namespace kinora::cli {

class Background {
 public:
  explicit Background(boost::asio::any_io_executor executor);
  void spawn(net::Task<void> task);
  void cancel();           // all of them
  net::Task<void> join();  // until none runs

 private:
  boost::asio::any_io_executor executor_;
  boost::asio::steady_timer ended_;
  std::list<boost::asio::cancellation_signal> running_;
};

}  // namespace kinora::cli
