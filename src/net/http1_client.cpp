#include "net/http1_client.hpp"

#include "net/http1_body.hpp"
#include "net/http1_head.hpp"

namespace kinora::net {
namespace {

using base::Error;
using base::ErrorCode;

constexpr int kMaxInterimResponses = 16;  // 1xx answers before the real one

class Http1Client final : public ClientEngine {
 public:
  explicit Http1Client(EngineLimits limits) : limits_(limits) {}

  bool can_submit() const override { return !finished_ && !current_; }
  bool multiplexes() const override { return false; }

  void submit(const std::shared_ptr<Exchange>& exchange, MessageHead head) override {
    current_ = exchange;
    exchange->head_only = head.method == "HEAD";
    keep_alive_ = true;
    request_ended_ = false;
    interim_ = 0;
    body_.reset();
    const bool no_body = exchange->out_end && exchange->out.empty();
    // RFC 9110 8.6: a length of 0 is said where a body would have a meaning.
    const bool sized = head.content_length.has_value() || head.headers.contains("content-length");
    const bool meaningful = head.method != "GET" && head.method != "HEAD" && head.method != "DELETE" && head.method != "OPTIONS";
    chunked_ = !sized && !no_body;
    output_ += head.method + " " + head.target + " HTTP/1.1\r\n";
    append_fields(output_, head.headers);
    if (chunked_) output_ += "transfer-encoding: chunked\r\n";
    if (no_body && meaningful && !sized) output_ += "content-length: 0\r\n";
    if (head.content_length && !head.headers.contains("content-length"))
      output_ += "content-length: " + std::to_string(*head.content_length) + "\r\n";
    output_ += "\r\n";
  }

  void feed(std::string_view bytes) override {
    if (finished_) return;
    input_ += bytes;
    advance();
  }

  void input_ended() override {
    if (current_ && body_ && body_->until_close()) return end_of_response();
    connection_lost({ErrorCode::unavailable, "the server closed the connection"});
  }

  bool wants_input() const override { return !current_ || current_->in.size() < kMaxQueuedBytes; }

  std::string take_output() override {
    std::string out = std::exchange(output_, {});
    if (!current_ || request_ended_) return out;
    current_->out_began = true;
    while (!current_->out.empty() && out.size() < kOutputBatchBytes) {
      const std::string piece = current_->out.pop(kOutputBatchBytes);
      if (chunked_) {
        char size[20];
        std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
        out += size + piece + "\r\n";
      } else {
        out += piece;
      }
    }
    if (current_->out.empty() && current_->out_end) {
      if (chunked_) out += "0\r\n\r\n";
      request_ended_ = true;
      current_->out_flushed = true;
      const auto exchange = current_;
      exchange->notify();
      if (exchange->in_end) complete();
    } else {
      current_->notify();
    }
    return out;
  }

  bool done() const override { return finished_; }
  bool busy() const override { return current_ != nullptr; }
  void consumed(Exchange&, std::size_t) override { advance(); }
  void out_changed(Exchange&) override {}

  void abort(Exchange& exchange, Error why) override {
    if (&exchange == current_.get()) connection_lost(why);
  }

  void shut_down() override {
    keep_alive_ = false;
    stopping_ = true;
    if (!current_) finish();
  }

  void connection_lost(const Error& why) override {
    const auto exchange = std::exchange(current_, nullptr);
    finish();
    if (exchange) end_before_time(*exchange, why);
  }

 private:
  void advance() {
    while (!finished_ && !input_.empty()) {
      if (!current_) return connection_lost({ErrorCode::unavailable, "the server sent bytes that nobody asked for"});
      if (current_->in_end) return;  // until the request has been sent completely; more bytes are the next submit's error
      if (!current_->response) {
        if (!take_head()) return;
      } else {
        if (current_->in.size() >= kMaxQueuedBytes) return;
        const auto exchange = current_;
        const auto used = body_->feed(input_, *exchange);
        if (!used) return connection_lost({ErrorCode::unavailable, "bad answer: " + used.error().message});
        input_.erase(0, *used);
        if (body_->ended()) end_of_response();
      }
    }
  }

  bool take_head() {
    const auto end = input_.find("\r\n\r\n");
    if ((end == std::string::npos ? input_.size() : end) > limits_.header_bytes) {
      connection_lost({ErrorCode::too_large, "the answer's header is too large"});
      return false;
    }
    if (end == std::string::npos) return false;
    auto head = parse_response_head(std::string_view(input_).substr(0, end + 4), limits_.header_count, current_->head_only);
    if (!head) {
      connection_lost(head.error());
      return false;
    }
    input_.erase(0, end + 4);
    if (head->message.status < 200) {
      if (head->message.status != 101 && ++interim_ <= kMaxInterimResponses) return true;
      connection_lost({ErrorCode::unavailable, "bad answer: too many interim responses, or an upgrade that nobody asked for"});
      return false;
    }
    keep_alive_ = keep_alive_ && head->keep_alive && !stopping_;
    body_.emplace(head->framing);
    current_->response = std::move(head->message);
    if (body_->ended()) {
      end_of_response();
    } else {
      current_->notify();
    }
    return true;
  }

  void end_of_response() {
    const auto exchange = current_;
    exchange->in_end = true;
    exchange->notify();
    // A server that has answered without waiting for the whole request: what is left of it has no receiver.
    if (!request_ended_) keep_alive_ = false;
    complete();
  }

  void complete() {
    const auto exchange = std::exchange(current_, nullptr);
    if (!keep_alive_ || !input_.empty()) finish();
    exchange->closed = true;
    exchange->notify();
  }

  void finish() {
    finished_ = true;
    input_.clear();
  }

  EngineLimits limits_;
  std::string input_;
  std::string output_;
  std::shared_ptr<Exchange> current_;
  std::optional<Http1Body> body_;
  int interim_ = 0;
  bool keep_alive_ = true;
  bool chunked_ = false;
  bool request_ended_ = false;
  bool stopping_ = false;
  bool finished_ = false;
};

}  // namespace

std::unique_ptr<ClientEngine> make_http1_client(EngineLimits limits) { return std::make_unique<Http1Client>(limits); }

}  // namespace kinora::net
