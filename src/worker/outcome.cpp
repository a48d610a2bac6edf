#include "worker/outcome.hpp"

namespace kinora::worker {

tasks::TaskFailure disk_failure(const base::Error& error) { return tasks::failure("worker_error", "the worker's disk: " + error.message); }

}  // namespace kinora::worker
