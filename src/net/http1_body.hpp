#pragma once
// Cuts one HTTP/1.1 body out of the connection's bytes. The chunked decoder is our own and strict (RFC 9112 7.1): Beast's
// takes chunk extensions and trailers of any length and asserts on some short inputs.
#include <functional>

#include "net/http1_head.hpp"

namespace kinora::net {

inline constexpr std::size_t kMaxChunkLineBytes = 1024;     // size and extensions of one chunk
inline constexpr std::size_t kMaxTrailerBytes = 16 * 1024;  // all trailer lines of one message
inline constexpr std::size_t kMaxTrailerFields = 64;

class Http1Body {
 public:
  explicit Http1Body(BodyFraming framing);
  // Gives body bytes to `exchange` (take_body), and trailers at the end. Returns how many bytes of the input belonged to the
  // body; fewer than given only once ended(). Error invalid: malformed.
  base::Result<std::size_t> feed(std::string_view bytes, Exchange& exchange);
  bool ended() const { return state_ == State::ended; }
  bool until_close() const { return state_ == State::until_close; }
  std::uint64_t remaining() const { return remaining_; }  // of a body with a length

 private:
  enum class State { length, until_close, chunk_line, chunk_data, chunk_end, trailers, ended };
  base::Status line(Exchange& exchange);
  base::Status trailer(Exchange& exchange);
  State state_;
  std::uint64_t remaining_;
  std::string line_;
  std::size_t trailer_bytes_ = 0;
};

}  // namespace kinora::net
