#include "net/http2_client.hpp"

#include "net/http2_session.hpp"

namespace kinora::net {
namespace {

using base::Error;
using base::ErrorCode;

class Http2Client final : public ClientEngine, private Http2Session {
 public:
  explicit Http2Client(EngineLimits limits) : Http2Session(false, limits) {}

  void feed(std::string_view bytes) override { Http2Session::feed(bytes); }
  void input_ended() override { connection_lost({ErrorCode::unavailable, "the server closed the connection"}); }
  bool wants_input() const override { return true; }
  std::string take_output() override { return Http2Session::take_output(); }
  bool done() const override { return Http2Session::done() || (closing_ && !Http2Session::busy()); }
  bool busy() const override { return Http2Session::busy(); }
  void consumed(Exchange& exchange, std::size_t bytes) override { Http2Session::consumed(exchange, bytes); }
  void out_changed(Exchange& exchange) override { Http2Session::out_changed(exchange); }
  void abort(Exchange& exchange, Error why) override { Http2Session::abort(exchange, std::move(why)); }
  void connection_lost(const Error& why) override {
    closing_ = true;
    Http2Session::connection_lost(why);
  }
  void shut_down() override { closing_ = true; }
  bool multiplexes() const override { return true; }

  bool can_submit() const override {
    return !closing_ && nghttp2_session_check_request_allowed(session_) != 0 &&
           open_ < nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
  }

  void submit(const std::shared_ptr<Exchange>& exchange, MessageHead head) override {
    const auto host = std::string(head.headers.get("host").value_or(""));
    head.headers.erase("host");
    if (head.content_length) head.headers.set("content-length", std::to_string(*head.content_length));
    auto fields = fields_of(head.headers);
    // Pseudo-header fields come before all others (RFC 9113 8.3).
    const nghttp2_nv pseudo[] = {pair(":method", head.method), pair(":scheme", head.scheme), pair(":authority", host),
                                 pair(":path", head.target)};
    fields.insert(fields.begin(), std::begin(pseudo), std::end(pseudo));
    exchange->head_only = head.method == "HEAD";
    const bool no_body = exchange->out_end && exchange->out.empty();
    auto provider = body_of(*exchange);
    const auto stream = nghttp2_submit_request(session_, nullptr, fields.data(), fields.size(), no_body ? nullptr : &provider, nullptr);
    if (stream < 0) {
      exchange->refused = true;
      end_before_time(*exchange, {ErrorCode::unavailable, std::string("cannot open a stream: ") + nghttp2_strerror(stream)});
      return;
    }
    ++open_;
    if (no_body) exchange->out_flushed = true;
    keep(stream, exchange);
  }

 private:
  static nghttp2_nv pair(std::string_view name, std::string_view value) {
    return {reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
            reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
  }

  void on_head(std::int32_t stream, Block block, bool) override {
    const auto exchange = find(stream);
    if (!exchange) return;
    if (exchange->response) {
      exchange->in_trailers = std::move(block.head.headers);
      return;
    }
    if (block.too_large) return abort(*exchange, {ErrorCode::too_large, "the answer's header is too large"});
    if (block.head.status < 200) return;  // interim
    exchange->response = std::move(block.head);
    exchange->notify();
  }

  void on_closed() override { --open_; }
  void on_goaway() override { closing_ = true; }  // streams that the server still answers go on

  std::size_t open_ = 0;
  bool closing_ = false;
};

}  // namespace

std::unique_ptr<ClientEngine> make_http2_client(EngineLimits limits) { return std::make_unique<Http2Client>(limits); }

}  // namespace kinora::net
