#pragma once
// A server's exchange as handlers see it: the request's body and the response, over the connection's engine.
#include "net/connection.hpp"

namespace kinora::net {

class ServerExchange final : public Exchange {
 public:
  ServerExchange(const boost::asio::any_io_executor& executor, MessageHead head_) : head(std::move(head_)), changed(executor) {}
  // Wakes the handler, and cancels it when nobody is there any more to answer.
  void notify() override;
  MessageHead head;
  Signal changed;
  std::shared_ptr<TaskGroup::Member> handler;
};

// Waits until `ready()`. False: nothing has moved (by `progress()`, a number) for `idle`.
template <class Ready, class Progress>
Task<bool> wait_while_moving(Signal& changed, Clock::duration idle, Ready ready, Progress progress) {
  auto last = progress();
  auto deadline = Clock::now() + idle;
  while (!ready()) {
    co_await changed.wait(deadline);
    if (progress() != last) {
      last = progress();
      deadline = Clock::now() + idle;
    } else if (!ready() && Clock::now() >= deadline) {
      co_return false;
    }
  }
  co_return true;
}

class ServerBody final : public BodyReader {
 public:
  ServerBody(Connection& connection, ServerExchange& exchange, Clock::duration idle)
      : connection_(connection), exchange_(exchange), idle_(idle) {}
  Task<base::Result<std::string>> read() override;

 private:
  Connection& connection_;
  ServerExchange& exchange_;
  Clock::duration idle_;
};

class ServerResponse final : public Response {
 public:
  ServerResponse(Connection& connection, ServerExchange& exchange, Clock::duration idle)
      : connection_(connection), exchange_(exchange), idle_(idle) {}
  // Errors: invalid (status or header not allowed; started twice), unavailable (peer gone), timeout (peer does not read).
  Task<base::Status> start(int status, Headers headers) override;
  Task<base::Status> write(std::string chunk) override;
  Task<base::Status> finish(Headers trailers) override;
  Task<base::Status> upgrade(std::string protocol, Headers headers) override;
  bool finished() const { return finished_; }

 private:
  ServerEngine& engine() { return static_cast<ServerEngine&>(connection_.engine()); }
  base::Status usable() const;
  Connection& connection_;
  ServerExchange& exchange_;
  Clock::duration idle_;
  bool finished_ = false;
  bool bodyless_ = false;
  std::optional<std::uint64_t> left_;  // of the announced content-length
};

}  // namespace kinora::net
