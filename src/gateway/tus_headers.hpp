#pragma once
// The headers of tus 1.0 (developer-api 3.7): what a client sends, read strictly. Pure. Errors are problems with an HTTP status beside,
// since tus has statuses of its own (412, 460).
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "net/http.hpp"

namespace kinora::gateway {

inline constexpr std::string_view kTusVersion = "1.0.0";
inline constexpr std::string_view kTusExtensions =
    "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination,concatenation";
inline constexpr std::string_view kTusChecksums = "sha1,sha256";
inline constexpr int kTusChecksumMismatch = 460;
inline constexpr std::size_t kMaxTusMetadataBytes = 4096;
inline constexpr std::size_t kMaxTusPartials = 1000;

// A length or an offset: decimal digits, at most 63 bits.
std::optional<std::int64_t> parse_tus_number(std::string_view text);

// Upload-Metadata: "filename d29ybGQ=,is_confidential". Values decoded. Errors: invalid.
using TusMetadata = std::map<std::string, std::string, std::less<>>;
base::Result<TusMetadata> parse_tus_metadata(std::string_view text);

struct TusChecksum {
  bool sha1 = false;  // else sha256
  base::Bytes digest;
};
// Upload-Checksum: "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=". Errors: unsupported (algorithm), invalid.
base::Result<TusChecksum> parse_tus_checksum(std::string_view text);

struct TusConcat {
  bool partial = false;
  std::vector<std::string> uploads;  // of a final one: ids in order
};
// Upload-Concat: "partial", or "final;/v1/media/uploads/tus/upl_a https://host/v1/media/uploads/tus/upl_b?t=..". `prefix`: the path in
// front of an id. Errors: invalid.
base::Result<TusConcat> parse_tus_concat(std::string_view text, std::string_view prefix);

// Of a creating POST.
struct TusCreation {
  std::optional<std::int64_t> length;  // nullopt: deferred, or a final upload
  TusMetadata metadata;
  std::string metadata_text;  // as sent
  std::optional<TusConcat> concat;
};
// Errors: invalid, too_large (past max_bytes).
base::Result<TusCreation> parse_tus_creation(const net::Headers& headers, std::int64_t max_bytes, std::string_view prefix);

// RFC 9110 5.6.7, for Upload-Expires.
std::string http_date(std::chrono::sys_seconds time);

}  // namespace kinora::gateway
