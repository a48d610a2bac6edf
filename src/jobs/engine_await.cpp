// Inputs that come later by themselves: media by URL, and results of other jobs (engine_state.hpp).
#include "base/log.hpp"
#include "jobs/engine_state.hpp"

namespace kinora::jobs {
namespace {

using store::Connection;

// A part has no life of its own: what went wrong with it went wrong with the input.
void tell_why(tasks::Problem& problem, const json::value& error, bool part) {
  const json::object* why = error.if_object();
  if (why == nullptr || !why->contains("code") || !why->contains("detail")) return;
  const std::string code(why->at("code").as_string()), detail(why->at("detail").as_string());
  if (part) {
    problem.code = code;
    problem.detail = detail;
  } else {
    problem.detail += " (" + code + ": " + detail + ")";
  }
}

struct Brought {
  std::optional<Artifact> artifact;
  std::optional<tasks::Problem> problem;
  std::optional<std::int64_t> offset;  // of the event; none: somebody was faster
};

// The upload ends with the artifact that the job made, or fails with what became of the job.
base::Result<Brought> take_result(Connection& connection, const std::string& id, const Job& job, const Event& completed,
                                  const Event& failed) {
  Brought out;
  KINORA_TRY(Upload upload, find_upload(connection, id));
  if (upload.status != UploadStatus::processing) return out;
  const json::object& source = upload.source.as_object();
  OutputPath path{.slot = std::string(source.at("slot").as_string()), .index = {}};
  if (const json::value* index = source.if_contains("index")) path.index = index->to_number<std::size_t>();
  tasks::Problem problem;
  problem.code = "upstream_failed";
  const auto made = job.status == Status::succeeded ? artifact_at(job.output, path) : std::nullopt;
  if (made) {
    auto artifact = find_artifact(connection, upload.project, *made);
    if (artifact) out.artifact = std::move(*artifact);
    problem.detail = "the result of " + job.id + " is gone";
  } else if (job.status == Status::succeeded) {
    problem.detail = "the output of " + job.id + " has no such file, or several: name one by its index";
  } else {
    problem.detail = job.id + ", whose result is the input, is " + std::string(name(job.status));
    tell_why(problem, job.error, source.contains("part"));
  }
  upload.status = out.artifact ? UploadStatus::complete : UploadStatus::failed;
  if (out.artifact) {
    upload.artifact = out.artifact->id;
  } else {
    upload.error = tasks::to_json(problem);
    out.problem = std::move(problem);
  }
  KINORA_OK(update_upload(connection, upload));
  KINORA_TRY(out.offset, append_event(connection, out.artifact ? completed : failed));
  return out;
}

struct Dropped {
  Upload upload;
  std::int64_t offset = 0;
};

// Nobody waits for it any more. nullopt: it has ended, or a client sends it.
base::Result<std::optional<Dropped>> drop_input(Connection& connection, const std::string& id, const Event& event) {
  Dropped out;
  KINORA_TRY(out.upload, find_upload(connection, id));
  if (out.upload.status != UploadStatus::processing || out.upload.source.is_null()) return std::optional<Dropped>();
  out.upload.status = UploadStatus::canceled;
  forget_headers(out.upload);
  KINORA_OK(update_upload(connection, out.upload));
  KINORA_TRY(out.offset, append_event(connection, event));
  return std::optional(std::move(out));
}

}  // namespace

void Engine::State::drop_inputs(const ActiveJob& ended) {
  for (const JobInput& input : ended.inputs) {
    if (!input.upload || !input.sha256.empty()) continue;
    const std::string id = *input.upload;
    const Event canceled = event(id, ended.job.project, "upload.failed", {{"id", id}, {"object", "upload"}, {"status", "canceled"}});
    database_.post_write([id, canceled](Connection& connection) { return drop_input(connection, id, canceled); },
                         [weak = weak_from_this(), id](const base::Result<std::optional<Dropped>>& dropped) {
                           const auto self = weak.lock();
                           if (!self || !dropped || !*dropped) return;
                           self->feed_.announce(id, (*dropped)->offset);
                           const json::object& source = (*dropped)->upload.source.as_object();
                           if (source.contains("url") && self->url_media_.stop) self->url_media_.stop(id);
                           if (!source.contains("part")) return;
                           if (ActiveJob* part = self->find(std::string(source.at("job").as_string())))
                             self->end_job(*part, {Status::canceled, "job.canceled", nullptr, "the job that needed it has ended"});
                         });
  }
}

void Engine::State::await(Upload upload) {
  const json::object& source = upload.source.as_object();
  if (source.contains("url")) {
    if (url_media_.fetch) url_media_.fetch(std::move(upload));
    return;
  }
  const std::string job(source.at("job").as_string());
  if (active_.contains(job)) {
    awaited_results_.emplace(job, std::move(upload));
    return;
  }
  // It ended while nobody listened, or has been accepted just now.
  database_.post_write([job](Connection& connection) { return find_job(connection, job); },
                       [weak = weak_from_this(), job, upload = std::move(upload)](const base::Result<Job>& ended) {
                         const auto self = weak.lock();
                         if (!self) return;
                         if (ended && !terminal(ended->status))
                           self->awaited_results_.emplace(job, upload);
                         else if (ended)
                           self->bring_result(upload, *ended);
                         else
                           self->input_failed(upload.id, "upstream_failed", "the job whose result is the input is gone");
                       });
}

void Engine::State::result_ended(const Job& job) {
  const auto [first, last] = awaited_results_.equal_range(job.id);
  for (auto at = first; at != last; ++at) bring_result(at->second, job);
  awaited_results_.erase(first, last);
}

void Engine::State::bring_result(const Upload& upload, const Job& job) {
  const std::string id = upload.id;
  const json::object data{{"id", id}, {"object", "upload"}};
  const Event completed = event(id, upload.project, "upload.completed", data), failed = event(id, upload.project, "upload.failed", data);
  database_.post_write([id, job, completed, failed](Connection& connection) { return take_result(connection, id, job, completed, failed); },
                       [weak = weak_from_this(), id](const base::Result<Brought>& brought) {
                         const auto self = weak.lock();
                         if (!self) return;
                         if (!brought) {
                           base::log::error("jobs", "a result was not handed on", {{"upload", id}, {"error", brought.error().message}});
                           return self->input_failed(id, "internal", "the input could not be stored");
                         }
                         if (brought->offset) self->feed_.announce(id, *brought->offset);
                         if (brought->artifact) self->input_ready(id, *brought->artifact);
                         if (brought->problem) self->input_failed(id, brought->problem->code, brought->problem->detail);
                       });
}

}  // namespace kinora::jobs
