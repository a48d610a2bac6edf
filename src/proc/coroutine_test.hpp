#pragma once
// Runs one coroutine on its own io_context, for tests. A test that has not ended within the limit fails instead of hanging.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <functional>

#include "proc/process.hpp"

namespace kinora::proc {

class CoroutineTest : public ::testing::Test {
 protected:
  static constexpr std::chrono::seconds kLimit{60};
  boost::asio::io_context context_{1};
  boost::asio::any_io_executor executor_ = context_.get_executor();

  void run(std::function<Task<void>()> body) {
    std::exception_ptr thrown;
    bool ended = false;
    boost::asio::co_spawn(context_, body(), [&](std::exception_ptr error) {
      thrown = error;
      ended = true;
      context_.stop();
    });
    context_.restart();
    context_.run_for(kLimit);
    ASSERT_TRUE(ended) << "the coroutine did not end within " << kLimit.count() << " s";
    if (thrown) std::rethrow_exception(thrown);
  }
};

}  // namespace kinora::proc
