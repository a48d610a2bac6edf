#pragma once
// The safety checker as a part of a pipeline: loaded with the first request that wants it. One thread.
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "models/diffusion/component.hpp"
#include "models/model_files.hpp"
#include "models/safety/safety_checker.hpp"

namespace kinora::models::safety {

struct CheckerFiles {
  std::filesystem::path folder, processor;  // config.json and weights; preprocessor_config.json
};
// The model's own (safety_checker/, feature_extractor/), else that of the settings, else none.
std::optional<CheckerFiles> find_checker(const ModelFiles& files, const PipelineSettings& settings);

class SafetyStage {
 public:
  explicit SafetyStage(CheckerFiles files) : files_(std::move(files)) {}
  // Fills in the result's flags. Adds the network to `components` once.
  void check(const GenerationRequest& request, diffusion::Components& components, GenerationResult& result);

 private:
  CheckerFiles files_;
  std::shared_ptr<const SafetyChecker> checker_;
};

}  // namespace kinora::models::safety
