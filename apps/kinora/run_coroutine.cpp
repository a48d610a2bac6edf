#include "kinora/run_coroutine.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <exception>

#include "kinora/command.hpp"

namespace kinora::cli {

namespace asio = boost::asio;

int run_coroutine(std::function<asio::awaitable<int>(asio::any_io_executor)> body) {
  asio::io_context io(1);
  asio::cancellation_signal cancel;
  asio::signal_set signals(io, SIGINT, SIGTERM);
  bool interrupted = false;
  signals.async_wait([&](boost::system::error_code error, int) {
    if (error) return;
    interrupted = true;
    cancel.emit(asio::cancellation_type::terminal);
  });
  int status = kExitFailed;
  std::exception_ptr failure;
  asio::co_spawn(io, body(io.get_executor()), asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr thrown, int result) {
                   status = result;
                   failure = thrown;
                   signals.cancel();
                 }));
  io.run();
  if (interrupted) return kExitInterrupted;
  if (failure) std::rethrow_exception(failure);
  return status;
}

}  // namespace kinora::cli
