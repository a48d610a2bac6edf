#pragma once
// Runs a coroutine to its end on an io_context of the test; what it throws comes out.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>

#include "net/http.hpp"

namespace kinora::gateway {

template <class T>
T run_to_end(boost::asio::io_context& context, net::Task<T> task) {
  std::optional<T> out;
  std::exception_ptr error;
  bool done = false;
  boost::asio::co_spawn(context, std::move(task), [&](std::exception_ptr e, T value) {
    error = e;
    if (!e) out.emplace(std::move(value));
    done = true;
  });
  context.restart();
  while (!done) context.run_one();
  if (error) std::rethrow_exception(error);
  return std::move(*out);
}

inline void run_to_end(boost::asio::io_context& context, net::Task<void> task) {
  std::exception_ptr error;
  bool done = false;
  boost::asio::co_spawn(context, std::move(task), [&](std::exception_ptr e) {
    error = e;
    done = true;
  });
  context.restart();
  while (!done) context.run_one();
  if (error) std::rethrow_exception(error);
}

}  // namespace kinora::gateway
