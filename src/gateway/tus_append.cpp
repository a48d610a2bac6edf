#include "gateway/tus_append.hpp"

#include <openssl/evp.h>

#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include "jobs/outcome.hpp"

namespace kinora::gateway {
namespace {

class Sha1 {
 public:
  Sha1() : context_(EVP_MD_CTX_new()) { EVP_DigestInit_ex(context_, EVP_sha1(), nullptr); }
  ~Sha1() { EVP_MD_CTX_free(context_); }
  Sha1(const Sha1&) = delete;
  Sha1& operator=(const Sha1&) = delete;
  void update(std::string_view bytes) { EVP_DigestUpdate(context_, bytes.data(), bytes.size()); }
  base::Bytes finish() {
    base::Bytes out(EVP_MAX_MD_SIZE);
    unsigned size = 0;
    EVP_DigestFinal_ex(context_, out.data(), &size);
    out.resize(size);
    return out;
  }

 private:
  EVP_MD_CTX* context_;
};

tl::unexpected<Problem> too_large(std::int64_t max_bytes) {
  return refuse("body_too_large", "the upload has room for " + std::to_string(max_bytes) + " more bytes");
}

// False: the client has gone.
Task<tl::expected<bool, Problem>> receive(Call& call, store::BlobWriter& writer, std::int64_t max_bytes, Sha1* sha1) {
  for (;;) {
    auto piece = co_await call.request.body->read();
    if (!piece) {
      if (piece.error().code == base::ErrorCode::too_large) co_return too_large(max_bytes);
      co_return false;
    }
    if (piece->empty()) co_return true;
    if (sha1 != nullptr) sha1->update(*piece);
    if (const auto written = co_await writer.append(std::move(*piece)); !written) {
      if (written.error().code == base::ErrorCode::too_large) co_return too_large(max_bytes);
      co_return jobs::refuse(written.error());
    }
  }
}

}  // namespace

Task<tl::expected<Appended, Problem>> append_body(Call& call, store::Blobs& blobs, std::int64_t max_bytes,
                                                  std::optional<TusChecksum> checksum) {
  if (call.request.content_length.value_or(0) > static_cast<std::uint64_t>(max_bytes)) co_return too_large(max_bytes);
  auto writer = co_await blobs.create(max_bytes);
  if (!writer) co_return jobs::refuse(writer.error());
  Sha1 sha1;
  Appended out;
  try {
    const auto received = co_await receive(call, *writer, max_bytes, checksum && checksum->sha1 ? &sha1 : nullptr);
    if (!received) co_return tl::unexpected(received.error());
    out.broken_off = !*received;
  } catch (const boost::system::system_error&) {
    out.broken_off = true;  // cancelled because the peer has gone
  }
  // What has arrived is stored whoever waits for it.
  co_await boost::asio::this_coro::reset_cancellation_state(boost::asio::disable_cancellation());
  if (checksum && out.broken_off) co_return out;
  if (checksum && checksum->sha1 && !base::equal_secret(sha1.finish(), checksum->digest)) {
    out.mismatch = true;
    co_return out;
  }
  if (writer->bytes() == 0) co_return out;
  std::optional<std::string> sha256;
  if (checksum && !checksum->sha1) sha256 = base::to_hex(checksum->digest);
  auto blob = co_await writer->commit(std::move(sha256));
  if (!blob && blob.error().code == base::ErrorCode::conflict) {
    out.mismatch = true;
    co_return out;
  }
  if (!blob) co_return jobs::refuse(blob.error());
  out.blob = std::move(*blob);
  co_return out;
}

}  // namespace kinora::gateway
