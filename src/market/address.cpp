#include "market/address.hpp"

#include "net/tls.hpp"
#include "net/url.hpp"

namespace kinora::market {

base::Result<OrchestratorAddress> parse_address(std::string_view text) {
  OrchestratorAddress address;
  const auto hash = text.find('#');
  if (hash != std::string_view::npos) address.pin = text.substr(hash + 1);
  KINORA_TRY(const auto url, net::parse_url(text.substr(0, hash)));
  if (url.target != "/") return base::fail(base::ErrorCode::invalid, "an orchestrator's address has no path or query");
  if (hash != std::string_view::npos && (!url.tls() || !net::is_pin(address.pin))) {
    return base::fail(base::ErrorCode::invalid, "after '#' an https address may name its key as sha256/<base64>");
  }
  address.url = url.scheme + "://" + url.authority();
  return address;
}

}  // namespace kinora::market
