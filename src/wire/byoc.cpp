#include "wire/byoc.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.hpp"
#include "base/json.hpp"
#include "net/tls.hpp"
#include "net/url.hpp"

namespace kinora::wire {
namespace {

namespace json = base::json;
using base::ErrorCode;
using base::fail;

constexpr base::JsonLimits kHeaderJson{.bytes = kMaxJobHeaderBytes, .depth = 8};
constexpr std::size_t kAddressBytes = 20;

base::Status first_error(const base::FieldErrors& errors) {
  if (errors.empty()) return {};
  return fail(ErrorCode::invalid, errors.front().pointer + ": " + errors.front().detail);
}

// Absent, null and "" are the same in the reference's JSON.
std::string text(base::ObjectReader& in, std::string_view key, std::size_t max_bytes) { return in.string(key, max_bytes).value_or(""); }

bool is_signature(std::string_view sig) {
  if (sig.empty() || sig == "0x") return true;
  const auto bytes = base::from_hex(sig);
  return bytes && bytes->size() <= kMaxSignatureBytes;
}

bool is_address(std::string_view address) {
  const auto bytes = base::from_hex(address);
  return address.starts_with("0x") && bytes && bytes->size() == kAddressBytes;
}

base::Result<json::value> parse_base64_json(std::string_view header, std::size_t max_bytes) {
  if (header.size() > max_bytes) return fail(ErrorCode::too_large, "header too large");
  KINORA_TRY(const auto bytes, base::from_base64(header));
  return base::parse_json(base::as_text(bytes), kHeaderJson);
}

base::Status check_url(Registration& registration) {
  while (registration.url.ends_with('/')) registration.url.pop_back();
  const auto url = net::parse_url(registration.url);
  if (!url) return fail(ErrorCode::invalid, "/url: " + url.error().message);
  if (url->target.find_first_of("?#") != std::string::npos) return fail(ErrorCode::invalid, "/url: has a query");
  if (!registration.tls_pin.empty() && (!url->tls() || !net::is_pin(registration.tls_pin))) {
    return fail(ErrorCode::invalid, "/tls_pin: must be sha256/<base64> and needs an https url");
  }
  return {};
}

}  // namespace

bool is_capability_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxCapabilityNameBytes &&
         std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f && c != '"' && c != '\\'; });
}

bool is_weights_digest(std::string_view text) {
  constexpr std::string_view kPrefix = "sha256:";
  return text.size() == kPrefix.size() + 64 && text.starts_with(kPrefix) &&
         text.find_first_not_of("0123456789abcdef", kPrefix.size()) == std::string_view::npos;
}

base::Result<Registration> parse_registration(std::string_view body) {
  KINORA_TRY(const auto value, base::parse_json(body, {.bytes = kMaxRegistrationText, .depth = 8}));
  base::FieldErrors errors;
  base::ObjectReader in(value, "", errors);
  Registration registration;
  registration.name = in.required_string("name", kMaxCapabilityNameBytes);
  registration.description = text(in, "description", kMaxDescriptionBytes);
  registration.url = in.required_string("url", kMaxUrlBytes);
  registration.capacity = in.integer("capacity", 0, kMaxWorkerCapacity).value_or(1);
  registration.price.wei = in.integer("price_per_unit", 0, INT64_MAX).value_or(0);
  registration.price.units = std::max<std::int64_t>(1, in.integer("price_scaling", 0, INT64_MAX).value_or(1));
  const std::string currency = text(in, "currency", 16);
  registration.token = text(in, "token", kMaxTokenBytes);
  registration.tls_pin = text(in, "tls_pin", 128);
  registration.warm = in.boolean("warm").value_or(false);
  registration.group = text(in, "group", kMaxCapabilityNameBytes);
  registration.ttl_s = in.integer("ttl_s", 1, kMaxTtlSeconds).value_or(0);
  registration.weights = text(in, "weights", 128);
  registration.unusable = text(in, "unusable", kMaxUnusableBytes);
  KINORA_OK(first_error(errors));
  if (!registration.weights.empty() && !is_weights_digest(registration.weights))
    return fail(ErrorCode::invalid, "/weights: must be sha256: and 64 hex digits");
  if (!is_capability_name(registration.name)) return fail(ErrorCode::invalid, "/name: 1 to 256 printable characters without spaces");
  if (!currency.empty() && currency != "wei") return fail(ErrorCode::invalid, "/currency: only wei is supported");
  if (!std::all_of(registration.token.begin(), registration.token.end(), [](char c) { return c >= ' ' && c < 0x7f; })) {
    return fail(ErrorCode::invalid, "/token: has characters that a header cannot carry");
  }
  KINORA_OK(check_url(registration));
  return registration;
}

