#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>

namespace kinora::cli {

// Runs one coroutine on an event loop of its own until it ends; gives what it returned. Ctrl-C cancels it: 130.
int run_coroutine(std::function<boost::asio::awaitable<int>(boost::asio::any_io_executor)> body);

}  // namespace kinora::cli
