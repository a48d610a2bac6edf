#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <boost/asio/ip/address.hpp>
#include <fstream>
#include <memory>
#include <sstream>

#include "base/bytes.hpp"
#include "net/tls.hpp"
#include "net/tls_pin.hpp"

namespace kinora::net {
namespace {

using base::ErrorCode;
using base::fail;

constexpr long kValidSeconds = 8765L * 3600;  // as go-livepeer's node certificates
constexpr long kClockSkewSeconds = 3600;
constexpr std::size_t kMaxPemBytes = 64 * 1024;

template <auto free>
struct Free {
  template <class T>
  void operator()(T* object) const {
    free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;
using Extension = std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>>;

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

Bio bio_of(const std::string& text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

tl::unexpected<base::Error> openssl_failed(const char* what) {
  ERR_clear_error();
  return fail(ErrorCode::internal, std::string("OpenSSL could not ") + what);
}

bool add_extension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// The host goes into an OpenSSL configuration value, so nothing but a name or an address may pass.
bool usable_host(const std::string& host) {
  if (host.empty() || host.size() > 253) return false;
  boost::system::error_code no_address;
  boost::asio::ip::make_address(host, no_address);
  if (!no_address) return true;
  return host.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") == std::string::npos;
}

std::string alternative_name(const std::string& host) {
  boost::system::error_code no_address;
  boost::asio::ip::make_address(host, no_address);
  return (no_address ? "DNS:" : "IP:") + host;
}

bool set_fresh_serial(X509* certificate) {
  unsigned char bytes[16];
  if (RAND_bytes(bytes, sizeof bytes) != 1) return false;
  bytes[0] &= 0x7f;  // a serial number is positive
  const std::unique_ptr<BIGNUM, Free<BN_free>> number(BN_bin2bn(bytes, sizeof bytes, nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

Certificate read_certificate(const std::string& pem) {
  Certificate certificate(PEM_read_bio_X509(bio_of(pem).get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  return certificate;
}

base::Result<std::string> key_text(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  // "EC PRIVATE KEY", the form in which Livepeer nodes keep theirs.
  if (!bio || PEM_write_bio_PrivateKey_traditional(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return openssl_failed("write a key");
  return text_of(bio.get());
}

base::Result<TlsIdentity> sign_for(EVP_PKEY* key, const std::string& host) {
  if (!usable_host(host)) return fail(ErrorCode::invalid, "not a host name or address: " + host);
  const Certificate certificate(X509_new());
  if (!certificate) return openssl_failed("make a certificate");
  X509* const x = certificate.get();
  X509_set_version(x, X509_VERSION_3);
  X509_NAME* const name = X509_get_subject_name(x);
  const std::string common = host.size() <= 64 ? host : "kinora";  // RFC 5280: ub-common-name
  const bool filled =
      set_fresh_serial(x) && X509_gmtime_adj(X509_getm_notBefore(x), -kClockSkewSeconds) &&
      X509_gmtime_adj(X509_getm_notAfter(x), kValidSeconds) &&
      X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(common.c_str()), -1, -1, 0) == 1 &&
      X509_set_issuer_name(x, name) == 1 && X509_set_pubkey(x, key) == 1 && add_extension(x, NID_basic_constraints, "critical,CA:TRUE") &&
      add_extension(x, NID_key_usage, "critical,digitalSignature,keyCertSign") && add_extension(x, NID_ext_key_usage, "serverAuth") &&
      add_extension(x, NID_subject_key_identifier, "hash") && add_extension(x, NID_subject_alt_name, alternative_name(host));
  if (!filled || X509_sign(x, key, EVP_sha256()) == 0) return openssl_failed("sign a certificate");
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), x) != 1) return openssl_failed("write a certificate");
  KINORA_TRY(std::string key_pem, key_text(key));
  return TlsIdentity{text_of(bio.get()), std::move(key_pem), certificate_pin(x)};
}

base::Result<std::string> read_small_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxPemBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || (!file && !file.eof())) return fail(ErrorCode::io, "cannot read " + path.string());
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMaxPemBytes) return fail(ErrorCode::too_large, path.string() + " is too large for a PEM file");
  return text;
}

// Written beside its place and renamed, so that a crash leaves the old file or the new one.
base::Status write_file(const std::filesystem::path& path, const std::string& text, mode_t mode) {
  const std::string beside = path.string() + ".new";
  ::unlink(beside.c_str());
  const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (file < 0) return fail(ErrorCode::io, "cannot create " + beside);
  const bool written = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(file) == 0;
  ::close(file);
  std::error_code failed;
  if (written) std::filesystem::rename(beside, path, failed);
  if (!written || failed) return fail(ErrorCode::io, "cannot write " + path.string());
  return {};
}

base::Status save(const TlsIdentity& identity, const std::filesystem::path& certificate, const std::filesystem::path& key) {
  KINORA_OK(write_file(key, identity.key_pem, 0600));
  return write_file(certificate, identity.certificate_pem, 0644);
}

}  // namespace

base::Result<TlsIdentity> generate_identity(const std::string& host) {
  const Key key(EVP_EC_gen("P-256"));
  if (!key) return openssl_failed("make a key");
  return sign_for(key.get(), host);
}

base::Result<TlsIdentity> load_or_create_identity(const std::filesystem::path& folder, const std::string& host) {
  const auto certificate_path = folder / "cert.pem";
  const auto key_path = folder / "key.pem";
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) return fail(ErrorCode::io, "cannot create " + folder.string() + ": " + failed.message());
  if (!std::filesystem::exists(key_path)) {
    // A certificate alone is somebody's: making a new key beside it would silently change the node's pin.
    if (std::filesystem::exists(certificate_path))
      return fail(ErrorCode::invalid, certificate_path.string() + " has no " + key_path.string());
    KINORA_TRY(TlsIdentity identity, generate_identity(host));
    KINORA_OK(save(identity, certificate_path, key_path));
    return identity;
  }
  KINORA_TRY(const std::string key_pem, read_small_file(key_path));
  const Key key(PEM_read_bio_PrivateKey(bio_of(key_pem).get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (!key) return fail(ErrorCode::invalid, key_path.string() + " holds no usable private key");
  if (std::filesystem::exists(certificate_path)) {
    KINORA_TRY(std::string certificate_pem, read_small_file(certificate_path));
    const Certificate certificate = read_certificate(certificate_pem);
    if (!certificate) return fail(ErrorCode::invalid, certificate_path.string() + " holds no certificate");
    if (X509_check_private_key(certificate.get(), key.get()) != 1) {
      ERR_clear_error();
      return fail(ErrorCode::invalid, certificate_path.string() + " and " + key_path.string() + " do not belong together");
    }
    const bool expired = X509_cmp_current_time(X509_get0_notAfter(certificate.get())) <= 0;
    if (!expired) return TlsIdentity{std::move(certificate_pem), key_pem, certificate_pin(certificate.get())};
  }
  KINORA_TRY(TlsIdentity renewed, sign_for(key.get(), host));
  KINORA_OK(write_file(certificate_path, renewed.certificate_pem, 0644));
  return renewed;
}

base::Result<std::string> pin_of_certificate(const std::string& certificate_pem) {
  const Certificate certificate = read_certificate(certificate_pem);
  if (!certificate) return fail(ErrorCode::invalid, "not a PEM certificate");
  return certificate_pin(certificate.get());
}

bool is_pin(std::string_view text) {
  constexpr std::string_view prefix = "sha256/";
  if (!text.starts_with(prefix)) return false;
  const auto digest = base::from_base64(text.substr(prefix.size()));
  return digest && digest->size() == 32;
}

}  // namespace kinora::net
