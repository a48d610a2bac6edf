// Artifacts and uploads through the engine (engine.hpp).
#include <algorithm>

#include "jobs/admission.hpp"
#include "jobs/engine_state.hpp"

namespace kinora::jobs {
namespace {

using store::Connection;

template <class T>
Outcome<T> answer(base::Result<T> result) {
  if (!result) return refuse(result.error());
  return std::move(*result);
}

bool open(UploadStatus status) {
  return status == UploadStatus::pending || status == UploadStatus::uploading || status == UploadStatus::processing;
}

}  // namespace

Task<Outcome<Artifact>> Engine::create_artifact(NewArtifact wanted, store::Blob blob) {
  const auto state = state_;
  const UnixMillis now = state->clock_();
  Artifact artifact;
  artifact.id = state->new_id("art");
  artifact.project = std::move(wanted.project);
  artifact.kind = kind_of_mime(wanted.mime);
  artifact.mime = std::move(wanted.mime);
  artifact.filename = std::move(wanted.filename);
  artifact.bytes = blob.bytes();
  artifact.sha256 = blob.sha256();
  artifact.media = std::move(wanted.media);
  artifact.source = std::move(wanted.source);
  artifact.created_at = now;
  artifact.expires_at = now + std::chrono::seconds(wanted.retention_s.value_or(state->settings_.input_retention_s));
  const Event created = state->event(artifact.id, artifact.project, "artifact.created", {{"id", artifact.id}, {"object", "artifact"}});
  const auto offset = co_await state->database_.write([&](Connection& connection) -> base::Result<std::int64_t> {
    KINORA_OK(insert_artifact(connection, artifact, {{"", artifact.sha256, artifact.bytes, artifact.mime}}));
    return append_event(connection, created);
  });
  if (!offset) co_return refuse(offset.error());
  state->feed_.announce(artifact.id, *offset);
  co_return artifact;
}

Task<Outcome<Artifact>> Engine::artifact(std::string project, std::string id) {
  if (project.empty()) co_return refuse("not_found", "no artifact of that id");
  co_return answer(co_await state_->database_.read([&](Connection& connection) { return find_artifact(connection, project, id); }));
}

Task<Outcome<Artifact>> Engine::artifact(std::string id) {
  co_return answer(co_await state_->database_.read([&](Connection& connection) { return find_artifact(connection, "", id); }));
}

Task<Outcome<ArtifactFile>> Engine::artifact_file(std::string id, std::string name) {
  co_return answer(co_await state_->database_.read([&](Connection& connection) { return find_artifact_file(connection, id, name); }));
}

Task<Outcome<std::vector<ArtifactFile>>> Engine::artifact_files(std::string id) {
  co_return answer(co_await state_->database_.read([&](Connection& connection) { return list_artifact_files(connection, id); }));
}

Task<Outcome<Listing<Artifact>>> Engine::artifacts(std::string project, Page page, std::optional<std::string> kind) {
  co_return answer(
      co_await state_->database_.read([&](Connection& connection) { return list_artifacts(connection, project, page, kind); }));
}

Task<Outcome<void>> Engine::fetched(const Artifact& artifact) {
  if (!artifact.source.contains("ephemeral")) co_return Outcome<void>();
  const auto state = state_;
  const std::int64_t until = (state->clock_() + std::chrono::seconds(kFetchedS)).time_since_epoch().count();
  const auto changed = co_await state->database_.write([until, id = artifact.id](Connection& connection) {
    return connection.run("UPDATE artifacts SET expires_at = min(expires_at, ?) WHERE id = ?", until, id);
  });
  if (!changed) co_return refuse(changed.error());
  co_return Outcome<void>();
}

Task<Outcome<void>> Engine::remove_artifact(std::string project, std::string id) {
  struct Removed {
    std::int64_t offset = 0;
    std::vector<std::string> released;
  };
  const auto state = state_;
  const Event deleted = state->event(id, project, "artifact.deleted", {{"id", id}, {"object", "artifact"}});
  auto removed = co_await state->database_.write([&](Connection& connection) -> base::Result<Removed> {
    Removed out;
    KINORA_TRY(auto files, list_artifact_files(connection, id));
    KINORA_OK(delete_artifact(connection, project, id));
    for (ArtifactFile& file : files) out.released.push_back(std::move(file.sha256));
    KINORA_TRY(out.offset, append_event(connection, deleted));
    return out;
  });
  if (!removed && removed.error().code == base::ErrorCode::conflict) co_return refuse("not_terminal", removed.error().message);
  if (!removed) co_return refuse(removed.error());
  state->feed_.announce(id, removed->offset);
  state->collect(std::move(removed->released));
  co_return Outcome<void>();
}

Task<Outcome<Upload>> Engine::create_upload(Upload upload) {
  const auto state = state_;
  if (auto room = state->check_disk(); !room) co_return tl::unexpected<tasks::Problem>(std::move(room.error()));
  upload.id = state->new_id("upl");
  upload.created_at = state->clock_();
  upload.expires_at = upload.created_at + std::chrono::seconds(state->settings_.upload_lifetime_s);
  upload.status = UploadStatus::pending;
  if (upload.bytes && *upload.bytes > kMaxUploadBytes) co_return refuse("media_too_large", "an upload has at most 5 GiB");
  const auto stored = co_await state->database_.write([&](Connection& connection) -> base::Status {
    if (upload.sha256) {
      KINORA_TRY(const auto known, find_by_content(connection, upload.project, *upload.sha256));
      if (known && (!known->expires_at || *known->expires_at > upload.created_at)) {
        upload.status = UploadStatus::complete;
        upload.artifact = known->id;
        upload.deduplicated = true;
      }
    }
    return insert_upload(connection, upload);
  });
  if (!stored) co_return refuse(stored.error());
  co_return upload;
}

Task<Outcome<Upload>> Engine::upload(std::string project, std::string id) {
  co_return answer(co_await state_->database_.read([&](Connection& connection) { return find_upload(connection, project, id); }));
}

Task<Outcome<Upload>> Engine::upload(std::string id) {
  co_return answer(co_await state_->database_.read([&](Connection& connection) { return find_upload(connection, id); }));
}

Task<Outcome<void>> Engine::put_part(std::string upload, int number, store::Blob blob) {
  const auto state = state_;
  std::vector<std::string> replaced;
  const auto stored = co_await state->database_.write([&](Connection& connection) -> base::Status {
    KINORA_TRY(const auto parts, list_upload_parts(connection, upload));
    std::int64_t total = blob.bytes();
    for (const UploadPart& part : parts) {
      if (part.number == number)
        replaced.push_back(part.sha256);
      else
        total += part.bytes;
    }
    if (total > kMaxUploadBytes) return base::fail(base::ErrorCode::too_large, "an upload has at most 5 GiB");
    return put_upload_part(connection, upload, {number, blob.sha256(), blob.bytes()});
  });
  if (!stored)
    co_return stored.error().code == base::ErrorCode::conflict ? refuse("not_cancelable", stored.error().message) : refuse(stored.error());
  state->collect(std::move(replaced));
  co_return Outcome<void>();
}

Task<Outcome<store::Blob>> Engine::assemble_upload(std::string project, std::string id, std::optional<std::vector<UploadPart>> declared) {
  const auto state = state_;
  Upload upload;
  const auto parts = co_await state->database_.write([&](Connection& connection) -> base::Result<std::vector<UploadPart>> {
    KINORA_TRY(upload, find_upload(connection, project, id));
    if (upload.status != UploadStatus::uploading)
      return base::fail(base::ErrorCode::conflict, upload.status == UploadStatus::pending
                                                       ? "nothing has been uploaded yet"
                                                       : "the upload is " + std::string(name(upload.status)));
    KINORA_TRY(auto found, list_upload_parts(connection, id));
    if (declared) {
      if (declared->size() != found.size() ||
          !std::equal(found.begin(), found.end(), declared->begin(),
                      [](const UploadPart& a, const UploadPart& b) { return a.number == b.number && a.sha256 == b.sha256; }))
        return base::fail(base::ErrorCode::invalid, "the parts that arrived are not the parts that were named");
    }
    for (std::size_t i = 0; i < found.size(); ++i)
      if (found[i].number != static_cast<int>(i) + 1)
        return base::fail(base::ErrorCode::invalid, "part " + std::to_string(i + 1) + " is missing");
    upload.status = UploadStatus::processing;
    KINORA_OK(update_upload(connection, upload));
    return found;
  });
  if (!parts)
    co_return parts.error().code == base::ErrorCode::conflict ? refuse("not_cancelable", parts.error().message) : refuse(parts.error());
  std::vector<std::string> names;
  for (const UploadPart& part : *parts) names.push_back(part.sha256);
  auto blob = names.size() == 1 ? state->blobs_.pin(names.front()) : co_await state->blobs_.concatenate(std::move(names), kMaxUploadBytes);
  std::string wrong;
  if (!blob)
    wrong = blob.error().message;
  else if (upload.bytes && *upload.bytes != blob->bytes())
    wrong = "the upload has other bytes than promised: " + std::to_string(blob->bytes());
  else if (upload.sha256 && *upload.sha256 != blob->sha256())
    wrong = "the upload's SHA-256 is not the one that was promised";
  if (wrong.empty()) co_return std::move(*blob);
  tasks::Problem problem;
  problem.code = blob ? "input_invalid" : "internal";
  problem.detail = wrong;
  static_cast<void>(co_await fail_upload(project, id, problem));
  co_return tl::unexpected<tasks::Problem>(std::move(problem));
}

Task<Outcome<Artifact>> Engine::finish_upload(std::string project, std::string id, store::Blob blob, std::string mime, json::value media) {
  const auto state = state_;
  const UnixMillis now = state->clock_();
  struct Finished {
    Artifact artifact;
    std::vector<std::int64_t> offsets;
    std::vector<std::string> released;
  };
  auto finished = co_await state->database_.write([&](Connection& connection) -> base::Result<Finished> {
    Finished out;
    KINORA_TRY(Upload upload, find_upload(connection, project, id));
    if (upload.status != UploadStatus::processing)
      return base::fail(base::ErrorCode::conflict, "the upload is " + std::string(name(upload.status)));
    Artifact& artifact = out.artifact;
    artifact.id = state->new_id("art");
    artifact.project = project;
    artifact.kind = kind_of_mime(mime);
    artifact.mime = mime;
    artifact.filename = upload.filename;
    artifact.bytes = blob.bytes();
    artifact.sha256 = blob.sha256();
    artifact.media = media;
    artifact.source = {{"upload", id}};
    if (!upload.source.is_null()) artifact.source["brought"] = true;  // goes with the job that named its URL
    artifact.created_at = now;
    artifact.expires_at = now + std::chrono::seconds(state->settings_.input_retention_s);
    KINORA_OK(insert_artifact(connection, artifact, {{"", artifact.sha256, artifact.bytes, artifact.mime}}));
    KINORA_TRY(const auto parts, list_upload_parts(connection, id));
    for (const UploadPart& part : parts) out.released.push_back(part.sha256);
    KINORA_OK(drop_upload_parts(connection, id));
    upload.status = UploadStatus::complete;
    upload.artifact = artifact.id;
    forget_headers(upload);
    KINORA_OK(update_upload(connection, upload));
    const json::object data{{"id", id}, {"object", "upload"}, {"artifact", artifact.id}};
    KINORA_TRY(const auto first, append_event(connection, state->event(id, project, "upload.completed", data)));
    KINORA_TRY(const auto second, append_event(connection, state->event(artifact.id, project, "artifact.created",
                                                                        {{"id", artifact.id}, {"object", "artifact"}})));
    out.offsets = {first, second};
    return out;
  });
  if (!finished)
    co_return finished.error().code == base::ErrorCode::conflict ? refuse("not_cancelable", finished.error().message)
                                                                 : refuse(finished.error());
  state->feed_.announce(id, finished->offsets[0]);
  state->feed_.announce(finished->artifact.id, finished->offsets[1]);
  state->collect(std::move(finished->released));
  state->input_ready(id, finished->artifact);
  co_return std::move(finished->artifact);
}

namespace {

// Ends an upload without an artifact; its parts go.
struct Ended {
  Upload upload;
  std::int64_t offset = 0;
  std::vector<std::string> released;
};
base::Result<Ended> end_upload(Connection& connection, const std::string& project, const std::string& id, UploadStatus status,
                               const json::value& error, const Event& event) {
  Ended out;
  KINORA_TRY(out.upload, find_upload(connection, project, id));
  if (!open(out.upload.status)) return base::fail(base::ErrorCode::conflict, "the upload is " + std::string(name(out.upload.status)));
  out.upload.status = status;
  out.upload.error = error;
  forget_headers(out.upload);
  KINORA_TRY(const auto parts, list_upload_parts(connection, id));
  for (const UploadPart& part : parts) out.released.push_back(part.sha256);
  KINORA_OK(drop_upload_parts(connection, id));
  KINORA_OK(update_upload(connection, out.upload));
  KINORA_TRY(out.offset, append_event(connection, event));
  return out;
}

}  // namespace

Task<Outcome<Upload>> Engine::fail_upload(std::string project, std::string id, tasks::Problem problem) {
  const auto state = state_;
  const json::value error = tasks::to_json(problem);
  const Event failed = state->event(id, project, "upload.failed", {{"id", id}, {"object", "upload"}, {"error", error}});
  auto ended = co_await state->database_.write(
      [&](Connection& connection) { return end_upload(connection, project, id, UploadStatus::failed, error, failed); });
  if (!ended)
    co_return ended.error().code == base::ErrorCode::conflict ? refuse("not_cancelable", ended.error().message) : refuse(ended.error());
  state->feed_.announce(id, ended->offset);
  state->collect(std::move(ended->released));
  state->input_failed(id, problem.code, problem.detail);
  co_return std::move(ended->upload);
}

Task<Outcome<void>> Engine::cancel_upload(std::string project, std::string id) {
  const auto state = state_;
  const Event failed = state->event(id, project, "upload.failed", {{"id", id}, {"object", "upload"}, {"status", "canceled"}});
  auto ended = co_await state->database_.write(
      [&](Connection& connection) { return end_upload(connection, project, id, UploadStatus::canceled, nullptr, failed); });
  if (!ended)
    co_return ended.error().code == base::ErrorCode::conflict ? refuse("not_cancelable", ended.error().message) : refuse(ended.error());
  state->feed_.announce(id, ended->offset);
  state->collect(std::move(ended->released));
  state->input_failed(id, "input_unavailable", "the upload was canceled");
  co_return Outcome<void>();
}

}  // namespace kinora::jobs
