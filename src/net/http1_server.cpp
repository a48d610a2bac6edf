#include "net/http1_server.hpp"

#include "net/http1_head.hpp"

namespace kinora::net {
namespace {

using base::Error;

class Http1Server final : public ServerEngine {
 public:
  Http1Server(EngineLimits limits, Accept accept) : limits_(limits), accept_(std::move(accept)) {}

  void feed(std::string_view bytes) override {
    if (reading_over_) return;
    input_ += bytes;
    advance();
  }

  void input_ended() override {
    reading_over_ = true;
    finished_ = true;
    if (current_) end_before_time(*current_, {base::ErrorCode::unavailable, "the peer has gone"});
  }

  bool wants_input() const override {
    if (reading_over_) return true;  // to learn that the peer has closed
    if (current_ && !current_->in_end && !draining_) return current_->in.size() < kMaxQueuedBytes;
    return input_.size() < kMaxPipelinedBytes;
  }

  std::string take_output() override {
    std::string out = std::exchange(output_, {});
    if (!current_ || !responding_ || response_ended_) return out;
    while (!current_->out.empty() && out.size() < kOutputBatchBytes) append_body(out, current_->out.pop(kOutputBatchBytes));
    current_->out_began = true;
    if (current_->out.empty() && current_->out_end) {
      if (chunked_) {
        out += "0\r\n";
        append_fields(out, current_->out_trailers);
        out += "\r\n";
      }
      current_->out_flushed = true;
      response_ended_ = true;
      current_->notify();
      next_exchange();
    } else {
      current_->notify();
    }
    return out;
  }

  bool done() const override { return finished_ && output_.empty(); }
  bool busy() const override { return current_ != nullptr; }

  void consumed(Exchange&, std::size_t) override { advance(); }
  void out_changed(Exchange&) override {}

  void abort(Exchange& exchange, Error why) override {
    // HTTP/1.1 has no other way to say that a message is broken than to break off.
    if (&exchange != current_.get()) return;
    finished_ = reading_over_ = true;
    end_before_time(exchange, std::move(why));
    current_.reset();
  }

  void shut_down() override {
    keep_alive_ = false;
    stopping_ = true;
    if (!current_) finished_ = reading_over_ = true;
  }

  void connection_lost(const Error& why) override {
    finished_ = reading_over_ = true;
    if (auto exchange = std::exchange(current_, nullptr)) end_before_time(*exchange, why);
  }

  void respond(Exchange& exchange, int status, const Headers& headers) override {
    if (&exchange != current_.get() || responding_) return;
    const bool body_forbidden = exchange.head_only || status < 200 || status == 204 || status == 304;
    const bool sized = headers.contains("content-length");
    chunked_ = !body_forbidden && !sized && version_ >= 11;
    bodyless_ = body_forbidden;
    // Without length and chunks only the end of the connection ends the body.
    if (!body_forbidden && !sized && !chunked_) keep_alive_ = false;
    // A handler that begins to answer before it reads wants the body all the same, unless it answers with an error.
    if (status < 300) want_body(exchange);
    responding_ = true;
    // A body that we never asked for may or may not come: only a new connection is clear.
    if (exchange.awaits_continue || (body_ && body_->remaining() > kMaxDrainedBytes)) keep_alive_ = false;
    exchange.awaits_continue = false;
    output_ += "HTTP/1.1 " + std::to_string(status) + " " + std::string(reason_phrase(status)) + "\r\n";
    append_fields(output_, headers);
    if (chunked_) output_ += "transfer-encoding: chunked\r\n";
    if (!keep_alive_) output_ += "connection: close\r\n";
    output_ += "\r\n";
  }

  bool switch_protocols(Exchange& exchange, std::string_view protocol, const Headers& headers) override {
    if (&exchange != current_.get() || responding_ || !exchange.in_end || exchange.in_total > 0 || version_ < 11) return false;
    responding_ = tunnel_ = true;
    chunked_ = bodyless_ = keep_alive_ = false;
    exchange.in_end = false;  // whatever the peer sends from now on is the other protocol's
    exchange.in_limit = UINT64_MAX;
    output_ += "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: " + std::string(protocol) + "\r\n";
    append_fields(output_, headers);
    output_ += "\r\n";
    advance();
    return true;
  }

  void want_body(Exchange& exchange) override {
    if (&exchange != current_.get() || !exchange.awaits_continue || responding_) return;
    exchange.awaits_continue = false;
    output_ += "HTTP/1.1 100 Continue\r\n\r\n";
  }

  bool head_pending() const override { return !current_ && !input_.empty() && !reading_over_; }
  bool saw_request() const override { return saw_request_; }

 private:
  void advance() {
    while (!reading_over_ && !input_.empty()) {
      if (!current_) {
        if (!take_head()) return;
      } else if (current_->in_end) {
        return;  // the next request waits for this one's answer
      } else if (!take_some_body()) {
        return;
      }
    }
  }

