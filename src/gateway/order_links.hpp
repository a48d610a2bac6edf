#pragma once
// How a task order reaches back to the gateway: signed URLs of its inputs, its upload address and token (docs/protocol.md 4, 5).
#include <string>
#include <string_view>

#include "gateway/address.hpp"
#include "gateway/signing.hpp"
#include "tasks/order.hpp"

namespace kinora::gateway {

// An attempt may wait in a worker's queue and its uploads may be retried: its URLs and token outlive the deadline by this.
inline constexpr std::chrono::seconds kOrderSlack{600};

class OrderLinks {
 public:
  // All three outlive this.
  OrderLinks(const Address& address, const UrlSigner& signer, base::ByteView attempt_key)
      : address_(address), signer_(signer), attempt_key_(attempt_key.begin(), attempt_key.end()) {}

  // Fills in the url of every input (by its sha256), `upload` and `tls_pin`.
  void complete(tasks::TaskOrder& order, base::UnixMillis now) const;

  // GET /v1/attempts/{attempt}/inputs/{sha256}?exp&kid&sig
  base::Status check_input(std::string_view path, std::string_view query, base::UnixMillis now) const;
  // PUT /v1/attempts/{attempt}/files/{name...} with the token of the attempt.
  base::Status check_upload(std::string_view attempt, std::string_view token, base::UnixMillis now) const;

 private:
  const Address& address_;
  const UrlSigner& signer_;
  base::Bytes attempt_key_;
};

}  // namespace kinora::gateway
