#pragma once
// The keys table: created, listed, revoked and looked up. All keys are also held in memory (at most kMaxKeys), so that a request
// is authenticated without touching the disk; the table is written first, memory follows.
//
// Threading: one executor. Errors: unauthenticated (no such key), too_large (kMaxKeys), and what the database says.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ulid.hpp"
#include "gateway/api_key.hpp"
#include "store/database.hpp"

namespace kinora::gateway {

inline constexpr std::size_t kMaxKeys = 10'000;

struct KeyRecord {
  std::string id;  // key_<ULID>
  std::string project;
  std::string name;
  std::string public_part;
  std::string sha256;
  std::vector<std::string> scopes;
  std::vector<std::string> models;  // empty: all
  std::vector<std::string> tasks;   // empty: all
  std::vector<std::string> ips;     // empty: from anywhere
  std::string api_version;          // of answers to requests that name none
  base::UnixMillis created{};
  std::optional<base::UnixMillis> expires;
};

struct CreatedKey {
  KeyRecord record;
  std::string secret;  // shown once
};

class KeyStore {
 public:
  KeyStore(store::Database& database, base::UlidSource& ids) : database_(database), ids_(ids) {}
  // Brings the table up to date and reads it. Blocks; call at start.
  static base::Status migrate(store::Database& database);
  store::Task<base::Status> load();

  // `record`: name, project, scopes, limits; the rest is filled in.
  store::Task<base::Result<CreatedKey>> create(KeyRecord record, base::UnixMillis now);
  // The caller behind the text of a key. unauthenticated with the same words whatever is wrong; timeout: the key has expired;
  // forbidden: not from this address.
  base::Result<KeyRecord> authenticate(std::string_view text, std::string_view address, base::UnixMillis now) const;
  store::Task<base::Status> remove(std::string project, std::string id);
  const KeyRecord* find(std::string_view project, std::string_view id) const;
  // By id, ascending.
  std::vector<const KeyRecord*> list(std::string_view project) const;
  bool empty() const { return by_public_.empty(); }

 private:
  store::Database& database_;
  base::UlidSource& ids_;
  std::map<std::string, KeyRecord, std::less<>> by_public_;
};

}  // namespace kinora::gateway
