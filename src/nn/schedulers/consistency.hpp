#pragma once
// The timesteps of consistency models: a few of those on which the model was distilled. Internal to this folder.
#include <cstdint>
#include <vector>

namespace kinora::nn {

// origin: the distillation's steps over `train` timesteps; nullopt-like 0: every timestep. Falling, `steps` of them.
// Throws std::invalid_argument when more steps are asked for than there are.
std::vector<double> distilled_timesteps(std::int64_t train, std::int64_t origin, std::int64_t steps);

}  // namespace kinora::nn
