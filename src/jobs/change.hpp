#pragma once
// One transition of a job: everything that one transaction writes. Built on the engine's thread, applied on the database's.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "jobs/artifacts.hpp"
#include "jobs/events.hpp"
#include "jobs/job_rows.hpp"

namespace kinora::jobs {

struct Change {
  Job job;
  std::vector<JobInput> inputs;                                           // replaced
  std::vector<TaskRow> tasks;                                             // inserted or replaced
  std::vector<Attempt> attempts;                                          // inserted or replaced
  std::vector<std::pair<Artifact, std::vector<ArtifactFile>>> artifacts;  // new
  std::vector<Event> events;
  // Of a terminal change: closes open attempts with this state, and lets go of what attempts delivered.
  std::optional<std::string> close_attempts;
};

struct Applied {
  std::vector<std::int64_t> offsets;  // of the events, in order
  std::vector<std::string> released;  // blobs that a row of this change no longer names
};

// conflict when the job is terminal already: then nothing is written.
base::Result<Applied> apply(store::Connection& connection, const Change& change);

}  // namespace kinora::jobs
