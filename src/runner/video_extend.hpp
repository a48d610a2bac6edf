#pragma once
// A video that goes on: a pipeline makes more frames from its last picture, and both become one file. Sound is not carried.
#include <string>

#include "runner/generate.hpp"

namespace kinora::runner {

// Completes the request of "video-extend" from the source: its last picture, and, where the task names none, its size (rounded down to what
// the model can make) and its frame rate. invalid, unsupported, too_large: the source.
base::Status continue_from(const std::string& source, const models::PipelineInfo& model, const media::Limits& limits,
                           models::GenerationRequest& wanted);

// The source's frames at their times, scaled to the size that was made, then the made ones but for the first, which is the source's last.
base::Result<Generated> write_continued(const models::GenerationResult& result, const TaskRequest& request, const std::string& recipe,
                                        const media::Limits& limits);

}  // namespace kinora::runner
