#pragma once
// A protocol engine turns bytes of one connection into exchanges and back. It does no I/O and never waits, so tests and
// fuzzers drive it with plain strings. Whoever owns it moves the bytes (connection.hpp) and calls take_output() after
// any other call.
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "net/exchange.hpp"

namespace kinora::net {

inline constexpr std::size_t kOutputBatchBytes = 64 * 1024;  // about what take_output() gives at once

class Engine {
 public:
  virtual ~Engine() = default;
  virtual void feed(std::string_view bytes) = 0;
  virtual void input_ended() = 0;                                    // the peer sends no more
  virtual bool wants_input() const = 0;                              // false: do not read from the peer now
  virtual std::string take_output() = 0;                             // empty: nothing now
  virtual bool done() const = 0;                                     // with no output left: close the connection
  virtual bool busy() const = 0;                                     // an exchange is open
  virtual void consumed(Exchange& exchange, std::size_t bytes) = 0;  // that many of `in` were read
  virtual void out_changed(Exchange& exchange) = 0;                  // `out`, `out_end` or `out_trailers` were set
  virtual void abort(Exchange& exchange, base::Error why) = 0;       // give it up now; the peer is told as the protocol can
  virtual void shut_down() = 0;                                      // no new exchanges; done() once the open ones have ended
  virtual void connection_lost(const base::Error& why) = 0;          // ends all exchanges
};

struct EngineLimits {
  std::size_t header_bytes = 32 * 1024;
  std::size_t header_count = 128;
  std::uint64_t body_bytes = UINT64_MAX;
  std::uint32_t streams = 256;
  std::size_t resets_per_minute = 1000;
};

class ServerEngine : public Engine {
 public:
  // Makes the exchange of a request that has arrived; the engine calls it from feed() or consumed().
  using Accept = std::function<std::shared_ptr<Exchange>(MessageHead head)>;
  virtual void respond(Exchange& exchange, int status, const Headers& headers) = 0;
  // Answers 101: from now on the exchange's bytes, both ways, are those of another protocol. False: not possible with this request (a body,
  // HTTP/1.0, HTTP/2).
  virtual bool switch_protocols(Exchange&, std::string_view /*protocol*/, const Headers&) { return false; }
  virtual void want_body(Exchange& exchange) = 0;  // answers "Expect: 100-continue"
  virtual bool head_pending() const = 0;           // part of a request's head is here
  virtual bool saw_request() const = 0;
};

class ClientEngine : public Engine {
 public:
  virtual bool can_submit() const = 0;
  // `head` must hold method, target, headers (host included); the body follows by `out`.
  virtual void submit(const std::shared_ptr<Exchange>& exchange, MessageHead head) = 0;
  virtual bool multiplexes() const = 0;  // HTTP/2
};

}  // namespace kinora::net
