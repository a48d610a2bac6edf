#pragma once
// What tus knows of an upload beside its row in `uploads`. Inside a write or read of the database.
#include <optional>
#include <string>
#include <vector>

#include "store/database.hpp"

namespace kinora::gateway {

struct TusUpload {
  std::string upload;    // upl_...
  std::string metadata;  // Upload-Metadata as sent
  std::string concat;    // Upload-Concat as shown: "", "partial", "final;/.. /.."
  bool partial() const { return concat == "partial"; }
  bool final() const { return concat.starts_with("final"); }
};

base::Status migrate_tus(store::Database& database);
base::Status insert_tus(store::Connection& connection, const TusUpload& upload);
base::Result<TusUpload> find_tus(store::Connection& connection, std::string_view upload);  // not_found

}  // namespace kinora::gateway
