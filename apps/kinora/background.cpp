#include "kinora/background.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/log.hpp"

namespace kinora::cli {

namespace asio = boost::asio;

Background::Background(asio::any_io_executor executor)
    : executor_(std::move(executor)), ended_(executor_, asio::steady_timer::time_point::max()) {}

void Background::spawn(net::Task<void> task) {
  const auto entry = running_.emplace(running_.end());
  asio::co_spawn(executor_, std::move(task), asio::bind_cancellation_slot(entry->slot(), [this, entry](std::exception_ptr thrown) {
                   running_.erase(entry);
                   ended_.cancel();
                   if (!thrown) return;
                   try {
                     std::rethrow_exception(thrown);
                   } catch (const boost::system::system_error& error) {
                     if (error.code() != asio::error::operation_aborted)
                       base::log::error("node", "a part of the node ended", {{"reason", error.what()}});
                   } catch (const std::exception& error) {
                     base::log::error("node", "a part of the node ended", {{"reason", error.what()}});
                   }
                 }));
}

void Background::cancel() {
  for (auto& signal : running_) asio::post(executor_, [&signal] { signal.emit(asio::cancellation_type::terminal); });
}

net::Task<void> Background::join() {
  while (!running_.empty()) {
    boost::system::error_code ignored;
    co_await ended_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

}  // namespace kinora::cli
