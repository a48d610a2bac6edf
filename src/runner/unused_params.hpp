#pragma once
// Parameters of a generation that its model has no use for. They are no faults, for defaults and workflows give them to any model; whoever
// asked is told.
#include <string>
#include <vector>

#include "models/pipeline.hpp"
#include "runner/task_request.hpp"

namespace kinora::runner {

// A note for each that was given with a value that would have an effect elsewhere: "guidance_scale_2 is not used: ...". Pure.
std::vector<std::string> unused_params(const TaskRequest& request, const models::PipelineInfo& model);

}  // namespace kinora::runner
