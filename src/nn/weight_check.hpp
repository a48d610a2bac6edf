#pragma once
// Compares what an architecture needs with what a file holds, and reports the first ten differences at once. No LibTorch.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "nn/safetensors_header.hpp"

namespace kinora::nn {

inline constexpr std::size_t kMaxReportedWeights = 10;

using WeightShapes = std::map<std::string, std::vector<std::int64_t>>;

WeightShapes shapes_of(const SafetensorsHeader& header);

// Throws LoadError that lists at most kMaxReportedWeights missing, unexpected and wrong-shape weights and says how many there are.
void check_weights(const WeightShapes& needed, const WeightShapes& found, std::string_view file);

}  // namespace kinora::nn
