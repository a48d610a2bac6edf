#include "net/http2_server.hpp"

#include "net/http2_session.hpp"

namespace kinora::net {
namespace {

using base::Error;

class Http2Server final : public ServerEngine, private Http2Session {
 public:
  Http2Server(EngineLimits limits, Accept accept, Now now)
      : Http2Session(true, limits), accept_(std::move(accept)), now_(std::move(now)), minute_began_(now_()) {}

  void feed(std::string_view bytes) override { Http2Session::feed(bytes); }
  void input_ended() override { connection_lost({base::ErrorCode::unavailable, "the peer has gone"}); }
  bool wants_input() const override { return true; }  // the windows hold the peer back
  std::string take_output() override { return Http2Session::take_output(); }
  bool done() const override { return Http2Session::done(); }
  bool busy() const override { return Http2Session::busy(); }
  void consumed(Exchange& exchange, std::size_t bytes) override { Http2Session::consumed(exchange, bytes); }
  void out_changed(Exchange& exchange) override { Http2Session::out_changed(exchange); }
  void abort(Exchange& exchange, Error why) override { Http2Session::abort(exchange, std::move(why)); }
  void connection_lost(const Error& why) override { Http2Session::connection_lost(why); }
  bool head_pending() const override { return false; }
  bool saw_request() const override { return saw_request_; }

  void shut_down() override {
    // Streams up to the last one seen are answered; nghttp2 refuses later ones.
    nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_), NGHTTP2_NO_ERROR, nullptr, 0);
  }

  void respond(Exchange& exchange, int status, const Headers& headers) override {
    if (exchange.closed) return;
    // A handler that begins to answer before it reads wants the body all the same, unless it answers with an error.
    if (status < 300) want_body(exchange);
    exchange.awaits_continue = false;
    const std::string code = std::to_string(status);
    auto fields = fields_of(headers);
    fields.insert(fields.begin(), status_field(code));
    const bool bodyless = exchange.head_only || status == 204 || status == 304;
    auto provider = body_of(exchange);
    nghttp2_submit_response(session_, exchange.id, fields.data(), fields.size(), bodyless ? nullptr : &provider);
    if (bodyless) exchange.out_began = exchange.out_flushed = true;
  }

  void want_body(Exchange& exchange) override {
    if (exchange.closed || !exchange.awaits_continue) return;
    exchange.awaits_continue = false;
    const auto field = status_field("100");
    nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, exchange.id, nullptr, &field, 1, nullptr);
  }

 private:
  static nghttp2_nv status_field(std::string_view code) {
    static constexpr std::string_view name = ":status";
    return {reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
            reinterpret_cast<std::uint8_t*>(const_cast<char*>(code.data())), name.size(), code.size(), NGHTTP2_NV_FLAG_NONE};
  }

  void on_head(std::int32_t stream, Block block, bool ended) override {
    if (const auto exchange = find(stream)) {  // trailers
      exchange->in_trailers = std::move(block.head.headers);
      return;
    }
    saw_request_ = true;
    const bool too_long = block.head.content_length.value_or(0) > limits_.body_bytes;
    if (block.too_large || too_long) return refuse(stream, block.too_large ? "431" : "413");
    const bool awaits_continue = !ended && block.head.headers.get("expect") == "100-continue";
    const bool head_only = block.head.method == "HEAD";
    auto exchange = accept_(std::move(block.head));
    exchange->head_only = head_only;
    exchange->awaits_continue = awaits_continue;
    exchange->in_limit = limits_.body_bytes;
    exchange->in_end = ended;
    keep(stream, std::move(exchange));
  }

  void refuse(std::int32_t stream, std::string_view code) {
    const auto field = status_field(code);
    nghttp2_submit_response(session_, stream, &field, 1, nullptr);
  }

  // Opening streams and resetting them costs the peer nothing and us a handler each (CVE-2023-44487); so do faults that make
  // us reset the stream (CVE-2025-8671).
  void on_broken_stream() override {
    const auto now = now_();
    if (now - minute_began_ >= std::chrono::minutes(1)) {
      minute_began_ = now;
      broken_in_minute_ = 0;
    }
    if (++broken_in_minute_ > limits_.resets_per_minute) end_connection(NGHTTP2_ENHANCE_YOUR_CALM);
  }

  Accept accept_;
  Now now_;
  std::chrono::steady_clock::time_point minute_began_;
  std::size_t broken_in_minute_ = 0;
  bool saw_request_ = false;
};

}  // namespace

std::unique_ptr<ServerEngine> make_http2_server(EngineLimits limits, ServerEngine::Accept accept, Now now) {
  return std::make_unique<Http2Server>(limits, std::move(accept), std::move(now));
}

}  // namespace kinora::net
