// What has expired goes: uploads, artifacts, events, idempotency rows, old jobs, blobs without owner (engine_state.hpp).
#include <algorithm>

#include "jobs/engine_state.hpp"

namespace kinora::jobs {
namespace {

using store::Connection;
using store::Statement;

constexpr std::int64_t kBatch = 500;  // rows per transaction, so that a sweep never holds the writer for long
constexpr std::size_t kMaxBlobsLooked = 1'000'000;
constexpr std::chrono::hours kJobsKept{24 * 90};

struct Swept {
  std::vector<std::string> released;  // blobs to look at
  std::vector<std::string> uploads;   // expired
  std::int64_t rows = 0;
};

base::Result<std::vector<std::string>> ids(Connection& connection, std::string_view sql, std::int64_t time) {
  KINORA_TRY(Statement row, connection.query(sql, time, kBatch));
  std::vector<std::string> out;
  for (;;) {
    KINORA_TRY(const bool there, row.step());
    if (!there) return out;
    out.emplace_back(row.text(0));
  }
}

base::Status expire_uploads(Connection& connection, std::int64_t now, Swept& out) {
  KINORA_TRY(
      out.uploads,
      ids(connection, "SELECT id FROM uploads WHERE status IN ('pending', 'uploading', 'processing') AND expires_at <= ? LIMIT ?", now));
  for (const std::string& id : out.uploads) {
    KINORA_TRY(Upload upload, find_upload(connection, id));
    KINORA_TRY(const auto parts, list_upload_parts(connection, id));
    for (const UploadPart& part : parts) out.released.push_back(part.sha256);
    KINORA_OK(drop_upload_parts(connection, id));
    upload.status = UploadStatus::expired;
    KINORA_OK(update_upload(connection, upload));
  }
  return {};
}

base::Status expire_artifacts(Connection& connection, std::int64_t now, Swept& out) {
  KINORA_TRY(const auto old, ids(connection, "SELECT id FROM artifacts WHERE expires_at <= ? LIMIT ?", now));
  for (const std::string& id : old) {
    KINORA_TRY(auto files, list_artifact_files(connection, id));
    const auto deleted = delete_artifact(connection, "", id);
    if (!deleted) continue;  // a job at work reads it: the next sweep asks again
    ++out.rows;
    for (ArtifactFile& file : files) out.released.push_back(std::move(file.sha256));
  }
  return {};
}

base::Status drop_rows(Connection& connection, std::string_view sql, std::int64_t time, Swept& out) {
  KINORA_TRY(const auto gone, connection.run(sql, time, kBatch));
  out.rows += gone;
  return {};
}

base::Result<Swept> sweep_rows(Connection& connection, UnixMillis now, const EngineSettings& settings) {
  Swept out;
  const std::int64_t at = now.time_since_epoch().count();
  KINORA_OK(expire_uploads(connection, at, out));
  KINORA_OK(expire_artifacts(connection, at, out));
  KINORA_OK(drop_rows(connection, "DELETE FROM events WHERE \"offset\" IN (SELECT \"offset\" FROM events WHERE time < ? LIMIT ?)",
                      at - settings.event_retention_s * 1000, out));
  // Keyed without a rowid, and each small: no batches needed.
  KINORA_TRY(const auto keys, connection.run("DELETE FROM idempotency WHERE expires_at <= ?", at));
  static_cast<void>(keys);
  KINORA_OK(forget_sdk_tries(connection, now));
  KINORA_TRY(const auto old,
             ids(connection, "SELECT id FROM jobs WHERE completed_at < ? LIMIT ?", (now - kJobsKept).time_since_epoch().count()));
  for (const std::string& id : old) KINORA_OK(delete_job(connection, id));
  out.rows += static_cast<std::int64_t>(old.size());
  return out;
}

}  // namespace

Task<base::Status> Engine::State::sweep() {
  for (;;) {
    KINORA_CO_TRY(Swept swept,
                  co_await database_.write([this](Connection& connection) { return sweep_rows(connection, clock_(), settings_); }));
    collect(std::move(swept.released));
    for (const std::string& upload : swept.uploads) input_failed(upload, "input_unavailable", "the upload has expired");
    if (swept.rows + static_cast<std::int64_t>(swept.uploads.size()) < kBatch || stopping_) break;
  }
  // Blobs whose row a crash has prevented: looked at in batches, between other writes.
  std::vector<std::string> names = co_await blobs_.names(kMaxBlobsLooked);
  while (!names.empty() && !stopping_) {
    const std::size_t count = std::min<std::size_t>(names.size(), kBatch);
    collect({names.end() - static_cast<std::ptrdiff_t>(count), names.end()});
    names.resize(names.size() - count);
    // Let the writer's queue drain before the next batch.
    static_cast<void>(co_await database_.write([](Connection&) -> base::Status { return {}; }));
  }
  co_return base::Status();
}

}  // namespace kinora::jobs
