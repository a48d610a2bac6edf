#include "worker/settings.hpp"

#include "net/tls.hpp"
#include "net/url.hpp"

namespace kinora::worker {
using base::ErrorCode;
using base::fail;

base::Result<OrchestratorAddress> parse_orchestrator(std::string_view text) {
  OrchestratorAddress out;
  const auto hash = text.find('#');
  if (hash != std::string_view::npos) {
    out.pin = std::string(text.substr(hash + 1));
    if (!net::is_pin(*out.pin)) return fail(ErrorCode::invalid, "an orchestrator's key is written #sha256/<base64>");
    text = text.substr(0, hash);
  }
  while (text.ends_with('/')) text.remove_suffix(1);
  auto url = net::parse_url(text);
  if (!url) return fail(url.error().within("orchestrator"));
  if (url->target != "/") return fail(ErrorCode::invalid, "an orchestrator is named http(s)://host:port without a path");
  if (out.pin && !url->tls()) return fail(ErrorCode::invalid, "an orchestrator's key needs https");
  out.url = std::string(text);
  return out;
}

}  // namespace kinora::worker
