#include "jobs/resolve_media.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace kinora::jobs {
namespace {

using store::Connection;
using Resolved = tl::expected<ResolvedMedia, tasks::Problem>;

tl::unexpected<tasks::Problem> no(const MediaRef& ref, std::string code, std::string detail) {
  return tl::unexpected(unresolved(ref, std::move(code), std::move(detail)));
}

Resolved by_artifact(Connection& connection, const MediaRef& ref, const Job& job, std::string_view id) {
  auto artifact = find_artifact(connection, job.project, id);
  if (!artifact) return no(ref, "ref_unresolved", "there is no artifact of that id");
  if (artifact->expires_at && *artifact->expires_at <= job.created_at) return no(ref, "artifact_expired", "the artifact has expired");
  if (artifact->multi || !tasks::accepts(ref.kind, artifact->kind)) return no(ref, "input_invalid", wrong_kind(ref, artifact->kind));
  return ResolvedMedia{.artifact = std::move(*artifact), .upload = {}, .awaited = {}};
}

Resolved by_upload(Connection& connection, const MediaRef& ref, const Job& job, const std::string& id) {
  const auto upload = find_upload(connection, job.project, id);
  if (!upload) return no(ref, "ref_unresolved", "there is no upload of that id");
  if (!upload->artifact) {
    if (upload->status == UploadStatus::failed || upload->status == UploadStatus::canceled || upload->status == UploadStatus::expired)
      return no(ref, "input_unavailable", "the upload is " + std::string(name(upload->status)));
    return ResolvedMedia{.artifact = {}, .upload = id, .awaited = {}};
  }
  auto found = by_artifact(connection, ref, job, *upload->artifact);
  if (found) found->upload = id;
  return found;
}

Upload awaited_upload(const Admission& admission, json::object source, std::string filename) {
  Upload upload;
  upload.id = admission.new_id("upl");
  upload.project = admission.job.project;
  upload.status = UploadStatus::processing;
  upload.filename = std::move(filename);
  upload.source = std::move(source);
  upload.created_at = admission.job.created_at;
  upload.expires_at = upload.created_at + std::chrono::seconds(admission.upload_lifetime_s);
  return upload;
}

base::Result<Resolved> await(Connection& connection, Upload upload) {
  KINORA_OK(insert_upload(connection, upload));
  ResolvedMedia out;
  out.upload = upload.id;
  out.awaited = std::move(upload);
  return Resolved(std::move(out));
}

// The last name in a URL's path.
std::string file_of(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  std::string name(url.substr(url.rfind('/') + 1));
  std::erase_if(name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\\' || c == '"' || c == '%'; });
  return name.empty() ? "media" : name.substr(0, 200);
}

base::Result<Resolved> by_url(Connection& connection, const MediaRef& ref, const Admission& admission, const media_ref::Url& wanted) {
  if (!admission.check_url)
    return Resolved(no(ref, "input_invalid", "media by URL is not fetched here: upload the file and name the artifact"));
  if (const auto ok = admission.check_url(wanted.url); !ok)
    return Resolved(no(ref, "input_invalid", "cannot be fetched: " + ok.error().message));
  if (wanted.sha256) {
    KINORA_TRY(const auto known, find_by_content(connection, admission.job.project, *wanted.sha256));
    if (known && (!known->expires_at || *known->expires_at > admission.job.created_at))
      return by_artifact(connection, ref, admission.job, known->id);
  }
  json::object source{{"url", wanted.url}};
  if (!wanted.headers.empty()) {
    json::object headers;
    for (const auto& [name, value] : wanted.headers) headers[name] = value;
    source["headers"] = std::move(headers);
  }
  Upload upload = awaited_upload(admission, std::move(source), file_of(wanted.url));
  upload.sha256 = wanted.sha256;
  return await(connection, std::move(upload));
}

base::Result<Resolved> by_result(Connection& connection, const MediaRef& ref, const Admission& admission,
                                 const media_ref::ResultOf& wanted) {
  const bool ours = std::ranges::find(admission.parts, wanted.job) != admission.parts.end();  // admitted with this job, after it
  if (!ours) {
    const auto job = find_job(connection, wanted.job);
    if (!job || job->project != admission.job.project) return Resolved(no(ref, "ref_unresolved", "there is no job of that id"));
    const auto slots = tasks::find_task(job->task)->outputs;
    const auto slot = std::ranges::find(slots, wanted.path.slot, &tasks::OutputSlot::slot);
    if (slot == slots.end() || !slot->file || slot->slot == "hls")
      return Resolved(no(ref, "ref_unresolved", fmt::format("the task {} has no output file \"{}\"", job->task, wanted.path.slot)));
    if (wanted.path.index && !slot->many) return Resolved(no(ref, "ref_unresolved", "that output is one file: it has no index"));
    if (slot->kind != tasks::MediaKind::media && !tasks::accepts(ref.kind, tasks::name(slot->kind)))
      return Resolved(no(ref, "input_invalid", wrong_kind(ref, tasks::name(slot->kind))));
    if (terminal(job->status)) {
      if (job->data_removed) return Resolved(no(ref, "gone", "the data of that job has been removed"));
      if (job->status != Status::succeeded) return Resolved(no(ref, "input_unavailable", "that job is " + std::string(name(job->status))));
      const auto id = artifact_at(job->output, wanted.path);
      if (!id) return Resolved(no(ref, "ref_unresolved", "that job's output has no such file, or several: name one by its index"));
      return by_artifact(connection, ref, admission.job, *id);
    }
  }
  json::object source{{"job", wanted.job}, {"slot", wanted.path.slot}};
  if (wanted.path.index) source["index"] = *wanted.path.index;
  if (ours) source["part"] = true;  // it ends with the job that needs it
  return await(connection, awaited_upload(admission, std::move(source), "result"));
}

}  // namespace

tasks::Problem unresolved(const MediaRef& ref, std::string code, std::string detail) {
  tasks::Problem problem;
  problem.code = std::move(code);
  problem.detail = ref.pointer + " " + detail;
  problem.errors.push_back({ref.pointer, "invalid_field", std::move(detail)});
  return problem;
}

std::string wrong_kind(const MediaRef& ref, std::string_view offered) {
  return fmt::format("is of kind {}, {} is needed", offered, name(ref.kind));
}

base::Result<Resolved> resolve_media(Connection& connection, const MediaRef& ref, const Admission& admission) {
  if (const auto* artifact = std::get_if<media_ref::ArtifactRef>(&ref.value))
    return by_artifact(connection, ref, admission.job, artifact->id);
  if (const auto* upload = std::get_if<media_ref::UploadRef>(&ref.value)) return by_upload(connection, ref, admission.job, upload->id);
  if (const auto* url = std::get_if<media_ref::Url>(&ref.value)) return by_url(connection, ref, admission, *url);
  return by_result(connection, ref, admission, std::get<media_ref::ResultOf>(ref.value));
}

}  // namespace kinora::jobs
