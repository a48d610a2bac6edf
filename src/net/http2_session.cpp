#include "net/http2_session.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <new>

namespace kinora::net {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kFieldOverheadBytes = 32;  // RFC 9113 6.5.2: SETTINGS_MAX_HEADER_LIST_SIZE counts so
constexpr std::size_t kMaxContinuations = 8;
constexpr std::uint32_t kAssumedStreams = 250;  // that a server takes, until its SETTINGS are here; more wait or are sent again

std::string_view text(const std::uint8_t* bytes, std::size_t size) { return {reinterpret_cast<const char*>(bytes), size}; }

nghttp2_nv field(std::string_view name, std::string_view value) {
  // nghttp2 copies names and values unless told otherwise; the casts only satisfy its C signature.
  return {reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())), reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())),
          name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

// Fields of one connection only have no place in HTTP/2 (RFC 9113 8.2.2).
bool belongs_to_connection(std::string_view name) {
  constexpr std::array names{"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"};
  return std::ranges::find(names, name) != names.end();
}

void take_pseudo(MessageHead& head, std::string_view name, std::string_view value) {
  if (name == ":method") head.method = value;
  if (name == ":path") head.target = value;
  if (name == ":scheme") head.scheme = value;
  if (name == ":authority") head.headers.set("host", std::string(value));
  if (name == ":status") std::from_chars(value.data(), value.data() + value.size(), head.status);
}

void take_field(MessageHead& head, std::string_view name, std::string_view value) {
  if (name == "host" && head.headers.contains("host")) return;  // :authority decides
  if (name == "cookie") {                                       // RFC 9113 8.2.3: one field again
    if (const auto before = head.headers.get("cookie")) {
      head.headers.set("cookie", std::string(*before) + "; " + std::string(value));
      return;
    }
  }
  if (name == "content-length") {
    std::uint64_t length = 0;
    if (std::from_chars(value.data(), value.data() + value.size(), length).ec == std::errc()) head.content_length = length;
  }
  head.headers.add(name, std::string(value));
}

}  // namespace

struct Http2Session::Callbacks {
  static Http2Session& self(void* user) { return *static_cast<Http2Session*>(user); }

  static int begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Block& block = self(user).blocks_[frame->hd.stream_id];
    block = {};
    block.head.version = 20;
    return 0;
  }

  static int header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                    const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
    Http2Session& session = self(user);
    const auto at = session.blocks_.find(frame->hd.stream_id);
    if (at == session.blocks_.end()) return 0;
    Block& block = at->second;
    block.bytes += name_size + value_size + kFieldOverheadBytes;
    if (block.bytes > session.limits_.header_bytes || block.head.headers.size() >= session.limits_.header_count) block.too_large = true;
    if (block.too_large) return 0;
    if (name_size > 0 && name[0] == ':') {
      take_pseudo(block.head, text(name, name_size), text(value, value_size));
    } else {
      take_field(block.head, text(name, name_size), text(value, value_size));
    }
    return 0;
  }

  static int frame_received(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Http2Session& session = self(user);
    const auto stream = frame->hd.stream_id;
    const bool ended = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    if (frame->hd.type == NGHTTP2_HEADERS) {
      const auto at = session.blocks_.find(stream);
      if (at == session.blocks_.end()) return 0;
      Block block = std::move(at->second);
      session.blocks_.erase(at);
      session.on_head(stream, std::move(block), ended);
    }
    if (frame->hd.type == NGHTTP2_GOAWAY) session.on_goaway();
    if (ended && (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA)) {
      if (const auto exchange = session.find(stream)) {
        exchange->in_end = true;
        exchange->notify();
      }
    }
    return 0;
  }

  static int data(nghttp2_session* native, std::uint8_t, std::int32_t stream, const std::uint8_t* bytes, std::size_t size, void* user) {
    nghttp2_session_consume_connection(native, size);
    const auto exchange = self(user).find(stream);
    if (!exchange) {
      nghttp2_session_consume_stream(native, stream, size);
      return 0;
    }
    take_body(*exchange, text(bytes, size));
    return 0;
  }

  // An answer that is complete before its request: the rest is not wanted (RFC 9113 8.1). Not earlier, because nghttp2 drops
  // frames that wait behind a reset.
  static int frame_sent(nghttp2_session* native, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type == NGHTTP2_HEADERS) {
      if (const auto exchange = self(user).find(frame->hd.stream_id)) exchange->out_began = true;
    }
    const bool ended = (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM);
    if (ended && self(user).server_ && nghttp2_session_get_stream_remote_close(native, frame->hd.stream_id) == 0) {
      nghttp2_submit_rst_stream(native, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
    }
    return 0;
  }

  static int stream_closed(nghttp2_session*, std::int32_t stream, std::uint32_t code, void* user) {
    Http2Session& session = self(user);
    session.blocks_.erase(stream);
    const auto at = session.exchanges_.find(stream);
    if (at == session.exchanges_.end()) return 0;
    const auto exchange = at->second;
    session.exchanges_.erase(at);
    session.on_closed();
    if (exchange->closed) return 0;  // given up by us
    // For both sides the exchange is complete with the whole answer.
    if (code == NGHTTP2_NO_ERROR && (session.server_ ? exchange->out_flushed : exchange->in_end)) {
      exchange->closed = true;
      exchange->notify();
      return 0;
    }
    if (code != NGHTTP2_NO_ERROR) session.on_broken_stream();
    exchange->refused = code == NGHTTP2_REFUSED_STREAM;
    const auto kind = code == NGHTTP2_CANCEL ? ErrorCode::canceled : ErrorCode::unavailable;
    end_before_time(*exchange, {kind, std::string("the stream was reset: ") + nghttp2_http2_strerror(code)});
    return 0;
  }

  static ssize_t read_body(nghttp2_session* native, std::int32_t stream, std::uint8_t* to, std::size_t size, std::uint32_t* flags,
                           nghttp2_data_source* source, void*) {
    auto& exchange = *static_cast<Exchange*>(source->ptr);
    const std::size_t n = exchange.out.copy(to, size);
    exchange.out_began = true;
    if (exchange.out.empty() && exchange.out_end) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (exchange.out_trailers.size() > 0) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        const auto fields = fields_of(exchange.out_trailers);
        nghttp2_submit_trailer(native, stream, fields.data(), fields.size());
      }
      exchange.out_flushed = true;
    }
    exchange.notify();
    if (n == 0 && !exchange.out_end) return NGHTTP2_ERR_DEFERRED;
    return static_cast<ssize_t>(n);
  }
};

