#pragma once
// A request's body into the blob store, hashed while it arrives, at the speed of the disk.
#include <optional>

#include "gateway/call.hpp"
#include "store/blobs.hpp"

namespace kinora::gateway {

// body_too_large past max_bytes (at once when Content-Length says so); invalid_field when fewer bytes than Content-Length came.
Task<tl::expected<store::Blob, Problem>> body_to_blob(Call& call, store::Blobs& blobs, std::uint64_t max_bytes,
                                                      std::optional<std::string> expected_sha256 = std::nullopt);
// The same for bytes in memory.
Task<tl::expected<store::Blob, Problem>> bytes_to_blob(store::Blobs& blobs, std::string bytes);

}  // namespace kinora::gateway
