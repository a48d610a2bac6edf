#pragma once
// Cursors of lists (developer-api 5.1): base64url(JCS payload) "." base64url(first 16 bytes of HMAC-SHA256).
// The payload holds where the page ended, the order and a hash of the filters, so that a cursor used with other
// filters is refused (cursor_mismatch) instead of giving a wrong page. Pure.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/ulid.hpp"

namespace kinora::gateway {

inline constexpr std::size_t kMaxCursorBytes = 512;

struct Cursor {
  base::UnixMillis created{};
  std::string id;
  bool ascending = false;
  std::string filters;  // first 8 hex digits of SHA-256 of the filters' canonical text
  friend bool operator==(const Cursor&, const Cursor&) = default;
};

// The hash of a canonical text of filters, e.g. "status=running&task=transcode" ("" for none: "e3b0c442").
std::string hash_filters(std::string_view canonical);

std::string encode_cursor(base::ByteView key, const Cursor& cursor);
// Errors: invalid (malformed or not ours).
base::Result<Cursor> decode_cursor(base::ByteView key, std::string_view text);

}  // namespace kinora::gateway