Http2Session::Http2Session(bool server, const EngineLimits& limits) : limits_(limits), server_(server) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_option* option = nullptr;
  if (nghttp2_session_callbacks_new(&callbacks) != 0 || nghttp2_option_new(&option) != 0) throw std::bad_alloc();
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, Callbacks::begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, Callbacks::header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Callbacks::frame_received);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Callbacks::data);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, Callbacks::frame_sent);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Callbacks::stream_closed);
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_no_closed_streams(option, 1);
  nghttp2_option_set_peer_max_concurrent_streams(option, kAssumedStreams);
  nghttp2_option_set_max_continuations(option, kMaxContinuations);
  const int made = server ? nghttp2_session_server_new2(&session_, callbacks, this, option)
                          : nghttp2_session_client_new2(&session_, callbacks, this, option);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  if (made != 0) throw std::bad_alloc();
  const std::array<nghttp2_settings_entry, 4> settings{{
      {server ? NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS : NGHTTP2_SETTINGS_ENABLE_PUSH, server ? limits.streams : 0},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, static_cast<std::uint32_t>(kMaxQueuedBytes)},
      {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, 16384},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(limits.header_bytes)},
  }};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kConnectionWindowBytes);
}

Http2Session::~Http2Session() { nghttp2_session_del(session_); }

void Http2Session::feed(std::string_view bytes) {
  if (broken_) return;
  const auto used = nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (used < 0) {
    // What nghttp2 can say to the peer about it, it has queued; NGHTTP2_ERR_BAD_CLIENT_MAGIC and the like leave nothing to say.
    broken_ = true;
  }
}

std::string Http2Session::take_output() {
  std::string out;
  while (out.size() < kOutputBatchBytes) {
    const std::uint8_t* bytes = nullptr;
    const auto size = nghttp2_session_mem_send(session_, &bytes);
    if (size < 0) broken_ = true;
    if (size <= 0) break;
    out += text(bytes, static_cast<std::size_t>(size));
  }
  return out;
}

bool Http2Session::done() const {
  return broken_ || (nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0);
}

void Http2Session::consumed(Exchange& exchange, std::size_t bytes) {
  if (!exchange.closed) nghttp2_session_consume_stream(session_, exchange.id, bytes);
}

void Http2Session::out_changed(Exchange& exchange) {
  if (!exchange.closed) nghttp2_session_resume_data(session_, exchange.id);
}

void Http2Session::abort(Exchange& exchange, Error why) {
  if (exchange.closed) return;
  const auto code = why.code == ErrorCode::canceled    ? NGHTTP2_CANCEL
                    : why.code == ErrorCode::too_large ? NGHTTP2_ENHANCE_YOUR_CALM
                                                       : NGHTTP2_INTERNAL_ERROR;
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, exchange.id, code);
  end_before_time(exchange, std::move(why));
}

void Http2Session::connection_lost(const Error& why) {
  broken_ = true;
  for (const auto& [stream, exchange] : std::exchange(exchanges_, {})) end_before_time(*exchange, why);
}

void Http2Session::end_connection(std::uint32_t code) { nghttp2_session_terminate_session(session_, code); }

std::shared_ptr<Exchange> Http2Session::find(std::int32_t stream) const {
  const auto at = exchanges_.find(stream);
  return at == exchanges_.end() ? nullptr : at->second;
}

void Http2Session::keep(std::int32_t stream, std::shared_ptr<Exchange> exchange) {
  exchange->id = stream;
  exchanges_[stream] = std::move(exchange);
}

nghttp2_data_provider Http2Session::body_of(Exchange& exchange) {
  nghttp2_data_provider provider{};
  provider.source.ptr = &exchange;
  provider.read_callback = Callbacks::read_body;
  return provider;
}

std::vector<nghttp2_nv> Http2Session::fields_of(const Headers& headers) {
  std::vector<nghttp2_nv> out;
  out.reserve(headers.size() + 4);
  for (const auto& [name, value] : headers)
    if (!belongs_to_connection(name)) out.push_back(field(name, value));
  return out;
}

}  // namespace kinora::net
