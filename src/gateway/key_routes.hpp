#pragma once
// POST/GET /v1/keys, GET/DELETE /v1/keys/{id} (developer-api 5.10). The secret is in the answer to POST only.
// Not offered yet, and refused instead of ignored: origins, budget, rate.
#include "gateway/services.hpp"

namespace kinora::gateway {

inline constexpr std::size_t kMaxKeyListItems = 100;  // of models, tasks, ips

void add_key_routes(Surface& surface, KeyStore& keys, SharedServices services);

// The public description of a key, without its secret.
json::object to_json(const KeyRecord& record);
// Reads the body of POST /v1/keys; what is wrong is added to `errors`.
KeyRecord read_key_body(const json::value& body, base::UnixMillis now, base::FieldErrors& errors);

}  // namespace kinora::gateway
