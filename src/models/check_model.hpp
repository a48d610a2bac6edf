#pragma once
// Whether a model can be loaded, seen from its configurations, its tokenizers and the headers of its weight files; no weight is read, so
// that values which are not finite are found only when it runs. Throws nn::LoadError with what is missing, superfluous or of another
// shape. Any thread.
#include <filesystem>

#include "models/pipeline.hpp"
#include "nn/model_folder_fwd.hpp"

namespace kinora::models {

void check_pipeline(const std::filesystem::path& path, const PipelineSettings& settings = {});
void check_upscaler(const nn::ModelFolder& folder);
void check_interpolator(const nn::ModelFolder& folder);

}  // namespace kinora::models
