#pragma once
// Uploads (developer-api 5.6): single PUT or multipart; completed, an upload becomes an artifact. An input that comes later by itself (by
// URL, or as the result of another job) is an upload with a source: `processing` from the start, nobody puts bytes into it.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/ulid.hpp"
#include "jobs/job.hpp"
#include "store/sqlite.hpp"

namespace kinora::jobs {

inline constexpr std::int64_t kMaxUploadBytes = 5'368'709'120;
inline constexpr std::int64_t kPartBytes = 16'777'216;
inline constexpr int kMaxParts = 10'000;

enum class UploadStatus { pending, uploading, processing, complete, failed, expired, canceled };
std::string_view name(UploadStatus status);

struct UploadPart {
  int number = 0;      // from 1; 1 is also the single PUT's body
  std::string sha256;  // also its etag
  std::int64_t bytes = 0;
};

struct Upload {
  std::string id;
  std::string project;
  UploadStatus status = UploadStatus::pending;
  std::string filename;
  std::string mime;
  std::string purpose = "input";
  std::optional<std::int64_t> bytes;    // promised
  std::optional<std::string> sha256;    // promised
  std::optional<std::string> artifact;  // once complete
  bool deduplicated = false;
  json::value error;   // of a failed one: the object of 5.14
  json::value source;  // null: a client sends it; {"url", "headers"?: {}} (headers only until it has ended); {"job", "slot", "index"?,
                       // "part"?: true}
  UnixMillis created_at{}, expires_at{};
};

// They may hold a key, and have done their work.
void forget_headers(Upload& upload);

base::Status insert_upload(store::Connection& connection, const Upload& upload);
base::Result<Upload> find_upload(store::Connection& connection, std::string_view project, std::string_view id);  // not_found
// Any project: for presigned PUTs, whose signature names the upload.
base::Result<Upload> find_upload(store::Connection& connection, std::string_view id);
base::Status update_upload(store::Connection& connection, const Upload& upload);
// A part again replaces it. conflict unless pending or uploading.
base::Status put_upload_part(store::Connection& connection, std::string_view upload, const UploadPart& part);
base::Result<std::vector<UploadPart>> list_upload_parts(store::Connection& connection, std::string_view upload);  // by number
// Uploads with a source that have not ended.
base::Result<std::vector<Upload>> awaited_uploads(store::Connection& connection);
base::Status drop_upload_parts(store::Connection& connection, std::string_view upload);

}  // namespace kinora::jobs
