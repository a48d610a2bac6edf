#pragma once
// One task from its request to its outcome, on the calling (inference) thread.
#include <stop_token>

#include "runner/model_store.hpp"
#include "runner/reporter.hpp"
#include "runner/settings.hpp"
#include "runner/task_request.hpp"
#include "tasks/event.hpp"

namespace kinora::runner {

// Reports "prepare" and "run" progress as it comes, and returns the TaskResult or the TaskFailure; never throws. *device_lost becomes
// true when the device cannot be used any more.
tasks::TaskEvent execute(const TaskRequest& request, ModelStore& models, const RunnerSettings& settings, std::stop_token stop,
                         const Report& report, bool* device_lost);

}  // namespace kinora::runner
