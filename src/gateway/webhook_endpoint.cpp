#include "gateway/webhook_endpoint.hpp"

#include <algorithm>

#include "base/time.hpp"
#include "gateway/call.hpp"
#include "jobs/subject_hook.hpp"
#include "net/http1_head.hpp"

namespace kinora::gateway {
namespace {

// Ours, or the connection's.
constexpr std::string_view kOwnHeaders[] = {"host",       "content-length", "content-type", "transfer-encoding",
                                            "connection", "keep-alive",     "te",           "trailer",
                                            "upgrade",    "expect",         "user-agent",   "traceparent"};

void read_headers(base::ObjectReader& in, WebhookEndpoint& endpoint) {
  const json::object* headers = in.object("headers");
  if (headers == nullptr) return;
  endpoint.headers.clear();
  if (headers->size() > kMaxWebhookHeaders)
    in.error("headers", "too_high", "at most " + std::to_string(kMaxWebhookHeaders) + " header fields");
  for (const auto& member : *headers) {
    net::Headers lower;
    lower.add(member.key(), "");  // lower case
    const std::string name = lower.begin()->first;
    const bool own = name.starts_with("webhook-") || std::ranges::find(kOwnHeaders, name) != std::end(kOwnHeaders);
    const bool usable = net::is_field_name(name) && member.value().is_string() && net::is_field_value(member.value().get_string()) &&
                        name.size() + member.value().get_string().size() <= kMaxWebhookHeaderBytes;
    if (own || !usable)
      in.error("headers", own ? "not_allowed" : "invalid_field",
               std::string(member.key()) + (own ? " is set by the gateway" : " is no header field with a text of at most 1 KiB"));
    else
      endpoint.headers.emplace_back(name, member.value().get_string());
  }
}

void read_algorithms(base::ObjectReader& in, WebhookEndpoint& endpoint) {
  const json::array* algorithms = in.array("algorithms", 2);
  if (algorithms == nullptr) return;
  const auto has = [&](std::string_view name) {
    return std::ranges::any_of(*algorithms, [&](const json::value& item) { return item.is_string() && item.get_string() == name; });
  };
  if (!has("v1") || (algorithms->size() == 2 && !has("v1a"))) in.error("algorithms", "not_allowed", R"(must be ["v1"] or ["v1", "v1a"])");
  endpoint.v1a = has("v1a");
}

json::value time_or_null(const std::optional<base::UnixMillis>& time) {
  return time ? json::value(base::to_rfc3339(*time)) : json::value();
}

}  // namespace

json::object to_json(const WebhookEndpoint& endpoint) {
  json::array algorithms{"v1"};
  if (endpoint.v1a) algorithms.emplace_back("v1a");
  json::object headers;
  for (const auto& [name, value] : endpoint.headers) headers[name] = value;
  const std::string_view status = !endpoint.enabled ? "disabled" : endpoint.failure_since ? "failing" : "enabled";
  return {{"id", endpoint.id},
          {"object", "webhook"},
          {"version", endpoint.version},
          {"url", endpoint.url},
          {"events", json::value_from(endpoint.events)},
          {"detailed", endpoint.detailed},
          {"ordered", endpoint.ordered},
          {"algorithms", std::move(algorithms)},
          {"headers", std::move(headers)},
          {"status", status},
          {"disabled_reason", endpoint.enabled ? json::value() : json::value(endpoint.disabled_reason)},
          {"api_version", kApiVersion},
          {"created_at", base::to_rfc3339(endpoint.created_at)},
          {"last_success_at", time_or_null(endpoint.last_success_at)},
          {"failure_since", time_or_null(endpoint.failure_since)}};
}

base::Status check_webhook_url(std::string_view url, net::Reach reach) {
  if (url.size() > jobs::kMaxHookUrlBytes) return base::fail(base::ErrorCode::invalid, "is longer than 2048 bytes");
  return net::check_reach(url, reach);
}

void read_webhook_body(const json::value& body, bool create, net::Reach reach, WebhookEndpoint& endpoint, base::FieldErrors& errors) {
  base::ObjectReader in(body, "", errors);
  const auto url = create ? std::optional(in.required_string("url", jobs::kMaxHookUrlBytes)) : in.string("url", jobs::kMaxHookUrlBytes);
  if (url && !url->empty()) {
    if (const auto ok = check_webhook_url(*url, reach); !ok) in.error("url", "not_allowed", ok.error().message);
    endpoint.url = *url;
  }
  if (in.member("events") != nullptr) endpoint.events = jobs::read_event_patterns(in, "events");
  endpoint.detailed = in.boolean("detailed").value_or(endpoint.detailed);
  endpoint.ordered = in.boolean("ordered").value_or(endpoint.ordered);
  read_algorithms(in, endpoint);
  read_headers(in, endpoint);
  if (!create) {
    const auto status = in.string("status", 16);
    if (status && *status != "enabled" && *status != "disabled") in.error("status", "not_allowed", "must be enabled or disabled");
    if (status) {
      endpoint.enabled = *status == "enabled";
      endpoint.disabled_reason = endpoint.enabled ? "" : "owner";
      if (endpoint.enabled) endpoint.failure_since.reset();
    }
  }
  in.finish();
}

}  // namespace kinora::gateway
