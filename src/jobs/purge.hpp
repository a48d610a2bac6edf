#pragma once
// Taking a finished job's data away (developer-api 5.15): input, output, parameters, messages, files. What stays is that it was: task,
// times, states, attempts, events without their data.
#include <string>
#include <vector>

#include "jobs/job.hpp"
#include "store/sqlite.hpp"

namespace kinora::jobs {

// Inside a write. The job must be terminal. Returns blobs that may have lost their last owner. A purged job may be purged again.
// Artifacts that another job at work reads stay until that has ended.
base::Result<std::vector<std::string>> purge_job(store::Connection& connection, const Job& job);

}  // namespace kinora::jobs
