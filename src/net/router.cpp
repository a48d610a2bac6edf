#include "net/router.hpp"

#include <algorithm>
#include <set>

#include "net/request_target.hpp"

namespace kinora::net {
namespace {

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> out;
  while (!path.empty()) {
    if (path.front() == '/') {
      path.remove_prefix(1);
      continue;
    }
    const auto end = path.find('/');
    out.push_back(path.substr(0, end));
    path.remove_prefix(end == std::string_view::npos ? path.size() : end);
  }
  return out;
}

bool is_parameter(std::string_view segment) { return segment.starts_with('{') && segment.ends_with('}'); }
bool is_rest(std::string_view segment) { return is_parameter(segment) && segment.ends_with("...}"); }

using Params = std::vector<std::pair<std::string, std::string>>;

bool match(const std::vector<std::string>& pattern, const std::vector<std::string_view>& path, std::string_view whole, Params& params) {
  params.clear();
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const std::string_view segment = pattern[i];
    if (is_rest(segment) && i + 1 < pattern.size()) {
      // What stands behind it fits the end of the path; the parameter is all before, its slashes included.
      const auto behind = pattern.size() - i - 1;
      if (path.size() < i + 1 + behind) return false;
      const auto last = path.size() - behind;
      if (!std::equal(path.begin() + static_cast<std::ptrdiff_t>(last), path.end(), pattern.begin() + static_cast<std::ptrdiff_t>(i + 1)))
        return false;
      const auto from = static_cast<std::size_t>(path[i].data() - whole.data());
      const auto to = static_cast<std::size_t>(path[last - 1].data() - whole.data()) + path[last - 1].size();
      params.emplace_back(segment.substr(1, segment.size() - 5), whole.substr(from, to - from));
      return true;
    }
    if (is_rest(segment)) {
      const auto rest = i < path.size() ? whole.substr(static_cast<std::size_t>(path[i].data() - whole.data())) : std::string_view();
      params.emplace_back(segment.substr(1, segment.size() - 5), rest);
      return true;
    }
    if (i >= path.size()) return false;
    if (is_parameter(segment)) {
      params.emplace_back(segment.substr(1, segment.size() - 2), path[i]);
    } else if (segment != path[i]) {
      return false;
    }
  }
  return pattern.size() == path.size();
}

}  // namespace

void Router::add(std::string method, std::string pattern, Handler handler) {
  const auto parts = split(pattern);
  routes_.push_back({std::move(method), {parts.begin(), parts.end()}, std::move(handler)});
}

void Router::on_refusal(Refusal refusal) { refusal_ = std::move(refusal); }

Task<void> Router::route(Request& request, Response& response) const {
  const auto path = split(request.path);
  std::set<std::string> allowed;  // methods of routes that match
  const Route* found = nullptr;
  Params params;
  for (const Route& route : routes_) {
    Params these;
    if (request.path.empty() || !match(route.segments, path, request.path, these)) continue;
    allowed.insert(route.method);
    const bool exact = route.method == request.method;
    if (exact || (request.method == "HEAD" && route.method == "GET" && !found)) {
      found = &route;
      params = std::move(these);
    }
    if (exact) break;
  }
  if (found) {
    request.params = std::move(params);
    co_await found->handler(request, response);
    co_return;
  }
  const int status = request.path.empty() ? 400 : allowed.empty() ? 404 : 405;
  if (allowed.contains("GET")) allowed.insert("HEAD");
  std::string allow;
  for (const auto& method : allowed) allow += (allow.empty() ? "" : ", ") + method;
  if (refusal_) {
    if (status == 405) request.params = {{"allow", allow}};
    co_await refusal_(request, response, status);
    co_return;
  }
  Headers headers{{"content-type", "text/plain"}};
  if (status == 405) headers.add("allow", allow);
  (void)co_await response.send(status, std::move(headers),
                               (status == 400 ? std::string(request.param(kMalformed)) : std::string(reason_phrase(status))) + "\n");
}

}  // namespace kinora::net
