#pragma once
// One request and its answer on a connection: the two byte queues between a protocol engine (which knows no sockets) and
// the coroutine that reads and writes bodies. Used by server and client; "in" comes from the peer, "out" goes to it.
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "net/http.hpp"

namespace kinora::net {

inline constexpr std::size_t kMaxQueuedBytes = 256 * 1024;  // per direction; past it the writing side is held back
inline constexpr std::size_t kMaxPieceBytes = 64 * 1024;    // small pieces are joined up to this

class ByteQueue {
 public:
  void push(std::string_view bytes);
  void push(std::string&& bytes);
  // The next bytes, at most `max`; empty when there are none.
  std::string pop(std::size_t max);
  std::size_t copy(std::uint8_t* to, std::size_t max);
  void clear();
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  void took(std::size_t bytes);
  std::deque<std::string> pieces_;
  std::size_t offset_ = 0;  // bytes of the first piece that are gone
  std::size_t size_ = 0;
};

// What a request or a response begins with.
struct MessageHead {
  int status = 0;      // of a response
  std::string method;  // of a request
  std::string target;
  std::string scheme;  // requests over HTTP/2
  int version = 11;    // 10, 11 or 20
  Headers headers;
  std::optional<std::uint64_t> content_length;
  bool expect_continue = false;
};

class Exchange {
 public:
  Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  virtual ~Exchange() = default;
  // Something below has changed. Called by the engine; must not call the engine.
  virtual void notify() {}

  std::int32_t id = 0;                  // HTTP/2 stream
  bool awaits_continue = false;         // server: the peer holds its body back until it reads "100 Continue"
  bool head_only = false;               // the request's method is HEAD: the response has no body
  std::optional<MessageHead> response;  // client: arrived

  ByteQueue in;
  std::uint64_t in_limit = UINT64_MAX;  // bytes of body that may come; past it in_error is too_large
  std::uint64_t in_total = 0;
  bool in_end = false;
  Headers in_trailers;
  std::optional<base::Error> in_error;  // reading fails with it once the queue is empty

  ByteQueue out;
  bool out_end = false;      // no more will be put into `out`
  bool out_flushed = false;  // all of it, trailers included, was handed to the connection
  bool out_began = false;    // the head was handed to the connection
  Headers out_trailers;

  bool closed = false;              // the engine knows it no longer
  std::optional<base::Error> gone;  // it ended before its time: the peer, or the whole connection, went away
  bool refused = false;             // client: the server says that it has not looked at the request
};

// Takes body bytes from the peer: counts them against the limit, drops them when nobody will read.
inline void take_body(Exchange& exchange, std::string_view bytes) {
  if (exchange.in_error || exchange.closed) return;
  exchange.in_total += bytes.size();
  if (exchange.in_total > exchange.in_limit) {
    exchange.in_error = base::Error{base::ErrorCode::too_large, "the body is larger than " + std::to_string(exchange.in_limit) + " bytes"};
  } else {
    exchange.in.push(bytes);
  }
  exchange.notify();
}

inline void end_before_time(Exchange& exchange, base::Error why) {
  if (exchange.closed) return;
  exchange.closed = true;
  exchange.gone = why;
  if (!exchange.in_end && !exchange.in_error) exchange.in_error = std::move(why);
  exchange.notify();
}

}  // namespace kinora::net
