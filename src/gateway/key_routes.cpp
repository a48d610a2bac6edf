#include "gateway/key_routes.hpp"

#include <algorithm>

#include "base/nearest.hpp"
#include "base/time.hpp"

namespace kinora::gateway {
namespace {

constexpr std::size_t kMaxNameBytes = 200;

std::vector<std::string> read_strings(base::ObjectReader& in, std::string_view key, std::size_t max_bytes) {
  std::vector<std::string> items;
  const json::array* array = in.array(key, kMaxKeyListItems);
  if (array == nullptr) return items;
  for (const auto& item : *array) {
    if (item.is_string() && !item.as_string().empty() && item.as_string().size() <= max_bytes)
      items.emplace_back(item.as_string());
    else
      in.error(key, "invalid_field", "must hold non-empty strings of at most " + std::to_string(max_bytes) + " bytes");
  }
  return items;
}

Created created(const CreatedKey& made) {
  json::object body = to_json(made.record);
  Created out;
  out.stored_body = json::serialize(body);  // a replay cannot show the secret: only its hash is kept
  body["key"] = made.secret;
  out.reply = Reply::of(201, body, {{"location", "/v1/keys/" + made.record.id}});
  return out;
}

Task<Answer> create(Call& call, KeyStore& keys, const Services& services) {
  auto body = co_await call.read_json();
  if (!body) co_return tl::unexpected(std::move(body).error());
  base::FieldErrors errors;
  KeyRecord record = read_key_body(*body, services.clock(), errors);
  if (!errors.empty()) co_return refuse(std::move(errors));
  for (const auto& scope : record.scopes)
    if (!covers(call.caller.scopes, scope))
      co_return refuse("scope_missing", "a key can give away only scopes that it holds; it lacks " + scope);
  record.project = call.caller.project;
  const auto make = [&]() -> Task<tl::expected<Created, Problem>> {
    auto made = co_await keys.create(record, services.clock());
    if (made) co_return created(*made);
    if (made.error().code == base::ErrorCode::too_large) co_return refuse("forbidden", made.error().message);
    co_return jobs::refuse(made.error());
  };
  co_return co_await services.once.run(call, *body, make);
}

Answer list(Call& call, const KeyStore& keys) {
  base::FieldErrors errors;
  QueryReader query(call.request.query, errors);
  const auto limit = static_cast<std::size_t>(query.integer("limit", 1, 100).value_or(20));
  const auto after = query.text("after").value_or("");
  query.finish();
  if (!errors.empty()) return refuse(std::move(errors));
  auto all = keys.list(call.caller.project);
  std::erase_if(all, [&](const KeyRecord* record) { return record->id <= after; });
  const bool more = all.size() > limit;
  if (more) all.resize(limit);
  json::array data;
  for (const auto* record : all) data.push_back(to_json(*record));
  const auto edge = [&](bool first) -> json::value {
    return all.empty() ? json::value() : json::value(first ? all.front()->id : all.back()->id);
  };
  return Reply::of(200, json::object{{"object", "list"},
                                     {"data", std::move(data)},
                                     {"has_more", more},
                                     {"first_id", edge(true)},
                                     {"last_id", edge(false)},
                                     {"next_cursor", more ? edge(false) : json::value()}});
}

}  // namespace

json::object to_json(const KeyRecord& record) {
  return {{"id", record.id},
          {"object", "key"},
          {"name", record.name},
          {"prefix", std::string(kKeyPrefix) + record.public_part},
          {"scopes", json::value_from(record.scopes)},
          {"models", json::value_from(record.models)},
          {"tasks", json::value_from(record.tasks)},
          {"ips", json::value_from(record.ips)},
          {"api_version", record.api_version},
          {"created_at", base::to_rfc3339(record.created)},
          {"expires_at", record.expires ? json::value(base::to_rfc3339(*record.expires)) : json::value()}};
}

KeyRecord read_key_body(const json::value& body, base::UnixMillis now, base::FieldErrors& errors) {
  base::ObjectReader in(body, "", errors);
  KeyRecord record;
  record.name = in.required_string("name", kMaxNameBytes);
  record.scopes = read_strings(in, "scopes", 64);
  if (body.is_object() && !body.as_object().contains("scopes")) in.error("scopes", "missing_field", "is required");
  std::vector<std::string> known;
  for (const auto scope : all_scopes()) known.emplace_back(scope);
  for (std::size_t i = 0; i < record.scopes.size(); ++i) {
    if (is_scope(record.scopes[i])) continue;
    const auto near = base::nearest(record.scopes[i], known);
    errors.push_back({in.pointer("scopes") + "/" + std::to_string(i), "invalid_field",
                      "is no scope" + (near ? "; did you mean " + *near + "?" : std::string())});
  }
  record.models = read_strings(in, "models", 200);
  record.tasks = read_strings(in, "tasks", 200);
  record.ips = read_strings(in, "ips", 45);
  record.api_version = in.string("api_version", 32).value_or(std::string(kApiVersion));
  if (record.api_version != kApiVersion) in.error("api_version", "invalid_field", "this node speaks " + std::string(kApiVersion));
  if (const auto text = in.string("expires_at", 64)) {
    const auto time = base::from_rfc3339(*text);
    if (!time)
      in.error("expires_at", "invalid_field", time.error().message);
    else if (*time <= now)
      in.error("expires_at", "too_low", "lies in the past");
    else
      record.expires = *time;
  }
  for (const std::string_view later : {"origins", "budget", "rate"})
    if (in.member(later) != nullptr) in.error(later, "not_allowed", "is not offered by this node");
  in.finish();
  return record;
}

void add_key_routes(Surface& surface, KeyStore& keys, SharedServices services) {
  surface.add("POST", "/v1/keys", "keys:admin", [&keys, services](Call& call) { return create(call, keys, *services); });
  surface.add("GET", "/v1/keys", "keys:admin", [&keys](Call& call) -> Task<Answer> { co_return list(call, keys); });
  surface.add("GET", "/v1/keys/{id}", "keys:admin", [&keys](Call& call) -> Task<Answer> {
    const auto* record = keys.find(call.caller.project, call.request.param("id"));
    if (record == nullptr) co_return refuse("not_found", "no such key");
    co_return Reply::of(200, to_json(*record));
  });
  surface.add("DELETE", "/v1/keys/{id}", "keys:admin", [&keys](Call& call) -> Task<Answer> {
    const auto done = co_await keys.remove(call.caller.project, std::string(call.request.param("id")));
    if (!done) co_return refuse("not_found", "no such key");
    co_return Reply::empty(204);
  });
}

}  // namespace kinora::gateway