std::string format_registration(const Registration& registration) {
  json::object object{{"name", registration.name},
                      {"description", registration.description},
                      {"url", registration.url},
                      {"capacity", registration.capacity},
                      {"price_per_unit", registration.price.wei},
                      {"price_scaling", registration.price.units},
                      {"currency", "wei"},
                      {"token", registration.token}};
  if (!registration.tls_pin.empty()) object["tls_pin"] = registration.tls_pin;
  if (registration.warm) object["warm"] = true;
  if (!registration.group.empty()) object["group"] = registration.group;
  if (registration.ttl_s > 0) object["ttl_s"] = registration.ttl_s;
  if (!registration.weights.empty()) object["weights"] = registration.weights;
  if (!registration.unusable.empty()) object["unusable"] = registration.unusable;
  return json::serialize(object);
}

base::Result<Unregistration> parse_unregistration(std::string_view body) {
  Unregistration parsed;
  if (body.starts_with('{')) {
    KINORA_TRY(const auto value, base::parse_json(body, {.bytes = kMaxRegistrationText, .depth = 4}));
    base::FieldErrors errors;
    base::ObjectReader in(value, "", errors);
    parsed.name = in.required_string("name", kMaxCapabilityNameBytes);
    parsed.url = in.required_string("url", kMaxUrlBytes);
    KINORA_OK(first_error(errors));
    while (parsed.url.ends_with('/')) parsed.url.pop_back();
  } else {
    parsed.name = body;
  }
  if (!is_capability_name(parsed.name)) return fail(ErrorCode::invalid, "invalid capability name");
  return parsed;
}

base::Result<JobHeader> parse_job_header(std::string_view header) {
  KINORA_TRY(const auto value, parse_base64_json(header, kMaxJobHeaderBytes));
  base::FieldErrors errors;
  base::ObjectReader in(value, "", errors);
  JobHeader job;
  job.id = text(in, "id", kMaxCapabilityNameBytes);
  job.request = text(in, "request", kMaxJobHeaderBytes);
  job.parameters = text(in, "parameters", kMaxJobHeaderBytes);
  job.capability = in.required_string("capability", kMaxCapabilityNameBytes);
  job.sender = text(in, "sender", 64);
  job.sig = text(in, "sig", 256);
  job.timeout_s = in.integer("timeout_seconds", 1, kMaxJobSeconds).value_or(0);
  KINORA_OK(first_error(errors));
  if (job.timeout_s == 0) return fail(ErrorCode::invalid, "timeout_seconds must be at least 1");
  if (!is_capability_name(job.capability)) return fail(ErrorCode::invalid, "/capability: no valid name");
  if (!job.sender.empty() && !is_address(job.sender)) return fail(ErrorCode::invalid, "/sender: no address");
  if (!is_signature(job.sig)) return fail(ErrorCode::invalid, "/sig: no signature");
  return job;
}

std::string format_job_header(const JobHeader& job) {
  // The two search times are the reference's defaults in nanoseconds; nobody reads them on this side of the token search.
  const json::object object{{"id", job.id},
                            {"request", job.request},
                            {"parameters", job.parameters},
                            {"capability", job.capability},
                            {"capability_url", ""},
                            {"sender", job.sender},
                            {"sig", job.sig},
                            {"timeout_seconds", job.timeout_s},
                            {"OrchSearchTimeout", 1'000'000'000},
                            {"OrchSearchRespTimeout", 500'000'000}};
  return base::to_base64(base::as_bytes(json::serialize(object)));
}

base::Result<AddressHeader> parse_address_header(std::string_view header) {
  KINORA_TRY(const auto value, parse_base64_json(header, kMaxAddressHeaderBytes));
  base::FieldErrors errors;
  base::ObjectReader in(value, "", errors);
  AddressHeader parsed{.address = in.required_string("addr", 64), .sig = text(in, "sig", 256)};
  KINORA_OK(first_error(errors));
  if (!is_address(parsed.address)) return fail(ErrorCode::invalid, "/addr: no address");
  if (!is_signature(parsed.sig)) return fail(ErrorCode::invalid, "/sig: no signature");
  return parsed;
}

std::string format_job_token(const JobToken& token) {
  // Zero members are left out where the reference leaves them out; "LastNonce" is always there.
  json::object price;
  if (token.price.wei != 0) price["pricePerUnit"] = token.price.wei;
  price["pixelsPerUnit"] = token.price.units;
  const json::object object{{"sender_address", {{"addr", token.sender.address}, {"sig", token.sender.sig}}},
                            {"price", price},
                            {"service_addr", token.service_url},
                            {"available_capacity", token.available_capacity},
                            {"LastNonce", 0}};
  return json::serialize(object) + "\n";
}

}  // namespace kinora::wire
