#include "net/transport.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "net/sync.hpp"
#include "net/tls_pin.hpp"

namespace kinora::net {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds kLinger{1000};
constexpr std::size_t kMaxLingerBytes = 4 * 1024 * 1024;

}  // namespace

Transport::Transport(Socket socket) : plain_(std::move(socket)) {
  Error ignored;
  plain_->set_option(asio::ip::tcp::no_delay(true), ignored);
}

void Transport::secure(std::shared_ptr<asio::ssl::context> context) {
  context_ = std::move(context);
  tls_.emplace(std::move(*plain_), *context_);
  plain_.reset();
}

Task<Transport::Error> Transport::accept_handshake() {
  Error failed;
  co_await tls_->async_handshake(asio::ssl::stream_base::server, asio::redirect_error(asio::use_awaitable, failed));
  co_return failed;
}

Task<Transport::Error> Transport::connect_handshake(const std::string& host, bool verify_name) {
  Error address;
  asio::ip::make_address(host, address);
  if (address) SSL_set_tlsext_host_name(tls_->native_handle(), host.c_str());  // SNI is for names only (RFC 6066)
  if (verify_name) tls_->set_verify_callback(asio::ssl::host_name_verification(host));
  Error failed;
  co_await tls_->async_handshake(asio::ssl::stream_base::client, asio::redirect_error(asio::use_awaitable, failed));
  co_return failed;
}

Task<std::size_t> Transport::read(char* to, std::size_t max, Error& failed) {
  if (tls_) co_return co_await tls_->async_read_some(asio::buffer(to, max), asio::redirect_error(asio::use_awaitable, failed));
  co_return co_await plain_->async_read_some(asio::buffer(to, max), asio::redirect_error(asio::use_awaitable, failed));
}

Task<void> Transport::write(std::string_view bytes, Error& failed) {
  const auto buffer = asio::buffer(bytes.data(), bytes.size());
  if (tls_) {
    co_await asio::async_write(*tls_, buffer, asio::redirect_error(asio::use_awaitable, failed));
  } else {
    co_await asio::async_write(*plain_, buffer, asio::redirect_error(asio::use_awaitable, failed));
  }
}

Task<void> Transport::finish() {
  Timeout limit(socket().get_executor(), Clock::now() + kLinger, [this] { close(); });
  Error failed;
  if (tls_) {
    // Only our half: waiting for the peer's close_notify would fail on what it is still sending.
    SSL_set_shutdown(tls_->native_handle(), SSL_get_shutdown(tls_->native_handle()) | SSL_RECEIVED_SHUTDOWN);
    co_await tls_->async_shutdown(asio::redirect_error(asio::use_awaitable, failed));
  }
  socket().shutdown(Socket::shutdown_send, failed);
  std::string dropped(16 * 1024, '\0');
  std::size_t total = 0;
  failed = {};
  while (!failed && total < kMaxLingerBytes) {
    total += co_await socket().async_read_some(asio::buffer(dropped), asio::redirect_error(asio::use_awaitable, failed));
  }
  close();
}

void Transport::close() {
  Error ignored;
  socket().close(ignored);
}

bool Transport::chose_http2() const {
  if (!tls_) return false;
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(const_cast<asio::ssl::stream<Socket>&>(*tls_).native_handle(), &name, &size);
  return size == 2 && name[0] == 'h' && name[1] == '2';
}

bool Transport::verification_failed() const {
  return tls_ && SSL_get_verify_result(const_cast<asio::ssl::stream<Socket>&>(*tls_).native_handle()) != X509_V_OK;
}

std::string Transport::peer_pin() const {
  if (!tls_) return {};
  X509* const leaf = SSL_get0_peer_certificate(const_cast<asio::ssl::stream<Socket>&>(*tls_).native_handle());
  return leaf ? certificate_pin(leaf) : std::string();
}

}  // namespace kinora::net
