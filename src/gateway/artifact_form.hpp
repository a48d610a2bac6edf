#pragma once
// The multipart body of POST /v1/artifacts: one `file` of at most 100 MiB, streamed into the blob store.
#include <optional>
#include <string>

#include "gateway/call.hpp"
#include "store/blobs.hpp"

namespace kinora::gateway {

inline constexpr std::uint64_t kMaxFormFileBytes = 100ull << 20;

struct ArtifactForm {
  std::optional<store::Blob> blob;
  std::string filename;
  std::string mime;
  json::object fingerprint_body;  // developer-api 5.4.2
};

// Problems: unsupported_media (not multipart/form-data), body_too_large, missing_field (no file), unknown_field, invalid_field.
Task<tl::expected<ArtifactForm, Problem>> read_artifact_form(Call& call, store::Blobs& blobs);

}  // namespace kinora::gateway
