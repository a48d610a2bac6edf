#include "jobs/uploads.hpp"

#include <array>

namespace kinora::jobs {
namespace {

using store::Connection;
using store::Statement;

constexpr std::array kStatuses{UploadStatus::pending, UploadStatus::uploading, UploadStatus::processing, UploadStatus::complete,
                               UploadStatus::failed,  UploadStatus::expired,   UploadStatus::canceled};

std::int64_t millis(UnixMillis time) { return time.time_since_epoch().count(); }

base::Status done(const base::Result<std::int64_t>& changed) {
  if (!changed) return base::fail(changed.error());
  return {};
}

}  // namespace

std::string_view name(UploadStatus status) {
  switch (status) {
    case UploadStatus::pending: return "pending";
    case UploadStatus::uploading: return "uploading";
    case UploadStatus::processing: return "processing";
    case UploadStatus::complete: return "complete";
    case UploadStatus::failed: return "failed";
    case UploadStatus::expired: return "expired";
    case UploadStatus::canceled: break;
  }
  return "canceled";
}

void forget_headers(Upload& upload) {
  if (json::object* source = upload.source.if_object()) source->erase("headers");
}

base::Status insert_upload(Connection& connection, const Upload& upload) {
  const std::optional<std::string> error = upload.error.is_null() ? std::nullopt : std::optional(json::serialize(upload.error));
  return done(connection.run(
      "INSERT OR REPLACE INTO uploads(id, project, status, filename, mime, purpose, bytes, sha256, artifact, deduplicated, error, "
      "created_at, expires_at, source) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      upload.id, upload.project, name(upload.status), upload.filename, upload.mime, upload.purpose, upload.bytes, upload.sha256,
      upload.artifact, upload.deduplicated, error, millis(upload.created_at), millis(upload.expires_at),
      upload.source.is_null() ? std::nullopt : std::optional(json::serialize(upload.source))));
}

base::Result<Upload> find_upload(Connection& connection, std::string_view id) {
  KINORA_TRY(
      Statement row,
      connection.query("SELECT id, project, status, filename, mime, purpose, bytes, sha256, artifact, deduplicated, error, created_at, "
                       "expires_at, source FROM uploads WHERE id = ?",
                       id));
  KINORA_TRY(const bool there, row.step());
  if (!there) return base::fail(base::ErrorCode::not_found, "no upload of that id");
  Upload out;
  out.id = row.text(0);
  out.project = row.text(1);
  for (const UploadStatus status : kStatuses)
    if (name(status) == row.text(2)) out.status = status;
  out.filename = row.text(3);
  out.mime = row.text(4);
  out.purpose = row.text(5);
  out.bytes = row.optional_integer(6);
  out.sha256 = row.optional_text(7);
  out.artifact = row.optional_text(8);
  out.deduplicated = row.integer(9) != 0;
  if (!row.is_null(10)) out.error = json::parse(row.text(10));
  out.created_at = UnixMillis(std::chrono::milliseconds(row.integer(11)));
  out.expires_at = UnixMillis(std::chrono::milliseconds(row.integer(12)));
  if (!row.is_null(13)) out.source = json::parse(row.text(13));
  return out;
}

base::Result<Upload> find_upload(Connection& connection, std::string_view project, std::string_view id) {
  KINORA_TRY(Upload upload, find_upload(connection, id));
  if (upload.project != project) return base::fail(base::ErrorCode::not_found, "no upload of that id");
  return upload;
}

base::Status update_upload(Connection& connection, const Upload& upload) {
  KINORA_TRY(const Upload before, find_upload(connection, upload.id));
  static_cast<void>(before);
  return insert_upload(connection, upload);
}

base::Status put_upload_part(Connection& connection, std::string_view upload, const UploadPart& part) {
  if (part.number < 1 || part.number > kMaxParts) return base::fail(base::ErrorCode::invalid, "part numbers are 1 to 10000");
  KINORA_TRY(const Upload row, find_upload(connection, upload));
  if (row.status != UploadStatus::pending && row.status != UploadStatus::uploading)
    return base::fail(base::ErrorCode::conflict, "the upload is " + std::string(name(row.status)));
  KINORA_OK(done(connection.run("INSERT OR REPLACE INTO upload_parts(upload, number, sha256, bytes) VALUES(?, ?, ?, ?)", upload,
                                part.number, part.sha256, part.bytes)));
  return done(connection.run("UPDATE uploads SET status = 'uploading' WHERE id = ?", upload));
}

base::Result<std::vector<UploadPart>> list_upload_parts(Connection& connection, std::string_view upload) {
  KINORA_TRY(Statement row, connection.query("SELECT number, sha256, bytes FROM upload_parts WHERE upload = ? ORDER BY number", upload));
  std::vector<UploadPart> out;
  for (;;) {
    KINORA_TRY(const bool there, row.step());
    if (!there) return out;
    out.push_back({static_cast<int>(row.integer(0)), std::string(row.text(1)), row.integer(2)});
  }
}

base::Result<std::vector<Upload>> awaited_uploads(Connection& connection) {
  KINORA_TRY(Statement row, connection.query("SELECT id FROM uploads WHERE status = 'processing' AND source IS NOT NULL ORDER BY id"));
  std::vector<Upload> out;
  for (;;) {
    KINORA_TRY(const bool there, row.step());
    if (!there) return out;
    KINORA_TRY(Upload upload, find_upload(connection, row.text(0)));
    out.push_back(std::move(upload));
  }
}

base::Status drop_upload_parts(Connection& connection, std::string_view upload) {
  return done(connection.run("DELETE FROM upload_parts WHERE upload = ?", upload));
}

}  // namespace kinora::jobs
