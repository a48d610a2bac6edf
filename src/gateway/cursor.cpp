#include "gateway/cursor.hpp"

#include <span>

#include "base/json.hpp"

namespace kinora::gateway {
namespace {

constexpr std::size_t kTagBytes = 16;

std::string tag(base::ByteView key, std::string_view payload) {
  const auto digest = base::hmac_sha256(key, base::as_bytes(payload));
  return base::to_base64url(std::span(digest).first<kTagBytes>());
}

}  // namespace

std::string hash_filters(std::string_view canonical) { return base::to_hex(base::sha256(base::as_bytes(canonical))).substr(0, 8); }

std::string encode_cursor(base::ByteView key, const Cursor& cursor) {
  const base::json::object payload{{"f", cursor.filters},
                                   {"k", base::json::array{cursor.created.time_since_epoch().count(), cursor.id}},
                                   {"o", cursor.ascending ? "asc" : "desc"}};
  const std::string text = base::canonical_json(payload);
  return base::to_base64url(base::as_bytes(text)) + "." + tag(key, text);
}

base::Result<Cursor> decode_cursor(base::ByteView key, std::string_view text) {
  const auto refuse = [] { return base::fail(base::ErrorCode::invalid, "not a cursor of this API; take next_cursor of an earlier page"); };
  const auto dot = text.find('.');
  if (text.size() > kMaxCursorBytes || dot == std::string_view::npos) return refuse();
  const auto bytes = base::from_base64url(text.substr(0, dot));
  if (!bytes) return refuse();
  const auto payload = base::as_text(*bytes);
  const std::string expected = tag(key, payload);
  if (!base::equal_secret(base::as_bytes(expected), base::as_bytes(text.substr(dot + 1)))) return refuse();
  // Signed by us, but read with care: the key may one day sign another payload.
  const auto value = base::parse_json(payload);
  if (!value || !value->is_object()) return refuse();
  const auto& object = value->as_object();
  const auto* filters = object.if_contains("f");
  const auto* position = object.if_contains("k");
  const auto* order = object.if_contains("o");
  if (!filters || !filters->is_string() || !order || !order->is_string() || !position || !position->is_array()) return refuse();
  const auto& pair = position->as_array();
  if (pair.size() != 2 || !pair[0].is_int64() || !pair[1].is_string()) return refuse();
  return Cursor{base::UnixMillis{std::chrono::milliseconds{pair[0].as_int64()}}, std::string(pair[1].as_string()),
                order->as_string() == "asc", std::string(filters->as_string())};
}

}  // namespace kinora::gateway
