// What has expired goes: uploads, artifacts, events, idempotency rows, old jobs, blobs without owner (engine_state.hpp).
#include <algorithm>

#include "base/time.hpp"
#include "jobs/engine_state.hpp"
#include "jobs/purge.hpp"
#include "jobs/submission.hpp"

namespace kinora::jobs {
namespace {

using store::Connection;
using store::Statement;

constexpr std::int64_t kBatch = 500;  // rows per transaction, so that a sweep never holds the writer for long
constexpr std::size_t kMaxBlobsLooked = 1'000'000;
constexpr std::chrono::hours kJobsKept{24 * 90};
constexpr std::chrono::hours kExpiringAhead{24};

struct Swept {
  std::vector<std::string> released;                       // blobs to look at
  std::vector<std::string> uploads;                        // expired
  std::vector<std::pair<std::string, std::int64_t>> told;  // artifact, offset of its event
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

// What the sweep tells of artifacts. Ids of events are drawn on the engine's thread, so that much is read before the write.
struct Telling {
  std::vector<Event> deleted, expiring;
};

base::Result<std::vector<Artifact>> artifacts_until(Connection& connection, std::string_view sql, std::int64_t time) {
  KINORA_TRY(const auto found, ids(connection, sql, time));
  std::vector<Artifact> out;
  for (const std::string& id : found) {
    KINORA_TRY(Artifact artifact, find_artifact(connection, "", id));
    out.push_back(std::move(artifact));
  }
  return out;
}

base::Status expire_artifacts(Connection& connection, const std::vector<Event>& deleted, Swept& out) {
  for (const Event& event : deleted) {
    KINORA_TRY(auto files, list_artifact_files(connection, event.subject));
    if (!delete_artifact(connection, "", event.subject)) continue;  // a job at work reads it: the next sweep asks again
    ++out.rows;
    for (ArtifactFile& file : files) out.released.push_back(std::move(file.sha256));
    KINORA_TRY(const auto offset, append_event(connection, event));
    out.told.emplace_back(event.subject, offset);
  }
  return {};
}

base::Status tell_expiring(Connection& connection, const std::vector<Event>& expiring, Swept& out) {
  for (const Event& event : expiring) {
    KINORA_TRY(const auto changed, connection.run("UPDATE artifacts SET expiry_told = 1 WHERE id = ? AND expiry_told = 0", event.subject));
    if (changed == 0) continue;
    ++out.rows;
    KINORA_TRY(const auto offset, append_event(connection, event));
    out.told.emplace_back(event.subject, offset);
  }
  return {};
}

base::Status drop_rows(Connection& connection, std::string_view sql, std::int64_t time, Swept& out) {
  KINORA_TRY(const auto gone, connection.run(sql, time, kBatch));
  out.rows += gone;
  return {};
}

base::Result<Swept> sweep_rows(Connection& connection, UnixMillis now, const EngineSettings& settings, const Telling& telling) {
  Swept out;
  const std::int64_t at = now.time_since_epoch().count();
  KINORA_OK(expire_uploads(connection, at, out));
  KINORA_OK(expire_artifacts(connection, telling.deleted, out));
  KINORA_OK(tell_expiring(connection, telling.expiring, out));
  KINORA_OK(drop_rows(connection, "DELETE FROM events WHERE \"offset\" IN (SELECT \"offset\" FROM events WHERE time < ? LIMIT ?)",
                      at - settings.event_retention_s * 1000, out));
  // Keyed without a rowid, and each small: no batches needed.
  KINORA_TRY(const auto keys, connection.run("DELETE FROM idempotency WHERE expires_at <= ?", at));
  static_cast<void>(keys);
  KINORA_OK(forget_sdk_tries(connection, now));
  KINORA_TRY(const auto fleeting,
             ids(connection,
                 "SELECT id FROM jobs WHERE ephemeral = 1 AND data_removed = 0 AND (completed_at <= ?1 OR (status = 'succeeded' AND NOT "
                 "EXISTS (SELECT 1 FROM artifacts WHERE source_job = jobs.id))) LIMIT ?2",
                 at - kEphemeralS * 1000));
  for (const std::string& id : fleeting) {
    KINORA_TRY(const Job job, find_job(connection, id));
    KINORA_TRY(auto released, purge_job(connection, job));
    out.released.insert(out.released.end(), released.begin(), released.end());
  }
  out.rows += static_cast<std::int64_t>(fleeting.size());
  KINORA_TRY(const auto old,
             ids(connection, "SELECT id FROM jobs WHERE completed_at < ? LIMIT ?", (now - kJobsKept).time_since_epoch().count()));
  for (const std::string& id : old) KINORA_OK(delete_job(connection, id));
  out.rows += static_cast<std::int64_t>(old.size());
  return out;
}

}  // namespace

Task<base::Status> Engine::State::sweep() {
  for (;;) {
    const UnixMillis now = clock_();
    struct Due {
      std::vector<Artifact> over, expiring;
    };
    KINORA_CO_TRY(const Due due, co_await database_.read([now](Connection& connection) -> base::Result<Due> {
      Due out;
      const std::int64_t at = now.time_since_epoch().count();
      KINORA_TRY(out.over, artifacts_until(connection, "SELECT id FROM artifacts WHERE expires_at <= ? LIMIT ?", at));
      KINORA_TRY(out.expiring, artifacts_until(connection, "SELECT id FROM artifacts WHERE expiry_told = 0 AND expires_at <= ? LIMIT ?",
                                               at + std::chrono::milliseconds(kExpiringAhead).count()));
      return out;
    }));
    Telling telling;
    for (const Artifact& artifact : due.over)
      telling.deleted.push_back(event(artifact.id, artifact.project, "artifact.deleted", {{"id", artifact.id}, {"object", "artifact"}}));
    for (const Artifact& artifact : due.expiring)
      telling.expiring.push_back(
          event(artifact.id, artifact.project, "artifact.expiring",
                {{"id", artifact.id}, {"object", "artifact"}, {"expires_at", base::to_rfc3339(*artifact.expires_at)}}));
    KINORA_CO_TRY(Swept swept, co_await database_.write([&](Connection& connection) -> base::Result<Swept> {
      KINORA_TRY(Swept out, sweep_rows(connection, now, settings_, telling));
      if (on_sweep_) {
        KINORA_TRY(const std::int64_t more, on_sweep_(connection, now));
        out.rows += more;
      }
      return out;
    }));
    for (const auto& [artifact, offset] : swept.told) feed_.announce(artifact, offset);
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
