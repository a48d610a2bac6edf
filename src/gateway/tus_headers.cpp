#include "gateway/tus_headers.hpp"

#include <algorithm>
#include <charconv>

#include "base/ulid.hpp"

namespace kinora::gateway {
namespace {

using base::ErrorCode;
using base::fail;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::string_view take(std::string_view& rest, char separator) {
  const auto end = std::min(rest.find(separator), rest.size());
  const std::string_view item = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return item;
}

}  // namespace

std::optional<std::int64_t> parse_tus_number(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

base::Result<TusMetadata> parse_tus_metadata(std::string_view text) {
  if (text.size() > kMaxTusMetadataBytes) return fail(ErrorCode::invalid, "Upload-Metadata is longer than 4096 bytes");
  TusMetadata out;
  while (!text.empty()) {
    const std::string_view pair = trimmed(take(text, ','));
    const auto space = std::min(pair.find(' '), pair.size());
    const std::string key(pair.substr(0, space));
    if (key.empty()) return fail(ErrorCode::invalid, "Upload-Metadata has an empty key");
    const auto value = base::from_base64(trimmed(pair.substr(space)));
    if (!value) return fail(ErrorCode::invalid, "Upload-Metadata: the value of " + key + " is not base64");
    if (!out.emplace(key, base::as_text(*value)).second) return fail(ErrorCode::invalid, "Upload-Metadata has " + key + " twice");
  }
  return out;
}

base::Result<TusChecksum> parse_tus_checksum(std::string_view text) {
  const std::string_view algorithm = take(text, ' ');
  TusChecksum out;
  out.sha1 = algorithm == "sha1";
  if (!out.sha1 && algorithm != "sha256") return fail(ErrorCode::unsupported, "Upload-Checksum: sha1 and sha256 are supported");
  auto digest = base::from_base64(trimmed(text));
  constexpr std::size_t kSha1Bytes = 20, kSha256Bytes = 32;
  if (!digest || digest->size() != (out.sha1 ? kSha1Bytes : kSha256Bytes))
    return fail(ErrorCode::invalid, "Upload-Checksum: the digest is not base64 of the right length");
  out.digest = std::move(*digest);
  return out;
}

base::Result<TusConcat> parse_tus_concat(std::string_view text, std::string_view prefix) {
  TusConcat out;
  out.partial = text == "partial";
  if (out.partial) return out;
  constexpr std::string_view kFinal = "final;";
  if (!text.starts_with(kFinal)) return fail(ErrorCode::invalid, "Upload-Concat is partial or final;<urls>");
  text.remove_prefix(kFinal.size());
  while (!text.empty()) {
    std::string_view url = take(text, ' ');
    if (url.empty()) continue;
    url = url.substr(0, url.find('?'));
    const auto slash = url.rfind('/');
    const std::string_view id = slash == std::string_view::npos ? url : url.substr(slash + 1);
    const bool ours = slash != std::string_view::npos && url.substr(0, slash + 1).ends_with(prefix) && base::is_id("upl", id);
    if (!ours) return fail(ErrorCode::invalid, "Upload-Concat names what is no upload of this server");
    out.uploads.emplace_back(id);
    if (out.uploads.size() > kMaxTusPartials) return fail(ErrorCode::invalid, "Upload-Concat joins at most 1000 uploads");
  }
  if (out.uploads.empty()) return fail(ErrorCode::invalid, "Upload-Concat names no uploads");
  return out;
}

base::Result<TusCreation> parse_tus_creation(const net::Headers& headers, std::int64_t max_bytes, std::string_view prefix) {
  TusCreation out;
  if (const auto text = headers.get("upload-concat")) {
    KINORA_TRY(out.concat, parse_tus_concat(*text, prefix));
  }
  const bool final = out.concat && !out.concat->partial;
  const auto length = headers.get("upload-length");
  const auto defer = headers.get("upload-defer-length");
  if (defer && *defer != "1") return fail(ErrorCode::invalid, "Upload-Defer-Length is 1 or absent");
  if (final && (length || defer)) return fail(ErrorCode::invalid, "a final upload has no Upload-Length of its own");
  if (!final && length.has_value() == defer.has_value())
    return fail(ErrorCode::invalid, "either Upload-Length or Upload-Defer-Length: 1 is needed");
  if (length) {
    out.length = parse_tus_number(*length);
    if (!out.length) return fail(ErrorCode::invalid, "Upload-Length is not a number of bytes");
    if (*out.length > max_bytes) return fail(ErrorCode::too_large, "an upload has at most " + std::to_string(max_bytes) + " bytes");
  }
  out.metadata_text = headers.get("upload-metadata").value_or("");
  KINORA_TRY(out.metadata, parse_tus_metadata(out.metadata_text));
  return out;
}

std::string http_date(std::chrono::sys_seconds time) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[64];
  std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[utc.tm_wday], utc.tm_mday, kMonths[utc.tm_mon],
                utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
  return text;
}

}  // namespace kinora::gateway
