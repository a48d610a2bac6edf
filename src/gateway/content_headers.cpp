#include "gateway/content_headers.hpp"

#include <fmt/format.h>

#include "net/url.hpp"

namespace kinora::gateway {
namespace {

constexpr std::size_t kMaxFilenameBytes = 200;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
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

}  // namespace kinora::gateway
