#pragma once
// From a verified TaskResult to artifacts and the job's public `output` (developer-api 5.3.1). Pure.
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "jobs/artifacts.hpp"
#include "jobs/executor.hpp"
#include "jobs/job.hpp"
#include "tasks/event.hpp"

namespace kinora::jobs {

struct ResultOutput {
  json::object output;
  std::vector<std::pair<Artifact, std::vector<ArtifactFile>>> artifacts;
};

// Slot `hls` becomes one artifact of several files, a slot with several files an array, any other slot one object.
// `new_id` gives art_ ids.
// With what the worker tells of making it: the first `seed`, `notes` on what was changed in the request ("frames 80 became 81").
ResultOutput make_output(const Job& job, const tasks::TaskResult& result, UnixMillis now, const std::function<std::string()>& new_id);

// The digest of the weights that made all of them, as their workers tell ("sha256:" and 64 hex digits); nullopt: one tells none or another.
std::optional<std::string> weights_of(std::span<const tasks::TaskResult> parts);

// What the accelerated upscaling of a video's parts tells ("acceleration" of a result's `video`, docs/runner-api.md), put together:
// {"frames", "whole_frames", "tiles", "carried_share"}; nullopt when none tells.
std::optional<json::object> acceleration_of(std::span<const tasks::TaskResult> parts);

// What was done to a video's parts as their results' `video` tells, put together: sums of {"source_frames", "damaged_frames",
// "deinterlaced_frames", "resized_frames", "interpolated_frames", "cuts", "repeats"}, and of the first part that tells them "ops" and
// "notes". nullopt when none tells.
std::optional<json::object> enhancement_of(std::span<const tasks::TaskResult> parts);

// Files as declared against files as they arrived. The error is the failure of the attempt: transfer_failed (missing), verification_failed
// (other bytes), worker_error (a file or slot that the task does not have).
std::optional<tasks::TaskFailure> check_delivery(const tasks::TaskOrder& order, const tasks::TaskResult& result,
                                                 const std::vector<DeliveredFile>& arrived);

// {"video": {...}, "audio": {...}, "image": {...}} as far as a probe's media object tells.
json::object describe_media(const json::value& media, std::string_view kind);

}  // namespace kinora::jobs
