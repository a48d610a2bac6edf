#include "jobs/purge.hpp"

#include "base/bytes.hpp"
#include "jobs/artifacts.hpp"
#include "jobs/job_rows.hpp"

namespace kinora::jobs {
namespace {

using store::Connection;

// Media that came by the request alone has no owner but its job; what an ephemeral job reads was there for it alone.
base::Result<std::vector<std::string>> brought_media(Connection& connection, const Job& job) {
  KINORA_TRY(store::Statement row,
             connection.query("SELECT DISTINCT artifacts.id FROM job_inputs JOIN artifacts ON artifacts.id = job_inputs.artifact "
                              "WHERE job_inputs.job = ? AND (? OR json_extract(artifacts.source, '$.brought'))",
                              job.id, job.ephemeral));
  std::vector<std::string> out;
  for (;;) {
    KINORA_TRY(const bool there, row.step());
    if (!there) return out;
    out.emplace_back(row.text(0));
  }
}

// The jobs that made parts of its inputs.
base::Result<std::vector<std::string>> parts_of(Connection& connection, const Job& job) {
  KINORA_TRY(store::Statement row,
             connection.query("SELECT json_extract(uploads.source, '$.job') FROM job_inputs JOIN uploads ON uploads.id = "
                              "job_inputs.upload WHERE job_inputs.job = ? AND json_extract(uploads.source, '$.part')",
                              job.id));
  std::vector<std::string> out;
  for (;;) {
    KINORA_TRY(const bool there, row.step());
    if (!there) return out;
    out.emplace_back(row.text(0));
  }
}

}  // namespace

base::Result<std::vector<std::string>> purge_job(Connection& connection, const Job& job) {
  KINORA_TRY(std::vector<std::string> released, delivered_blobs(connection, job.id));
  // What the job made, and media that it brought (inline, by URL), goes with it.
  KINORA_TRY(auto made, artifacts_of_job(connection, job.id));
  KINORA_TRY(const auto brought, brought_media(connection, job));
  made.insert(made.end(), brought.begin(), brought.end());
  for (const std::string& artifact : made) {
    KINORA_TRY(auto files, list_artifact_files(connection, artifact));
    const auto deleted = delete_artifact(connection, job.project, artifact);
    if (!deleted) continue;  // another job reads it
    for (ArtifactFile& file : files) released.push_back(std::move(file.sha256));
  }
  KINORA_TRY(const auto parts, parts_of(connection, job));
  for (const std::string& id : parts) {
    const auto part = find_job(connection, id);
    if (!part || !terminal(part->status)) continue;
    KINORA_TRY(auto more, purge_job(connection, *part));
    released.insert(released.end(), more.begin(), more.end());
  }
  if (job.data_removed) return released;
  const json::object input{{"$sha256", base::to_hex(base::sha256(base::as_bytes(base::canonical_json(job.input))))}};
  const auto run = [&](std::string_view sql) -> base::Status {
    KINORA_TRY(const auto changed, connection.run(sql, job.id));
    static_cast<void>(changed);
    return {};
  };
  KINORA_TRY(const auto changed,
             connection.run("UPDATE jobs SET version = version + 1, input = ?, params = '{}', output = NULL, metadata = '{}', tags = '[]', "
                            "client_ref = NULL, data_removed = 1, error = json_remove(error, '$.detail', '$.errors') WHERE id = ?",
                            json::serialize(input), job.id));
  static_cast<void>(changed);
  // Where media by URL came from; a part is no longer known as one.
  KINORA_OK(run(
      "UPDATE uploads SET source = NULL, filename = '' WHERE source IS NOT NULL AND id IN (SELECT upload FROM job_inputs WHERE job = ?)"));
  KINORA_OK(run("DELETE FROM job_inputs WHERE job = ?"));
  KINORA_OK(run("DELETE FROM job_tasks WHERE job = ?"));
  KINORA_OK(run("DELETE FROM attempt_files WHERE job = ?"));
  KINORA_OK(run("UPDATE attempts SET error = json_remove(error, '$.detail', '$.errors') WHERE job = ?"));
  // Numbers and types of the events stay: a stream that is read again has no gap.
  KINORA_OK(
      run("UPDATE events SET data = json_object('id', subject, 'object', 'job', 'status', json_extract(data, '$.status'), "
          "'phase', json_extract(data, '$.phase'), 'data_removed', json('true')) WHERE subject = ?"));
  return released;
}

}  // namespace kinora::jobs
