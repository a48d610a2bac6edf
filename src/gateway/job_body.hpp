#pragma once
// What the gateway does to the body of POST /v1/jobs before the engine sees it: the key's own limits, media given inline as
// data: URIs, and how long the caller wants to wait. Pure.
#include <chrono>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "gateway/api_key.hpp"
#include "gateway/content_headers.hpp"
#include "jobs/outcome.hpp"

namespace kinora::gateway {

namespace json = base::json;

// A data: URI that stands in a media slot.
struct InlineMedia {
  std::string slot;
  std::optional<std::size_t> index;  // in a slot that takes many
  DataUri data;
};

// The media slots of the named task that hold data: URIs; what is wrong with one is added to `errors` with its pointer.
std::vector<InlineMedia> find_inline_media(const json::value& body, base::FieldErrors& errors);
// Puts {"artifact": id} in its place.
void replace_inline_media(json::value& body, const InlineMedia& media, const std::string& artifact);

// model_not_allowed, forbidden: the key is limited to other models or tasks.
jobs::Outcome<void> check_key_limits(const json::value& body, const Caller& caller);

inline constexpr std::chrono::seconds kMaxWait{60};
// `wait_s` of the body, or `Prefer: wait=n` (RFC 7240); 0 when absent or malformed (the engine refuses a wrong wait_s).
std::chrono::seconds wanted_wait(const json::value& body, std::optional<std::string_view> prefer);

}  // namespace kinora::gateway
