#include "net/connection.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>

namespace kinora::net {

namespace asio = boost::asio;

namespace {
constexpr std::size_t kReadBytes = 16 * 1024;  // one TLS record
}

Connection::Connection(Transport transport, std::unique_ptr<Engine> engine)
    : transport_(std::move(transport)), engine_(std::move(engine)), changed_(transport_.socket().get_executor()) {}

void Connection::wake() { changed_.notify(); }

void Connection::close() {
  transport_.close();
  changed_.notify();
}

Task<void> Connection::run() {
  using namespace asio::experimental::awaitable_operators;
  std::exception_ptr failure;
  try {
    co_await (read_loop() || write_loop());
  } catch (...) {
    failure = std::current_exception();
  }
  const bool in_order = !failure && engine_->done();
  engine_->connection_lost({base::ErrorCode::unavailable, "the connection was lost"});
  if (in_order && transport_.socket().is_open()) co_await transport_.finish();
  transport_.close();
  if (failure) std::rethrow_exception(failure);
}

Task<void> Connection::read_loop() {
  std::string buffer(kReadBytes, '\0');
  for (;;) {
    while (!engine_->wants_input()) co_await changed_.wait();
    Transport::Error failed;
    const std::size_t n = co_await transport_.read(buffer.data(), buffer.size(), failed);
    if (failed) break;
    last_progress_ = Clock::now();
    engine_->feed(std::string_view(buffer).substr(0, n));
    if (after_feed) after_feed();
    changed_.notify();
  }
  engine_->input_ended();
}

Task<void> Connection::write_loop() {
  for (;;) {
    std::string bytes = engine_->take_output();
    changed_.notify();  // what was taken may have made room for input
    if (bytes.empty()) bytes = engine_->take_output();
    if (bytes.empty()) {
      if (engine_->done()) co_return;
      co_await changed_.wait();
      continue;
    }
    Transport::Error failed;
    writing_ = true;
    co_await transport_.write(bytes, failed);
    writing_ = false;
    if (failed) co_return;
    last_progress_ = Clock::now();
  }
}

}  // namespace kinora::net
