#include "net/request_target.hpp"

#include "net/url.hpp"

namespace kinora::net {

using base::ErrorCode;
using base::fail;

base::Result<Target> parse_target(std::string_view target) {
  if (target == "*") return Target{"*", ""};
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!target.starts_with(scheme)) continue;
    const auto path = target.find('/', scheme.size());
    target = path == target.npos ? "/" : target.substr(path);
    break;
  }
  if (!target.starts_with('/')) return fail(ErrorCode::invalid, "the request's target is no path");
  if (target.find('#') != target.npos) return fail(ErrorCode::invalid, "the request's target has a fragment");
  const auto question = target.find('?');
  KINORA_TRY(const std::string decoded, percent_decode(target.substr(0, question)));
  if (decoded.find('\0') != std::string::npos) return fail(ErrorCode::invalid, "the request's path holds NUL");
  Target out;
  if (question != target.npos) out.query = target.substr(question + 1);
  for (const char c : decoded)
    if (c != '/' || !out.path.ends_with('/')) out.path += c;
  for (std::size_t begin = 1; begin <= out.path.size();) {
    const auto end = std::min(out.path.find('/', begin), out.path.size());
    const auto segment = std::string_view(out.path).substr(begin, end - begin);
    if (segment == "." || segment == "..") return fail(ErrorCode::invalid, "the request's path has a dot segment");
    begin = end + 1;
  }
  return out;
}

Request make_request(const MessageHead& head, const Peer& peer) {
  auto target = parse_target(head.target);
  Request request;
  request.method = head.method;
  request.target = head.target;
  if (target) {
    request.path = std::move(target->path);
    request.query = std::move(target->query);
  } else {
    request.params.emplace_back(kMalformed, std::move(target.error().message));
  }
  request.headers = head.headers;
  request.content_length = head.content_length;
  request.peer = peer;
  request.peer.http_version = head.version;
  return request;
}

}  // namespace kinora::net
