#pragma once
// The transaction that accepts a job: idempotency record, inline media, inputs, job, first task and first events, all or nothing.
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "jobs/engine.hpp"
#include "jobs/job_rows.hpp"
#include "jobs/sdk_retry.hpp"
#include "jobs/submission.hpp"
#include "jobs/uploads.hpp"

namespace kinora::jobs {

using NewId = std::function<std::string(std::string_view prefix)>;

struct Admission {
  Job job;  // as wanted, with id and times
  std::vector<MediaRef> media;
  std::map<std::size_t, store::Blob> inlined;  // by index of media: stored data: URIs
  std::optional<IdempotencyScope> idempotency;
  std::optional<SubjectHook> webhook;
  std::optional<SdkTry> sdk;
  std::optional<std::string> no_model;  // why the model is refused (SubmitRequest)
  bool chosen_id = false;               // job.id was handed in and may be there already
  std::optional<std::string> prefer_node;
  unsigned free_slots = 0;  // of the job's task, for the plan
  PlanSettings plan;
  std::int64_t input_retention_s = 604'800;
  std::int64_t upload_lifetime_s = 86'400;
  std::function<base::Status(std::string_view url)> check_url;  // empty: media by URL is not fetched here
  std::vector<std::string> parts;                               // ids of jobs that are admitted right after this one and make its inputs
  NewId new_id;
};

struct Admitted {
  // The key was used before, or a chosen id: InProgress, Mismatch or Replay (then `job` is the first request's).
  std::optional<IdempotencyState> earlier;
  bool implicit = false;  // a Replay that an SDK's count has found
  Job job;
  std::vector<JobInput> inputs;
  std::vector<TaskRow> tasks;
  std::vector<Upload> awaited;        // new: inputs that come later by themselves
  std::vector<std::int64_t> offsets;  // of its events
};

tasks::Problem no_model(const std::string& why);

// Inside a write. When the request is at fault the result is an error, so that nothing is written, and `problem` says what to answer.
base::Result<Admitted> admit(store::Connection& connection, const Admission& admission, std::optional<tasks::Problem>& problem);

// The first task of a job whose inputs are all there; several of it when it is to be done by several nodes.
std::vector<TaskRow> first_tasks(const Job& job, const std::vector<JobInput>& inputs, const json::value& media, unsigned free_slots,
                                 const PlanSettings& settings, const NewId& new_id);
JobInput input_of(std::string_view slot, int ordinal, const Artifact& artifact);
Event new_event(const NewId& new_id, std::string_view subject, std::string_view project, std::string_view type, json::value data,
                UnixMillis now);

}  // namespace kinora::jobs
