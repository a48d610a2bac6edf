#include "gateway/key_store.hpp"

#include <openssl/rand.h>

#include <algorithm>

#include "base/json.hpp"

namespace kinora::gateway {
namespace {

namespace json = base::json;

constexpr std::string_view kSteps[] = {
    R"(CREATE TABLE keys (
         id TEXT PRIMARY KEY, project TEXT NOT NULL, name TEXT NOT NULL, public_part TEXT NOT NULL UNIQUE, sha256 TEXT NOT NULL,
         scopes TEXT NOT NULL, models TEXT NOT NULL, tasks TEXT NOT NULL, ips TEXT NOT NULL, api_version TEXT NOT NULL,
         created_at INTEGER NOT NULL, expires_at INTEGER) STRICT;)",
};

std::string to_text(const std::vector<std::string>& items) { return json::serialize(json::value_from(items)); }

std::vector<std::string> to_list(std::string_view text) {
  std::vector<std::string> items;
  if (const auto value = base::parse_json(text); value && value->is_array())
    for (const auto& item : value->as_array())
      if (item.is_string()) items.emplace_back(item.as_string());
  return items;
}

std::int64_t millis(base::UnixMillis time) { return time.time_since_epoch().count(); }
base::UnixMillis at(std::int64_t value) { return base::UnixMillis{std::chrono::milliseconds{value}}; }

KeyRecord read_row(const store::Statement& row) {
  KeyRecord record;
  record.id = row.text(0);
  record.project = row.text(1);
  record.name = row.text(2);
  record.public_part = row.text(3);
  record.sha256 = row.text(4);
  record.scopes = to_list(row.text(5));
  record.models = to_list(row.text(6));
  record.tasks = to_list(row.text(7));
  record.ips = to_list(row.text(8));
  record.api_version = row.text(9);
  record.created = at(row.integer(10));
  if (const auto expires = row.optional_integer(11)) record.expires = at(*expires);
  return record;
}

}  // namespace

base::Status KeyStore::migrate(store::Database& database) { return database.migrate("gateway", kSteps); }

store::Task<base::Status> KeyStore::load() {
  KINORA_CO_TRY(const std::vector<KeyRecord> records,
                co_await database_.read([](store::Connection& db) -> base::Result<std::vector<KeyRecord>> {
                  KINORA_TRY(auto rows,
                             db.query("SELECT id, project, name, public_part, sha256, scopes, models, tasks, ips, api_version, created_at, "
                                      "expires_at FROM keys"));
                  std::vector<KeyRecord> all;
                  for (;;) {
                    KINORA_TRY(const bool more, rows.step());
                    if (!more) return all;
                    all.push_back(read_row(rows));
                  }
                }));
  by_public_.clear();
  for (const auto& record : records) by_public_.emplace(record.public_part, record);
  co_return base::Status{};
}

store::Task<base::Result<CreatedKey>> KeyStore::create(KeyRecord record, base::UnixMillis now) {
  if (by_public_.size() >= kMaxKeys)
    co_return base::fail(base::ErrorCode::too_large, "this node holds " + std::to_string(kMaxKeys) + " keys already; delete unused ones");
  std::array<std::uint8_t, kKeyRandomBytes> random{};
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1)
    co_return base::fail(base::ErrorCode::internal, "the operating system gives no random bytes");
  const ApiKeyText key = make_key(random);
  record.id = ids_.next_id("key", now);
  record.public_part = key.public_part;
  record.sha256 = key.sha256;
  record.created = now;
  std::optional<std::int64_t> expires;
  if (record.expires) expires = millis(*record.expires);
  KINORA_CO_OK(co_await database_.write([&record, expires](store::Connection& db) -> base::Status {
    const auto done = db.run("INSERT INTO keys VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", record.id, record.project, record.name,
                             record.public_part, record.sha256, to_text(record.scopes), to_text(record.models), to_text(record.tasks),
                             to_text(record.ips), record.api_version, millis(record.created), expires);
    if (!done) return base::fail(done.error());
    return {};
  }));
  by_public_.emplace(record.public_part, record);
  co_return CreatedKey{std::move(record), key.text};
}

base::Result<KeyRecord> KeyStore::authenticate(std::string_view text, std::string_view address, base::UnixMillis now) const {
  const auto wrong = [] { return base::fail(base::ErrorCode::unauthenticated, "the API key is wrong or was deleted"); };
  const auto key = parse_key(text);
  if (!key) return wrong();
  const auto found = by_public_.find(key->public_part);
  if (found == by_public_.end()) return wrong();
  const KeyRecord& record = found->second;
  if (!base::equal_secret(base::as_bytes(record.sha256), base::as_bytes(key->sha256))) return wrong();
  if (record.expires && *record.expires <= now) return base::fail(base::ErrorCode::timeout, "the API key has expired");
  if (!record.ips.empty() && std::ranges::find(record.ips, address) == record.ips.end())
    return base::fail(base::ErrorCode::forbidden, "this API key may not be used from this address");
  return record;
}

store::Task<base::Status> KeyStore::remove(std::string project, std::string id) {
  KINORA_CO_TRY(const std::int64_t removed, co_await database_.write([project, id](store::Connection& db) {
    return db.run("DELETE FROM keys WHERE id = ? AND project = ?", id, project);
  }));
  if (removed == 0) co_return base::fail(base::ErrorCode::not_found, "no key " + id);
  std::erase_if(by_public_, [&](const auto& entry) { return entry.second.id == id; });
  co_return base::Status{};
}

const KeyRecord* KeyStore::find(std::string_view project, std::string_view id) const {
  for (const auto& [part, record] : by_public_)
    if (record.id == id && record.project == project) return &record;
  return nullptr;
}

std::vector<const KeyRecord*> KeyStore::list(std::string_view project) const {
  std::vector<const KeyRecord*> all;
  for (const auto& [part, record] : by_public_)
    if (record.project == project) all.push_back(&record);
  std::ranges::sort(all, {}, &KeyRecord::id);
  return all;
}

}  // namespace kinora::gateway
