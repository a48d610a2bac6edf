#pragma once
// Artifacts: stored media that clients and jobs name by id. One file, or several under names (an HLS ladder).
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/ulid.hpp"
#include "jobs/job.hpp"
#include "jobs/links.hpp"
#include "store/sqlite.hpp"

namespace kinora::jobs {

struct ArtifactFile {
  std::string name;  // "" in a single-file artifact; "master.m3u8", "720p/seg_0001.ts" in one of several files
  std::string sha256;
  std::int64_t bytes = 0;
  std::string mime;
};

struct Artifact {
  std::string id;
  std::string project;
  std::string kind;  // image, video, audio, text, json, model, archive, hls
  std::string mime;
  std::string filename;    // for Content-Disposition; never a path
  std::int64_t bytes = 0;  // of all files
  std::string sha256;      // of the main file
  json::value media;       // null, or what probe says
  json::object source;     // {"upload": id} | {"job": id, "slot": s}
  UnixMillis created_at{};
  std::optional<UnixMillis> expires_at;
  std::vector<std::string> tags;
  bool multi = false;
  std::string main_file;  // of a multi-file artifact: "master.m3u8"
};

// "video/mp4" -> "video"; application/vnd.apple.mpegurl -> "hls"; unknown -> "archive".
std::string kind_of_mime(std::string_view mime);
json::object to_json(const Artifact& artifact, const Links& links);

// Inside a write or a read.
base::Status insert_artifact(store::Connection& connection, const Artifact& artifact, const std::vector<ArtifactFile>& files);
// not_found also for another project's; an empty project sees all.
base::Result<Artifact> find_artifact(store::Connection& connection, std::string_view project, std::string_view id);
base::Result<ArtifactFile> find_artifact_file(store::Connection& connection, std::string_view artifact, std::string_view name);
base::Result<std::vector<ArtifactFile>> list_artifact_files(store::Connection& connection, std::string_view artifact);
base::Result<Listing<Artifact>> list_artifacts(store::Connection& connection, std::string_view project, const Page& page,
                                               const std::optional<std::string>& kind);
// conflict while a job that is not terminal uses it.
base::Status delete_artifact(store::Connection& connection, std::string_view project, std::string_view id);
base::Result<std::vector<std::string>> artifacts_of_job(store::Connection& connection, std::string_view job);  // made by it
// The newest single-file artifact of the project with that content.
base::Result<std::optional<Artifact>> find_by_content(store::Connection& connection, std::string_view project, std::string_view sha256);
// True when no row names the blob.
base::Result<bool> unreferenced(store::Connection& connection, std::string_view sha256);

}  // namespace kinora::jobs
