#include "gateway/tus_rows.hpp"

namespace kinora::gateway {
namespace {

constexpr std::string_view kSteps[] = {
    "CREATE TABLE tus_uploads(upload TEXT PRIMARY KEY, metadata TEXT NOT NULL, concat TEXT NOT NULL) STRICT, WITHOUT ROWID;"};

}  // namespace

base::Status migrate_tus(store::Database& database) { return database.migrate("tus", kSteps); }

base::Status insert_tus(store::Connection& connection, const TusUpload& upload) {
  KINORA_TRY(const auto added, connection.run("INSERT INTO tus_uploads VALUES(?, ?, ?)", upload.upload, upload.metadata, upload.concat));
  static_cast<void>(added);
  return {};
}

base::Result<TusUpload> find_tus(store::Connection& connection, std::string_view upload) {
  KINORA_TRY(auto row, connection.query("SELECT upload, metadata, concat FROM tus_uploads WHERE upload = ?", upload));
  KINORA_TRY(const bool there, row.step());
  if (!there) return base::fail(base::ErrorCode::not_found, "no tus upload of that id");
  return TusUpload{std::string(row.text(0)), std::string(row.text(1)), std::string(row.text(2))};
}

}  // namespace kinora::gateway
