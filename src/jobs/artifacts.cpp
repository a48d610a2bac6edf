#include "jobs/artifacts.hpp"

#include <algorithm>

#include "base/time.hpp"
#include "jobs/keyset.hpp"

namespace kinora::jobs {
namespace {

using store::Connection;
using store::Statement;

constexpr std::string_view kColumns =
    "id, project, kind, mime, filename, bytes, sha256, media, source, tags, created_at, expires_at, multi, main_file";

Artifact read_artifact(const Statement& row) {
  Artifact out;
  out.id = row.text(0);
  out.project = row.text(1);
  out.kind = row.text(2);
  out.mime = row.text(3);
  out.filename = row.text(4);
  out.bytes = row.integer(5);
  out.sha256 = row.text(6);
  out.media = json::parse(row.text(7));
  out.source = json::parse(row.text(8)).as_object();
  out.tags = json::value_to<std::vector<std::string>>(json::parse(row.text(9)));
  out.created_at = UnixMillis(std::chrono::milliseconds(row.integer(10)));
  if (!row.is_null(11)) out.expires_at = UnixMillis(std::chrono::milliseconds(row.integer(11)));
  out.multi = row.integer(12) != 0;
  out.main_file = row.text(13);
  return out;
}

ArtifactFile read_file(const Statement& row) {
  return {std::string(row.text(0)), std::string(row.text(1)), row.integer(2), std::string(row.text(3))};
}

base::Status done(const base::Result<std::int64_t>& changed) {
  if (!changed) return base::fail(changed.error());
  return {};
}

}  // namespace

std::string kind_of_mime(std::string_view mime) {
  for (const std::string_view kind : {"image", "video", "audio", "text"})
    if (mime.starts_with(kind) && mime.size() > kind.size() && mime[kind.size()] == '/') return std::string(kind);
  if (mime == "application/vnd.apple.mpegurl" || mime == "application/x-mpegurl") return "hls";
  if (mime == "application/json") return "json";
  return "archive";
}

json::object to_json(const Artifact& artifact, const Links& links) {
  json::object out{{"id", artifact.id},
                   {"object", "artifact"},
                   {"kind", artifact.kind},
                   {"mime", artifact.mime},
                   {"filename", artifact.filename},
                   {"bytes", artifact.bytes},
                   {"sha256", artifact.sha256},
                   {"media", artifact.media},
                   {"source", artifact.source},
                   {"created_at", base::to_rfc3339(artifact.created_at)}};
  out["expires_at"] = artifact.expires_at ? json::value(base::to_rfc3339(*artifact.expires_at)) : json::value(nullptr);
  out["retention_s"] =
      artifact.expires_at ? json::value((*artifact.expires_at - artifact.created_at).count() / 1000) : json::value(nullptr);
  const SignedUrl url = links.content(artifact.id, artifact.main_file);
  out["url"] = url.url;
  out["url_expires_at"] = url.expires_at;
  out["tags"] = json::value_from(artifact.tags);
  out["moderation"] = nullptr;
  out["c2pa"] = false;
  return out;
}

base::Status insert_artifact(Connection& connection, const Artifact& artifact, const std::vector<ArtifactFile>& files) {
  std::optional<std::int64_t> expires;
  if (artifact.expires_at) expires = artifact.expires_at->time_since_epoch().count();
  KINORA_OK(done(connection.run(
      "INSERT INTO artifacts(id, project, kind, mime, filename, bytes, sha256, media, source, tags, created_at, expires_at, multi, "
      "main_file) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      artifact.id, artifact.project, artifact.kind, artifact.mime, artifact.filename, artifact.bytes, artifact.sha256,
      json::serialize(artifact.media), json::serialize(artifact.source), json::serialize(json::value_from(artifact.tags)),
      artifact.created_at.time_since_epoch().count(), expires, artifact.multi, artifact.main_file)));
  int ordinal = 0;
  for (const ArtifactFile& file : files)
    KINORA_OK(done(connection.run("INSERT INTO artifact_files(artifact, name, ordinal, sha256, bytes, mime) VALUES(?, ?, ?, ?, ?, ?)",
                                  artifact.id, file.name, ordinal++, file.sha256, file.bytes, file.mime)));
  return {};
}

base::Result<Artifact> find_artifact(Connection& connection, std::string_view project, std::string_view id) {
  static const std::string sql = "SELECT " + std::string(kColumns) + " FROM artifacts WHERE id = ?";
  KINORA_TRY(Statement row, connection.query(sql, id));
  KINORA_TRY(const bool there, row.step());
  // Another project's is as good as none; an empty project sees all (a signature has named the artifact).
  if (!there || (!project.empty() && row.text(1) != project)) return base::fail(base::ErrorCode::not_found, "no artifact of that id");
  return read_artifact(row);
}

base::Result<ArtifactFile> find_artifact_file(Connection& connection, std::string_view artifact, std::string_view name) {
  KINORA_TRY(Statement row,
             connection.query("SELECT name, sha256, bytes, mime FROM artifact_files WHERE artifact = ? AND name = ?", artifact, name));
  KINORA_TRY(const bool there, row.step());
  if (!there) return base::fail(base::ErrorCode::not_found, "the artifact has no file of that name");
  return read_file(row);
}

base::Result<std::vector<ArtifactFile>> list_artifact_files(Connection& connection, std::string_view artifact) {
  KINORA_TRY(Statement row,
             connection.query("SELECT name, sha256, bytes, mime FROM artifact_files WHERE artifact = ? ORDER BY ordinal", artifact));
  std::vector<ArtifactFile> out;
  for (;;) {
    KINORA_TRY(const bool there, row.step());
    if (!there) return out;
    out.push_back(read_file(row));
  }
}

base::Result<Listing<Artifact>> list_artifacts(Connection& connection, std::string_view project, const Page& page,
                                               const std::optional<std::string>& kind) {
  Keyset keyset("SELECT " + std::string(kColumns) + " FROM artifacts WHERE project = ?", page);
  keyset.add("", std::string(project), true);
  if (kind) keyset.add("kind = ?", *kind);
  KINORA_TRY(Statement row, keyset.query(connection));
  std::vector<Artifact> out;
  for (;;) {
    KINORA_TRY(const bool there, row.step());
    if (!there) return keyset.listing(std::move(out));
    out.push_back(read_artifact(row));
  }
}

base::Status delete_artifact(Connection& connection, std::string_view project, std::string_view id) {
  KINORA_TRY(const Artifact artifact, find_artifact(connection, project, id));
  {
    KINORA_TRY(Statement row, connection.query("SELECT jobs.id FROM job_inputs JOIN jobs ON jobs.id = job_inputs.job "
                                               "WHERE job_inputs.artifact = ? AND jobs.status IN ('queued', 'running') LIMIT 1",
                                               id));
    KINORA_TRY(const bool used, row.step());
    if (used) return base::fail(base::ErrorCode::conflict, "job " + std::string(row.text(0)) + " is still reading the artifact");
  }
  KINORA_OK(done(connection.run("DELETE FROM artifact_files WHERE artifact = ?", artifact.id)));
  return done(connection.run("DELETE FROM artifacts WHERE id = ?", artifact.id));
}

base::Result<std::optional<Artifact>> find_by_content(Connection& connection, std::string_view project, std::string_view sha256) {
  static const std::string sql = "SELECT " + std::string(kColumns) +
                                 " FROM artifacts WHERE project = ? AND sha256 = ? AND multi = 0 ORDER BY created_at DESC, id DESC LIMIT 1";
  KINORA_TRY(Statement row, connection.query(sql, project, sha256));
  KINORA_TRY(const bool there, row.step());
  if (!there) return std::optional<Artifact>();
  return std::optional<Artifact>(read_artifact(row));
}

base::Result<std::vector<std::string>> artifacts_of_job(Connection& connection, std::string_view job) {
  KINORA_TRY(Statement row, connection.query("SELECT id FROM artifacts WHERE source_job = ?", job));
  std::vector<std::string> out;
  for (;;) {
    KINORA_TRY(const bool there, row.step());
    if (!there) return out;
    out.emplace_back(row.text(0));
  }
}

base::Result<bool> unreferenced(Connection& connection, std::string_view sha256) {
  KINORA_TRY(Statement row,
             connection.query(
                 "SELECT EXISTS(SELECT 1 FROM artifact_files WHERE sha256 = ?1) OR EXISTS(SELECT 1 FROM attempt_files WHERE sha256 = ?1) "
                 "OR EXISTS(SELECT 1 FROM upload_parts WHERE sha256 = ?1)",
                 sha256));
  KINORA_TRY(const bool there, row.step());
  return there && row.integer(0) == 0;
}

}  // namespace kinora::jobs
