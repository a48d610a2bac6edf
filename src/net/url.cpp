#include "net/url.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>
#include <charconv>

#include "base/bytes.hpp"

namespace kinora::net {
namespace {

using base::ErrorCode;
using base::fail;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

std::optional<std::uint64_t> decimal(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// A position in a file may have any number of digits (RFC 9110 14.1.1): one past 64 bits lies behind every content.
std::optional<std::uint64_t> saturated(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  return decimal(text).value_or(UINT64_MAX);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string Url::authority() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

base::Result<Url> parse_url(std::string_view text) {
  const auto parsed = boost::urls::parse_uri(boost::core::string_view(text.data(), text.size()));
  if (!parsed) return fail(ErrorCode::invalid, "not a URL");
  Url url;
  if (parsed->scheme_id() == boost::urls::scheme::http) {
    url.scheme = "http";
  } else if (parsed->scheme_id() == boost::urls::scheme::https) {
    url.scheme = "https";
  } else {
    return fail(ErrorCode::invalid, "the URL's scheme is neither http nor https");
  }
  if (parsed->has_userinfo()) return fail(ErrorCode::invalid, "a URL must not hold a user name or password");
  // A fragment is never sent; where it carries a key pin it must have been taken off before, so silence would lose the pin.
  if (parsed->has_fragment()) return fail(ErrorCode::invalid, "a request's URL has no fragment");
  if (parsed->host_type() == boost::urls::host_type::ipvfuture) return fail(ErrorCode::invalid, "unknown kind of IP address in the URL");
  const auto host = parsed->encoded_host_address();
  url.host.assign(host.data(), host.size());
  if (url.host.empty() || url.host.find('%') != std::string::npos) return fail(ErrorCode::invalid, "the URL's host name is not usable");
  url.port = url.tls() ? 443 : 80;
  if (parsed->has_port()) {
    const auto port = decimal({parsed->port().data(), parsed->port().size()});
    if (!port || *port == 0 || *port > 65535) return fail(ErrorCode::invalid, "the URL's port is not in 1..65535");
    url.port = static_cast<std::uint16_t>(*port);
  }
  const auto target = parsed->encoded_target();
  url.target.assign(target.data(), target.size());
  if (url.target.empty() || url.target.front() == '?') url.target.insert(0, "/");
  // Boost.URL 1.81 reads "a:89x/" as port 89 and path "x/".
  if (url.target.front() != '/') return fail(ErrorCode::invalid, "the URL's port is not a number");
  return url;
}

base::Result<std::string> resolve_url(std::string_view url, std::string_view location) {
  const auto from = boost::urls::parse_uri({url.data(), url.size()});
  const auto to = boost::urls::parse_uri_reference({location.data(), location.size()});
  boost::urls::url out;
  if (!from || !to || !boost::urls::resolve(*from, *to, out)) return fail(ErrorCode::invalid, "not a URL");
  out.remove_fragment();
  const boost::core::string_view text = out.buffer();
  return std::string(text.data(), text.size());
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (unreserved(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', digits[byte >> 4], digits[byte & 15]};
    }
  }
  return out;
}

base::Result<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) return fail(ErrorCode::invalid, "a % is not followed by two hex digits");
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

base::Result<Query> parse_query(std::string_view query) {
  Query out;
  while (!query.empty()) {
    const auto end = query.find('&');
    std::string pair(query.substr(0, end));
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (pair.empty()) continue;
    for (char& c : pair)
      if (c == '+') c = ' ';
    const auto equals = pair.find('=');
    KINORA_TRY(std::string key, percent_decode(std::string_view(pair).substr(0, equals)));
    std::string value;
    if (equals != std::string::npos) {
      KINORA_TRY(value, percent_decode(std::string_view(pair).substr(equals + 1)));
    }
    out.emplace_back(std::move(key), std::move(value));
  }
  return out;
}

std::optional<std::string> query_value(const Query& query, std::string_view key) {
  for (const auto& [name, value] : query)
    if (name == key) return value;
  return std::nullopt;
}

base::Result<std::optional<ByteRange>> parse_range(std::optional<std::string_view> header, std::uint64_t size) {
  const std::optional<ByteRange> whole;
  if (!header) return whole;
  const auto equals = header->find('=');
  if (equals == std::string_view::npos) return whole;
  const auto unit = trimmed(header->substr(0, equals));
  const auto set = trimmed(header->substr(equals + 1));
  const bool bytes = unit.size() == 5 && (unit[0] | 32) == 'b' && (unit[1] | 32) == 'y' && (unit[2] | 32) == 't' && (unit[3] | 32) == 'e' &&
                     (unit[4] | 32) == 's';
  const auto dash = set.find('-');
  if (!bytes || dash == std::string_view::npos || set.find(',') != std::string_view::npos) return whole;
  const auto first_text = set.substr(0, dash);
  const auto last_text = set.substr(dash + 1);
  const auto last = saturated(last_text);
  if (!last_text.empty() && !last) return whole;
  if (first_text.empty()) {  // the last N bytes
    if (!last) return whole;
    if (*last == 0 || size == 0) return fail(ErrorCode::invalid, "the range lies outside of the content");
    return ByteRange{*last >= size ? 0 : size - *last, size - 1};
  }
  const auto first = saturated(first_text);
  if (!first || (last && *last < *first)) return whole;
  if (*first >= size) return fail(ErrorCode::invalid, "the range lies outside of the content");
  return ByteRange{*first, last && *last < size ? *last : size - 1};
}

}  // namespace kinora::net
