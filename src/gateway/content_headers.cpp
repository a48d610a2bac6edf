#include "gateway/content_headers.hpp"

#include <fmt/format.h>

#include "base/bytes.hpp"
#include "net/url.hpp"

namespace kinora::gateway {
namespace {

constexpr std::size_t kMaxFilenameBytes = 200;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_mime(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == 0 || slash == std::string_view::npos || slash + 1 == text.size() || text.size() > 127) return false;
  for (const char c : text)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '.' || c == '+' || c == '-'))
      return false;
  return text.find('/', slash + 1) == std::string_view::npos;
}

}  // namespace

bool etag_listed(std::string_view if_none_match, std::string_view etag) {
  if (trimmed(if_none_match) == "*") return true;
  while (!if_none_match.empty()) {
    const auto comma = std::min(if_none_match.find(','), if_none_match.size());
    auto item = trimmed(if_none_match.substr(0, comma));
    if (item.starts_with("W/")) item.remove_prefix(2);
    if (item == etag) return true;
    if_none_match.remove_prefix(std::min(comma + 1, if_none_match.size()));
  }
  return false;
}

bool range_allowed(std::optional<std::string_view> if_range, std::string_view etag) { return !if_range || trimmed(*if_range) == etag; }

std::string content_disposition(std::string_view kind, std::string_view filename) {
  std::string plain;
  for (const char c : filename) plain += c < 0x20 || c == 0x7f || c == '"' || c == '\\' || static_cast<unsigned char>(c) >= 0x80 ? '_' : c;
  std::string text = fmt::format("{}; filename=\"{}\"", kind, plain);
  if (plain != filename) text += "; filename*=UTF-8''" + net::percent_encode(filename);
  return text;
}

std::string safe_filename(std::string_view text) {
  if (const auto slash = text.find_last_of("/\\"); slash != std::string_view::npos) text.remove_prefix(slash + 1);
  std::string name;
  for (const char c : text)
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) name += c;
  if (name.size() > kMaxFilenameBytes) {
    std::size_t cut = kMaxFilenameBytes;
    while (cut > 0 && (static_cast<unsigned char>(name[cut]) & 0xc0) == 0x80) --cut;
    name.resize(cut);
  }
  return name.empty() || name == "." || name == ".." ? "file" : name;
}

base::Result<DataUri> parse_data_uri(std::string_view text) {
  const auto refuse = [](std::string what) { return base::fail(base::ErrorCode::invalid, std::move(what)); };
  if (!text.starts_with("data:")) return refuse("not a data: URI");
  text.remove_prefix(5);
  const auto comma = text.find(',');
  if (comma == std::string_view::npos) return refuse("a data: URI needs a comma before its data");
  std::string_view head = text.substr(0, comma);
  const std::string_view data = text.substr(comma + 1);
  const bool base64 = head.ends_with(";base64");
  if (base64) head.remove_suffix(7);
  DataUri uri;
  uri.mime = std::string(head.substr(0, std::min(head.find(';'), head.size())));
  if (!is_mime(uri.mime)) return refuse("a data: URI needs a media type, such as data:image/png;base64,...");
  if (data.size() > kMaxDataUriBytes * 3)  // percent-encoding's worst case; base64 is checked below
    return base::fail(base::ErrorCode::too_large, "a data: URI holds at most 256 KiB; send bigger media as an upload");
  if (base64) {
    KINORA_TRY(const base::Bytes bytes, base::from_base64(data));
    uri.bytes = base::as_text(bytes);
  } else {
    KINORA_TRY(uri.bytes, net::percent_decode(data));
  }
  if (uri.bytes.size() > kMaxDataUriBytes)
    return base::fail(base::ErrorCode::too_large, "a data: URI holds at most 256 KiB; send bigger media as an upload");
  return uri;
}

}  // namespace kinora::gateway
