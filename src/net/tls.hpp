#pragma once
// Node certificates: self-signed ECDSA P-256, as Livepeer nodes have them, told apart by the hash of their public key.
// A pin is "sha256/" + base64(SHA-256(SubjectPublicKeyInfo DER)) as in RFC 7469.
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"

namespace boost::asio::ssl {
class context;
}

namespace kinora::net {

struct TlsIdentity {
  std::string certificate_pem;
  std::string key_pem;  // secret
  std::string pin;      // of this certificate's key
};

// A new key and certificate for `host` (DNS name or IP, put into subjectAltName), valid 8765 h.
base::Result<TlsIdentity> generate_identity(const std::string& host);
// Reads cert.pem and key.pem from the folder; makes them when absent (key file mode 0600), so a node's pin outlives
// restarts. A certificate that has expired is renewed with the same key.
base::Result<TlsIdentity> load_or_create_identity(const std::filesystem::path& folder, const std::string& host);
base::Result<std::string> pin_of_certificate(const std::string& certificate_pem);
bool is_pin(std::string_view text);

// How a client decides that it talks to the right server.
struct TlsTrust {
  enum class Mode {
    system,  // the system's certificate authorities and the host name
    pinned,  // exactly this key, whatever the certificate says
    learn    // any key; the answer tells which (ClientResponse::peer_pin), and the caller binds what follows to it
  };
  Mode mode = Mode::system;
  std::string pin;  // for pinned
  static TlsTrust pinned(std::string pin) { return {Mode::pinned, std::move(pin)}; }
  static TlsTrust learn() { return {Mode::learn, {}}; }
  friend auto operator<=>(const TlsTrust&, const TlsTrust&) = default;
};

// TLS 1.2 and later, ALPN h2 + http/1.1, no compression, no renegotiation.
std::shared_ptr<boost::asio::ssl::context> make_server_context(const TlsIdentity& identity);
std::shared_ptr<boost::asio::ssl::context> make_client_context(const TlsTrust& trust);

}  // namespace kinora::net
