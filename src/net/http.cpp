#include "net/http.hpp"

#include <algorithm>

namespace kinora::net {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lowered(std::string_view name) {
  std::string out(name);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

bool same_name(std::string_view kept, std::string_view asked) {
  return std::ranges::equal(kept, asked, [](char a, char b) { return a == lower(b); });
}

}  // namespace

Headers::Headers(std::initializer_list<Field> fields) {
  for (const auto& [name, value] : fields) add(name, value);
}

void Headers::add(std::string_view name, std::string value) { fields_.emplace_back(lowered(name), std::move(value)); }

Headers Headers::with(std::string_view name, std::string value) && {
  add(name, std::move(value));
  return std::move(*this);
}

void Headers::set(std::string_view name, std::string value) {
  erase(name);
  add(name, std::move(value));
}

void Headers::erase(std::string_view name) {
  std::erase_if(fields_, [&](const Field& field) { return same_name(field.first, name); });
}

std::optional<std::string_view> Headers::get(std::string_view name) const {
  for (const auto& [kept, value] : fields_)
    if (same_name(kept, name)) return value;
  return std::nullopt;
}

std::vector<std::string_view> Headers::all(std::string_view name) const {
  std::vector<std::string_view> out;
  for (const auto& [kept, value] : fields_)
    if (same_name(kept, name)) out.push_back(value);
  return out;
}

Task<base::Result<std::string>> BodyReader::read_all(std::size_t max_bytes) {
  std::string all;
  for (;;) {
    KINORA_CO_TRY(std::string piece, co_await read());
    if (piece.empty()) co_return all;
    if (piece.size() > max_bytes - all.size()) {
      co_return base::fail(base::ErrorCode::too_large, "the body is larger than " + std::to_string(max_bytes) + " bytes");
    }
    if (all.empty()) {
      all = std::move(piece);
    } else {
      all += piece;
    }
  }
}

std::string_view Request::param(std::string_view name) const {
  for (const auto& [key, value] : params)
    if (key == name) return value;
  return {};
}

Task<base::Status> Response::send(int status, Headers headers, std::string body) {
  headers.set("content-length", std::to_string(body.size()));
  KINORA_CO_OK(co_await start(status, std::move(headers)));
  if (!body.empty()) KINORA_CO_OK(co_await write(std::move(body)));
  co_return co_await finish();
}

Task<base::Status> Response::upgrade(std::string protocol, Headers) {
  co_return base::fail(base::ErrorCode::unsupported, "this connection cannot change to " + protocol);
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100: return "Continue";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 402: return "Payment Required";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Content";
    case 426: return "Upgrade Required";
    case 428: return "Precondition Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    case 507: return "Insufficient Storage";
    default: return "Status";
  }
}

}  // namespace kinora::net
