#pragma once
// Moves bytes between a transport and an engine, both ways at once, until one of them is done.
#include "net/engine.hpp"
#include "net/sync.hpp"
#include "net/transport.hpp"

namespace kinora::net {

class Connection {
 public:
  Connection(Transport transport, std::unique_ptr<Engine> engine);
  // Until the connection has ended; then all exchanges have ended too. Cancelling it closes the connection.
  Task<void> run();
  // After anything was told to the engine: there may be output, or room for input.
  void wake();
  void close();  // at once; run() ends
  Engine& engine() { return *engine_; }
  Transport& transport() { return transport_; }
  Clock::time_point last_progress() const { return last_progress_; }  // a byte has moved
  bool writing() const { return writing_; }
  std::function<void()> after_feed;  // may be empty

 private:
  Task<void> read_loop();
  Task<void> write_loop();
  Transport transport_;
  std::unique_ptr<Engine> engine_;
  Signal changed_;
  Clock::time_point last_progress_ = Clock::now();
  bool writing_ = false;
};

}  // namespace kinora::net
