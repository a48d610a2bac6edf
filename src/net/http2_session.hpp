#pragma once
// What both sides of HTTP/2 (RFC 9113) share: nghttp2 behind the Engine interface, as bytes in, bytes out.
// Flow control: the connection's window is given back at once, a stream's window as its body is read, so that one slow
// reader holds back its own stream only and at most kMaxQueuedBytes are kept for each stream.
#include <nghttp2/nghttp2.h>

#include <map>
#include <memory>
#include <vector>

#include "net/engine.hpp"

namespace kinora::net {

inline constexpr std::uint32_t kConnectionWindowBytes = 16 * 1024 * 1024;

class Http2Session {
 public:
  Http2Session(bool server, const EngineLimits& limits);
  virtual ~Http2Session();
  Http2Session(const Http2Session&) = delete;
  Http2Session& operator=(const Http2Session&) = delete;

  void feed(std::string_view bytes);
  std::string take_output();
  bool done() const;
  bool busy() const { return !exchanges_.empty(); }
  void consumed(Exchange& exchange, std::size_t bytes);
  void out_changed(Exchange& exchange);
  void abort(Exchange& exchange, base::Error why);
  void connection_lost(const base::Error& why);
  void end_connection(std::uint32_t code);  // GOAWAY, then done()

 protected:
  // A header block begins on this stream: a request, a response, or trailers.
  struct Block {
    MessageHead head;
    std::size_t bytes = 0;
    bool too_large = false;
  };
  virtual void on_head(std::int32_t stream, Block block, bool ended) = 0;
  virtual void on_broken_stream() {}  // an open stream was reset, by the peer or for what the peer did
  virtual void on_closed() {}         // an exchange's stream has ended
  virtual void on_goaway() {}
  std::shared_ptr<Exchange> find(std::int32_t stream) const;
  void keep(std::int32_t stream, std::shared_ptr<Exchange> exchange);
  nghttp2_data_provider body_of(Exchange& exchange);
  static std::vector<nghttp2_nv> fields_of(const Headers& headers);

  nghttp2_session* session_ = nullptr;
  EngineLimits limits_;
  bool server_;

 private:
  struct Callbacks;
  std::map<std::int32_t, std::shared_ptr<Exchange>> exchanges_;
  std::map<std::int32_t, Block> blocks_;
  bool broken_ = false;
};

}  // namespace kinora::net
