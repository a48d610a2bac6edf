#include "jobs/change.hpp"

namespace kinora::jobs {

base::Result<Applied> apply(store::Connection& connection, const Change& change) {
  KINORA_OK(update_job(connection, change.job));
  Applied out;
  for (const JobInput& input : change.inputs) KINORA_OK(set_input(connection, change.job.id, input));
  for (const TaskRow& task : change.tasks) KINORA_OK(put_task(connection, task));
  for (const Attempt& attempt : change.attempts) KINORA_OK(put_attempt(connection, attempt));
  for (const auto& [artifact, files] : change.artifacts) KINORA_OK(insert_artifact(connection, artifact, files));
  if (change.close_attempts) {
    KINORA_OK(close_attempts(connection, change.job.id, *change.close_attempts, change.job.completed_at.value_or(change.job.created_at)));
    KINORA_TRY(out.released, delivered_blobs(connection, change.job.id));
    KINORA_OK(drop_attempt_files(connection, change.job.id));
  }
  for (const Event& event : change.events) {
    KINORA_TRY(const std::int64_t offset, append_event(connection, event));
    out.offsets.push_back(offset);
  }
  return out;
}

}  // namespace kinora::jobs
