#include "jobs/schema.hpp"

#include <array>

namespace kinora::jobs {
namespace {

// Times are Unix milliseconds. JSON is text. Ids are text: they sort by creation.
constexpr std::string_view kFirst = R"sql(
CREATE TABLE jobs(
  id TEXT PRIMARY KEY, project TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL,
  task TEXT NOT NULL, model TEXT, resolved_model TEXT,
  status TEXT NOT NULL, phase TEXT NOT NULL, status_reason TEXT, priority INTEGER NOT NULL,
  input TEXT NOT NULL, params TEXT NOT NULL, output TEXT, error TEXT, progress TEXT NOT NULL, attempt TEXT NOT NULL,
  requirements TEXT NOT NULL, output_options TEXT NOT NULL, metadata TEXT NOT NULL, retry TEXT NOT NULL, tags TEXT NOT NULL,
  client_ref TEXT, end_user TEXT, retry_of TEXT, trace_id TEXT, retention_s INTEGER NOT NULL,
  created_at INTEGER NOT NULL, deadline_at INTEGER NOT NULL, start_deadline_at INTEGER,
  queued_at INTEGER, preparing_at INTEGER, running_at INTEGER, verifying_at INTEGER, finalizing_at INTEGER, completed_at INTEGER,
  heartbeat_at INTEGER, expires_at INTEGER,
  cancel_requested INTEGER NOT NULL DEFAULT 0, data_removed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX jobs_by_time ON jobs(project, created_at, id);
CREATE INDEX jobs_by_status ON jobs(status, created_at);

-- The media a job reads: keeps an artifact from deletion while the job is at work.
CREATE TABLE job_inputs(
  job TEXT NOT NULL, slot TEXT NOT NULL, ordinal INTEGER NOT NULL, artifact TEXT, upload TEXT, sha256 TEXT, name TEXT, bytes INTEGER, mime TEXT,
  PRIMARY KEY(job, slot, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_inputs_by_artifact ON job_inputs(artifact);
CREATE INDEX job_inputs_by_upload ON job_inputs(upload);

-- What a job is made of: one `run`, or `cut`, `chunk` 0..n-1 and `join`.
CREATE TABLE job_tasks(
  job TEXT NOT NULL, step TEXT NOT NULL, ordinal INTEGER NOT NULL,
  state TEXT NOT NULL, task TEXT NOT NULL, params TEXT NOT NULL, inputs TEXT NOT NULL,
  attempt TEXT NOT NULL, number INTEGER NOT NULL, due_at INTEGER NOT NULL, avoid TEXT NOT NULL, node TEXT,
  weight REAL NOT NULL, result TEXT,
  PRIMARY KEY(job, step, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_tasks_waiting ON job_tasks(state) WHERE state IN ('queued', 'running');

CREATE TABLE attempts(
  id TEXT PRIMARY KEY, job TEXT NOT NULL, step TEXT NOT NULL, ordinal INTEGER NOT NULL, number INTEGER NOT NULL,
  state TEXT NOT NULL, node TEXT, worker TEXT, device TEXT,
  accepted_at INTEGER, started_at INTEGER, ended_at INTEGER, units REAL NOT NULL DEFAULT 0, error TEXT
) STRICT;
CREATE INDEX attempts_by_job ON attempts(job);

CREATE TABLE attempt_files(
  attempt TEXT NOT NULL, name TEXT NOT NULL, job TEXT NOT NULL, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL,
  PRIMARY KEY(attempt, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_files_by_content ON attempt_files(sha256);
CREATE INDEX attempt_files_by_job ON attempt_files(job);

CREATE TABLE events(
  "offset" INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, project TEXT NOT NULL, subject TEXT NOT NULL, seq INTEGER NOT NULL,
  type TEXT NOT NULL, time INTEGER NOT NULL, data TEXT NOT NULL, UNIQUE(subject, seq)
) STRICT;
CREATE INDEX events_by_time ON events(time);
-- The last seq of each subject: outlives the events themselves, so that numbering never starts again.
CREATE TABLE event_seq(subject TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency(
  project TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, key TEXT NOT NULL,
  fingerprint TEXT NOT NULL, done INTEGER NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL, resource TEXT NOT NULL,
  created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
  PRIMARY KEY(project, method, path, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_expiry ON idempotency(expires_at);

CREATE TABLE artifacts(
  id TEXT PRIMARY KEY, project TEXT NOT NULL, kind TEXT NOT NULL, mime TEXT NOT NULL, filename TEXT NOT NULL,
  bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, media TEXT NOT NULL, source TEXT NOT NULL, tags TEXT NOT NULL,
  created_at INTEGER NOT NULL, expires_at INTEGER, multi INTEGER NOT NULL, main_file TEXT NOT NULL,
  source_job TEXT GENERATED ALWAYS AS (json_extract(source, '$.job')) VIRTUAL
) STRICT;
CREATE INDEX artifacts_by_job ON artifacts(source_job) WHERE source_job IS NOT NULL;
CREATE INDEX artifacts_by_time ON artifacts(project, created_at, id);
CREATE INDEX artifacts_by_content ON artifacts(project, sha256);
CREATE INDEX artifacts_by_expiry ON artifacts(expires_at);

CREATE TABLE artifact_files(
  artifact TEXT NOT NULL, name TEXT NOT NULL, ordinal INTEGER NOT NULL, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL, mime TEXT NOT NULL,
  PRIMARY KEY(artifact, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX artifact_files_by_content ON artifact_files(sha256);

CREATE TABLE uploads(
  id TEXT PRIMARY KEY, project TEXT NOT NULL, status TEXT NOT NULL, filename TEXT NOT NULL, mime TEXT NOT NULL, purpose TEXT NOT NULL,
  bytes INTEGER, sha256 TEXT, artifact TEXT, deduplicated INTEGER NOT NULL, error TEXT, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX uploads_by_expiry ON uploads(status, expires_at);

CREATE TABLE upload_parts(
  upload TEXT NOT NULL, number INTEGER NOT NULL, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY(upload, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX upload_parts_by_content ON upload_parts(sha256);
)sql";

constexpr std::string_view kSubjectHooks = R"sql(
-- The webhook that came with one job or run.
CREATE TABLE subject_hooks(subject TEXT PRIMARY KEY, url TEXT NOT NULL, endpoint TEXT NOT NULL, events TEXT NOT NULL) STRICT, WITHOUT ROWID;
-- GET /v1/events of a project, and what a webhook endpoint catches up on.
CREATE INDEX events_by_project ON events(project, "offset");
)sql";

constexpr std::string_view kSdkTries = R"sql(
-- Requests of SDKs that count their tries (sdk_retry.hpp). found: a bit for each count that has found the job.
CREATE TABLE sdk_tries(
  job TEXT PRIMARY KEY, key TEXT NOT NULL, fingerprint TEXT NOT NULL, created_at INTEGER NOT NULL, count INTEGER NOT NULL, found INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sdk_tries_by_request ON sdk_tries(key, fingerprint, created_at);
CREATE INDEX sdk_tries_by_time ON sdk_tries(created_at);
CREATE INDEX jobs_by_end_user ON jobs(end_user) WHERE end_user IS NOT NULL;
)sql";

// The step of a run that the job does: {"run", "step", "index"}.
constexpr std::string_view kParents = R"sql(
ALTER TABLE jobs ADD COLUMN parent TEXT;
CREATE INDEX jobs_by_run ON jobs(json_extract(parent, '$.run')) WHERE parent IS NOT NULL;
)sql";

// Whether artifact.expiring was told, or is not to be: nobody waits for what a workflow drops.
constexpr std::string_view kExpiring = R"sql(
ALTER TABLE artifacts ADD COLUMN expiry_told INTEGER NOT NULL DEFAULT 0;
CREATE INDEX artifacts_to_tell ON artifacts(expires_at) WHERE expiry_told = 0;
)sql";

// Jobs whose data goes by itself, as long as it is there.
constexpr std::string_view kEphemeral = R"sql(
ALTER TABLE jobs ADD COLUMN ephemeral INTEGER NOT NULL DEFAULT 0;
CREATE INDEX jobs_ephemeral ON jobs(completed_at) WHERE ephemeral = 1 AND data_removed = 0;
)sql";

// The digest of the weights that made a job's output.
constexpr std::string_view kWeights = "ALTER TABLE jobs ADD COLUMN weights TEXT";

// Where an upload comes from when no client sends it (uploads.hpp).
constexpr std::string_view kSources = "ALTER TABLE uploads ADD COLUMN source TEXT";

constexpr std::array kSteps{kFirst, kSubjectHooks, kSdkTries, kParents, kExpiring, kEphemeral, kWeights, kSources};

}  // namespace

std::span<const std::string_view> schema_steps() { return kSteps; }

}  // namespace kinora::jobs
