// Webhook endpoints: whatever a client sends as a body or a receiver as Retry-After is refused or read; what passes as a public target is
// https and no private address.
#include <cstdlib>

#include "gateway/webhook_endpoint.hpp"
#include "gateway/webhook_schedule.hpp"
#include "net/url.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (gateway::check_webhook_url(text, net::Reach::public_only)) {
    const auto url = net::parse_url(text);
    if (!url || !url->tls()) std::abort();
    boost::system::error_code no_literal;
    const auto address = boost::asio::ip::make_address(url->host, no_literal);
    if (!no_literal && !net::is_public(address)) std::abort();
  }
  if (const auto wait = gateway::parse_retry_after(text, base::UnixMillis{}); wait && (wait->count() < 0 || wait->count() > 86'400))
    std::abort();
  if (const auto body = base::parse_json(text)) {
    gateway::WebhookEndpoint endpoint;
    base::FieldErrors errors;
    gateway::read_webhook_body(*body, true, net::Reach::public_only, endpoint, errors);
    if (errors.empty() && !gateway::check_webhook_url(endpoint.url, net::Reach::public_only)) std::abort();
  }
  return 0;
}