  bool take_head() {
    while (input_.starts_with("\r\n")) input_.erase(0, 2);  // RFC 9112 2.2: empty lines before a request are ignored
    if (input_.starts_with("PRI * HTTP/2.0")) return refuse({400, "HTTP/2 is spoken over TLS only"});
    const auto from = scanned_ > 3 ? scanned_ - 3 : 0;
    const auto end = input_.find("\r\n\r\n", from);
    scanned_ = input_.size();
    if ((end == std::string::npos ? input_.size() : end) > limits_.header_bytes) return refuse({431, "the header is too large"});
    if (end == std::string::npos) return false;
    scanned_ = 0;
    auto head = parse_request_head(std::string_view(input_).substr(0, end + 4), limits_.header_count);
    if (!head) return refuse(head.error());
    input_.erase(0, end + 4);
    if (head->message.content_length.value_or(0) > limits_.body_bytes) return refuse({413, "the body is too large"});
    saw_request_ = true;
    keep_alive_ = head->keep_alive && !stopping_;
    version_ = head->message.version;
    const bool awaits_continue = head->message.expect_continue;
    body_.emplace(head->framing);
    responding_ = response_ended_ = draining_ = false;
    const bool head_only = head->message.method == "HEAD";
    const bool empty = body_->ended();
    auto exchange = accept_(std::move(head->message));
    exchange->head_only = head_only;
    exchange->awaits_continue = awaits_continue;
    exchange->in_limit = limits_.body_bytes;
    exchange->in_end = empty;
    current_ = std::move(exchange);
    current_->notify();
    return true;
  }

  bool take_some_body() {
    if (tunnel_) {
      take_body(*current_, input_);
      input_.clear();
      return true;
    }
    if (!draining_ && current_->in.size() >= kMaxQueuedBytes) return false;
    const auto exchange = current_;
    const auto used = body_->feed(std::string_view(input_), *exchange);
    if (draining_) drained_ += used.value_or(0);
    if (!used || exchange->in_error || (draining_ && drained_ > kMaxDrainedBytes)) {
      keep_alive_ = false;
      reading_over_ = true;
      if (!exchange->in_error && !used) exchange->in_error = used.error();
      exchange->notify();
      if (draining_) finish();
      return false;
    }
    input_.erase(0, *used);
    if (!body_->ended()) return true;
    exchange->in_end = true;
    exchange->notify();
    if (response_ended_) next_exchange();
    return true;
  }

  void append_body(std::string& out, const std::string& piece) {
    if (bodyless_ || piece.empty()) return;
    if (!chunked_) {
      out += piece;
      return;
    }
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
    out += size;
    out += piece;
    out += "\r\n";
  }

  // The answer is complete; the request perhaps not.
  void next_exchange() {
    if (!keep_alive_) return finish();
    if (!current_->in_end) {
      if (!draining_) {
        draining_ = true;
        drained_ = 0;
        current_->closed = true;  // for its handler it is over
        current_->in.clear();
        current_->notify();
        advance();
      }
      return;
    }
    current_->closed = true;
    current_->notify();
    current_.reset();
    advance();
  }

  void finish() {
    finished_ = reading_over_ = true;
    if (!current_) return;
    current_->closed = true;
    current_->notify();
    current_.reset();
  }

  // Answers what is no request; always false.
  bool refuse(const Refusal& refusal) {
    const std::string text = refusal.reason + "\n";
    output_ += "HTTP/1.1 " + std::to_string(refusal.status) + " " + std::string(reason_phrase(refusal.status)) +
               "\r\ncontent-type: text/plain\r\ncontent-length: " + std::to_string(text.size()) + "\r\nconnection: close\r\n\r\n" + text;
    input_.clear();
    finish();
    return false;
  }

  EngineLimits limits_;
  Accept accept_;
  std::string input_;
  std::string output_;
  std::size_t scanned_ = 0;  // of input_, for the end of the head
  std::shared_ptr<Exchange> current_;
  std::optional<Http1Body> body_;
  int version_ = 11;
  bool keep_alive_ = true;
  bool responding_ = false;
  bool response_ended_ = false;
  bool chunked_ = false;
  bool bodyless_ = false;
  bool tunnel_ = false;  // after 101: bytes pass through
  bool draining_ = false;
  std::uint64_t drained_ = 0;
  bool stopping_ = false;
  bool saw_request_ = false;
  bool reading_over_ = false;
  bool finished_ = false;
};

}  // namespace

std::unique_ptr<ServerEngine> make_http1_server(EngineLimits limits, ServerEngine::Accept accept) {
  return std::make_unique<Http1Server>(limits, std::move(accept));
}

}  // namespace kinora::net
