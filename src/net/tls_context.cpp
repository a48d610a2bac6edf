#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <boost/asio/ssl.hpp>

#include "base/bytes.hpp"
#include "net/tls.hpp"
#include "net/tls_pin.hpp"

namespace kinora::net {
namespace {

namespace ssl = boost::asio::ssl;

constexpr unsigned char kProtocols[] = "\x02h2\x08http/1.1";
constexpr unsigned kProtocolsSize = sizeof kProtocols - 1;

// The server's order decides. A client that offers only other protocols is refused, one that offers none gets HTTP/1.1.
int select_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered, unsigned offered_size, void*) {
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kProtocols, kProtocolsSize, offered, offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

void harden(ssl::context& context) {
  SSL_CTX* const native = context.native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);  // an idle connection keeps no record buffers
}

struct ClientContext {
  explicit ClientContext(const TlsTrust& trust_) : context(ssl::context::tls_client), trust(trust_) {}
  ssl::context context;
  TlsTrust trust;
};

// Takes the place of the chain's verification: the key decides, names, dates and issuers do not.
int verify_key(X509_STORE_CTX* store, void* argument) {
  const auto* trust = static_cast<const TlsTrust*>(argument);
  X509* const leaf = X509_STORE_CTX_get0_cert(store);
  const bool good = leaf && (trust->mode == TlsTrust::Mode::learn || certificate_pin(leaf) == trust->pin);
  X509_STORE_CTX_set_error(store, good ? X509_V_OK : X509_V_ERR_CERT_UNTRUSTED);
  return good ? 1 : 0;
}

}  // namespace

std::string certificate_pin(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (size <= 0) return {};
  const auto digest = base::sha256({der, static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return "sha256/" + base::to_base64(digest);
}

std::shared_ptr<ssl::context> make_server_context(const TlsIdentity& identity) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  harden(*context);
  context->use_certificate_chain(boost::asio::buffer(identity.certificate_pem));
  context->use_private_key(boost::asio::buffer(identity.key_pem), ssl::context::pem);
  SSL_CTX_set_alpn_select_cb(context->native_handle(), select_protocol, nullptr);
  return context;
}

std::shared_ptr<ssl::context> make_client_context(const TlsTrust& trust) {
  auto owner = std::make_shared<ClientContext>(trust);
  harden(owner->context);
  SSL_CTX* const native = owner->context.native_handle();
  SSL_CTX_set_alpn_protos(native, kProtocols, kProtocolsSize);
  owner->context.set_verify_mode(ssl::verify_peer);
  if (trust.mode == TlsTrust::Mode::system) {
    owner->context.set_default_verify_paths();
  } else {
    SSL_CTX_set_cert_verify_callback(native, verify_key, &owner->trust);
  }
  return {owner, &owner->context};
}

}  // namespace kinora::net
