#pragma once
// The bytes of one tus PATCH into the blob store. What has arrived is kept when the client goes away in the middle, unless the piece has a
// checksum that then cannot be checked.
#include <optional>

#include "gateway/call.hpp"
#include "gateway/tus_headers.hpp"
#include "store/blobs.hpp"

namespace kinora::gateway {

struct Appended {
  std::optional<store::Blob> blob;  // none: nothing arrived
  bool mismatch = false;            // the checksum is another: nothing is kept
  bool broken_off = false;          // the client has gone: nobody reads the answer
};
// body_too_large: more than max_bytes (nothing is kept).
Task<tl::expected<Appended, Problem>> append_body(Call& call, store::Blobs& blobs, std::int64_t max_bytes,
                                                  std::optional<TusChecksum> checksum);

}  // namespace kinora::gateway
