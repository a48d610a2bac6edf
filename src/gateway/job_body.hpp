#pragma once
// What the gateway does to the body of POST /v1/jobs before the engine sees it: the key's own limits, media given inline as
// data: URIs becomes artifacts, and how long the caller wants to wait. Pure.
#include <chrono>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "gateway/api_key.hpp"
#include "jobs/engine.hpp"
#include "jobs/outcome.hpp"

namespace kinora::gateway {

namespace json = base::json;

// Puts {"artifact": id} in the place of a media value given inline; `pointer` as jobs::parse_submission() gave it.
void replace_media(json::value& body, std::string_view pointer, const std::string& artifact);

// Task and model of a body that asks for one model by its name; else two empty texts.
std::pair<std::string, std::string> named_model(const json::value& body);

// model_not_allowed, forbidden: the key is limited to other models or tasks.
jobs::Outcome<void> check_key_limits(const json::value& body, const Caller& caller);

inline constexpr std::chrono::seconds kMaxWait{60};
// `wait_s` of the body, or `Prefer: wait=n` (RFC 7240); 0 when absent or malformed (the engine refuses a wrong wait_s).
std::chrono::seconds wanted_wait(const json::value& body, std::optional<std::string_view> prefer);

// The body of PATCH /v1/jobs/{id}: tags, metadata, priority. An empty one, and what is wrong, is added to `errors`.
jobs::JobPatch read_job_patch(const json::value& body, base::FieldErrors& errors);
// The version that an entity tag of a job names: "\"7\"" -> 7.
std::optional<std::int64_t> version_of_etag(std::string_view etag);

}  // namespace kinora::gateway
