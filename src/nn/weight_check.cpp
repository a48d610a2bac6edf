#include "nn/weight_check.hpp"

#include <sstream>

namespace kinora::nn {
namespace {

std::string text(const std::vector<std::int64_t>& shape) {
  std::ostringstream out;
  out << '[';
  for (std::size_t i = 0; i < shape.size(); ++i) out << (i == 0 ? "" : ", ") << shape[i];
  out << ']';
  return out.str();
}

}  // namespace

WeightShapes shapes_of(const SafetensorsHeader& header) {
  WeightShapes shapes;
  for (const TensorEntry& entry : header.tensors) shapes.emplace(entry.name, entry.shape);
  return shapes;
}

void check_weights(const WeightShapes& needed, const WeightShapes& found, std::string_view file) {
  std::vector<std::string> differences;
  for (const auto& [name, shape] : needed) {
    const auto have = found.find(name);
    if (have == found.end())
      differences.push_back("missing " + name + " " + text(shape));
    else if (have->second != shape)
      differences.push_back(name + " has shape " + text(have->second) + ", needed " + text(shape));
  }
  for (const auto& [name, shape] : found)
    if (!needed.contains(name)) differences.push_back("unexpected " + name + " " + text(shape));
  if (differences.empty()) return;

  std::ostringstream report;
  report << differences.size() << " weights do not fit the architecture: ";
  for (std::size_t i = 0; i < differences.size() && i < kMaxReportedWeights; ++i) report << (i == 0 ? "" : "; ") << differences[i];
  if (differences.size() > kMaxReportedWeights) report << "; ...";
  throw LoadError(file, "", report.str());
}

}  // namespace kinora::nn
