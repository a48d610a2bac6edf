#include "jobs/admission.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "jobs/redundancy.hpp"
#include "jobs/resolve_media.hpp"

namespace kinora::jobs {
namespace {

using store::Connection;

constexpr int kAcceptedStatus = 202;
constexpr std::chrono::hours kIdempotencyLife{24};

// All that is wrong with a request that is well-formed: the first names the problem.
class Refusals {
 public:
  void add(tasks::Problem problem) {
    if (!all_) {
      all_ = std::move(problem);
      return;
    }
    std::move(problem.errors.begin(), problem.errors.end(), std::back_inserter(all_->errors));
    all_->detail = fmt::format("{} things are wrong with the request; see errors", all_->errors.size());
  }
  std::optional<tasks::Problem> take() { return std::move(all_); }

 private:
  std::optional<tasks::Problem> all_;
};

base::Result<Artifact> store_inline(Connection& connection, const Admission& admission, const MediaRef& ref, const store::Blob& blob) {
  Artifact artifact;
  artifact.id = admission.new_id("art");
  artifact.project = admission.job.project;
  artifact.mime = std::get<media_ref::Inline>(ref.value).mime;
  artifact.kind = kind_of_mime(artifact.mime);
  artifact.filename = "inline";
  artifact.bytes = blob.bytes();
  artifact.sha256 = blob.sha256();
  artifact.source = {{"job", admission.job.id}, {"slot", ref.slot}};
  artifact.created_at = admission.job.created_at;
  artifact.expires_at = artifact.created_at + std::chrono::seconds(admission.input_retention_s);
  KINORA_OK(insert_artifact(connection, artifact, {{"", artifact.sha256, artifact.bytes, artifact.mime}}));
  return artifact;
}

json::value* place_of(Job& job, const MediaRef& ref) {
  json::value* slot = job.input.if_contains(ref.slot);
  if (slot == nullptr || !slot->is_array()) return slot;
  return &slot->get_array()[static_cast<std::size_t>(ref.ordinal)];
}

// The record keeps the reference, not the bytes a second time.
void replace_inline(Job& job, const MediaRef& ref, const Artifact& artifact) {
  if (json::value* place = place_of(job, ref)) *place = json::object{{"artifact", artifact.id}};
}

// They may hold a key, and a job is read by many.
void leave_out_headers(Job& job, const MediaRef& ref) {
  json::value* place = place_of(job, ref);
  if (place != nullptr && place->is_object()) place->get_object().erase("headers");
}

// Looks the key up; true when this request is the first with it.
base::Result<bool> begin(Connection& connection, const Admission& admission, Admitted& out, std::optional<tasks::Problem>& problem) {
  if (admission.chosen_id) {
    auto job = find_job(connection, admission.job.id);
    if (job) {
      out.job = std::move(*job);
      out.earlier = idempotent::Replay{};
      return false;
    }
    if (job.error().code != base::ErrorCode::not_found) return base::fail(job.error());
  }
  if (!admission.idempotency) return true;
  KINORA_TRY(auto state, begin_idempotent(connection, *admission.idempotency, admission.job.created_at));
  if (std::holds_alternative<idempotent::Fresh>(state)) return true;
  if (const auto* replay = std::get_if<idempotent::Replay>(&state)) {
    auto job = find_job(connection, replay->resource);
    if (!job) {
      problem = tasks::Problem{.code = "gone", .detail = "the job of this idempotency key has been deleted"};
      return base::fail(base::ErrorCode::canceled, "gone");
    }
    out.job = std::move(*job);
  }
  out.earlier = std::move(state);
  return false;
}

// The same for an SDK that counts its tries instead.
base::Result<bool> begin_sdk(Connection& connection, const Admission& admission, Admitted& out) {
  if (!admission.sdk || admission.idempotency) return true;
  KINORA_TRY(const auto earlier, find_sdk_try(connection, *admission.sdk, admission.job.created_at));
  if (!earlier) {
    KINORA_OK(remember_sdk_try(connection, *admission.sdk, admission.job.id, admission.job.created_at));
    return true;
  }
  KINORA_TRY(out.job, find_job(connection, *earlier));
  out.earlier = idempotent::Replay{kAcceptedStatus, "", *earlier};
  out.implicit = true;
  return false;
}

}  // namespace

tasks::Problem no_model(const std::string& why) {
  tasks::Problem problem;
  problem.code = "model_not_found";
  problem.detail = why;
  problem.errors.push_back({"/model", "not_allowed", why});
  return problem;
}

JobInput input_of(std::string_view slot, int ordinal, const Artifact& artifact) {
  JobInput input;
  input.slot = slot;
  input.ordinal = ordinal;
  input.artifact = artifact.id;
  input.sha256 = artifact.sha256;
  input.name = artifact.filename;
  input.mime = artifact.mime;
  input.bytes = artifact.bytes;
  return input;
}

Event new_event(const NewId& new_id, std::string_view subject, std::string_view project, std::string_view type, json::value data,
                UnixMillis now) {
  Event out;
  out.id = new_id("evt");
  out.project = project;
  out.subject = subject;
  out.type = type;
  out.time = now;
  out.data = std::move(data);
  return out;
}

std::vector<TaskRow> first_tasks(const Job& job, const std::vector<JobInput>& inputs, const json::value& media, unsigned free_slots,
                                 const PlanSettings& settings, const NewId& new_id) {
  const Redundancy redundancy = redundancy_of(job.requirements);
  constexpr double kCutShare = 0.02;  // of the frames' work: reading packets is quick beside the network
  TaskRow task;
  task.job = job.id;
  task.attempt = new_id("att");
  task.due_at = job.created_at;
  for (const JobInput& input : inputs) task.inputs.push_back({input.slot, input.name, input.sha256, input.bytes});
  const SourceFacts source = source_facts(media);
  // Whole results are compared: a job with replicas is not cut.
  if (redundancy.replicas == 1 && plan(job.task, job.params, source, free_slots, settings) == PlanKind::chunked) {
    task.step = "cut";
    task.task = "cut";
    task.params = cut_params(job.task, source, settings);
    task.weight = std::max(source.frames, 1.0) * kCutShare;
  } else {
    task.step = "run";
    task.task = job.task;
    task.params = job.params;
  }
  std::vector<TaskRow> out{std::move(task)};
  for (int replica = 1; replica < redundancy.replicas; ++replica) {
    TaskRow next = out.front();
    next.ordinal = replica;
    next.attempt = new_id("att");
    out.push_back(std::move(next));
  }
  return out;
}

base::Result<Admitted> admit(Connection& connection, const Admission& admission, std::optional<tasks::Problem>& problem) {
  Admitted out;
  KINORA_TRY(const bool first, begin(connection, admission, out, problem));
  if (!first) return out;
  KINORA_TRY(const bool new_to_sdk, begin_sdk(connection, admission, out));
  if (!new_to_sdk) return out;
  out.job = admission.job;
  bool ready = true;
  json::value media;
  Refusals refusals;
  if (admission.no_model) refusals.add(no_model(*admission.no_model));
  for (std::size_t i = 0; i < admission.media.size(); ++i) {
    const MediaRef& ref = admission.media[i];
    JobInput input;
    if (const auto blob = admission.inlined.find(i); blob != admission.inlined.end()) {
      KINORA_TRY(const Artifact artifact, store_inline(connection, admission, ref, blob->second));
      if (!tasks::accepts(ref.kind, artifact.kind)) {
        refusals.add(unresolved(ref, "input_invalid", wrong_kind(ref, artifact.kind)));
        continue;
      }
      input = input_of(ref.slot, ref.ordinal, artifact);
      replace_inline(out.job, ref, artifact);
    } else {
      KINORA_TRY(auto resolved, resolve_media(connection, ref, admission));
      if (!resolved) {
        refusals.add(std::move(resolved.error()));
        continue;
      }
      if (resolved->artifact) {
        input = input_of(ref.slot, ref.ordinal, *resolved->artifact);
        if (media.is_null()) media = resolved->artifact->media;
      }
      input.slot = ref.slot;
      input.ordinal = ref.ordinal;
      input.upload = resolved->upload;
      if (resolved->awaited) out.awaited.push_back(std::move(*resolved->awaited));
      ready = ready && resolved->artifact;
      leave_out_headers(out.job, ref);
    }
    out.inputs.push_back(std::move(input));
  }
  problem = refusals.take();
  if (problem) return base::fail(base::ErrorCode::canceled, "not admitted");
  out.job.phase = ready ? Phase::queued : Phase::awaiting_input;
  if (ready) {
    out.job.queued_at = out.job.created_at;
    out.tasks = first_tasks(out.job, out.inputs, media, admission.free_slots, admission.plan, admission.new_id);
    out.tasks.front().node = admission.prefer_node;
  }
  KINORA_OK(insert_job(connection, out.job, out.inputs));
  for (const TaskRow& task : out.tasks) KINORA_OK(put_task(connection, task));
  if (admission.webhook) KINORA_OK(put_subject_hook(connection, out.job.id, *admission.webhook));
  std::vector<std::string_view> types{"job.created"};
  if (ready) types.emplace_back("job.queued");
  for (const std::string_view type : types) {
    KINORA_TRY(const auto offset, append_event(connection, new_event(admission.new_id, out.job.id, out.job.project, type,
                                                                     event_data(out.job), out.job.created_at)));
    out.offsets.push_back(offset);
  }
  if (admission.idempotency) {
    const UnixMillis kept = std::max(out.job.created_at + kIdempotencyLife, out.job.deadline_at + kIdempotencyLife);
    KINORA_OK(finish_idempotent(connection, *admission.idempotency, {kAcceptedStatus, "", out.job.id}, kept));
  }
  return out;
}

}  // namespace kinora::jobs
