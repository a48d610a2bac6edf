#pragma once
// Adapters that distil Wan to a few steps (lightx2v, Wan2.2-Lightning): the schedule that they were trained for, told by their names.
#include <string_view>

#include "models/pipeline.hpp"

namespace kinora::models::wan {

// "wan2.2_t2v_lightx2v_4steps_lora_v1.1_high_noise": 4 steps (or as many as the name tells) without guidance, flow-matching Euler at the
// levels 1, 3/4, 1/2, 1/4 shifted by 5. Other names change nothing.
void apply_distilled(std::string_view adapter, PipelineInfo& info);

}  // namespace kinora::models::wan
