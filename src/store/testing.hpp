#pragma once
// For tests: a coroutine run to its end, and a folder that goes away.
#include <stdlib.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>

namespace kinora::store::testing {

// Runs the context until the coroutine has finished; other work of the context goes on when it is run again.
template <class T>
T run(boost::asio::io_context& context, boost::asio::awaitable<T> coroutine) {
  std::optional<T> out;
  std::exception_ptr failure;
  bool done = false;
  boost::asio::co_spawn(
      context,
      [](boost::asio::awaitable<T> inner, std::optional<T>& to) -> boost::asio::awaitable<void> { to.emplace(co_await std::move(inner)); }(
                                                                    std::move(coroutine), out),
      [&](std::exception_ptr error) {
        failure = error;
        done = true;
      });
  context.restart();
  while (!done && context.run_one() > 0) {
  }
  if (failure) std::rethrow_exception(failure);
  return std::move(*out);
}

inline void run(boost::asio::io_context& context, boost::asio::awaitable<void> coroutine) {
  run(context, [](boost::asio::awaitable<void> inner) -> boost::asio::awaitable<int> {
    co_await std::move(inner);
    co_return 0;
  }(std::move(coroutine)));
}

class TempFolder {
 public:
  TempFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "kinora-test-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TempFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace kinora::store::testing
