#pragma once
#include <filesystem>
#include <vector>

#include "base/config.hpp"

namespace kinora::cli {

// Folders that hold model folders: KINORA_HOME/models, then the starter models: <prefix>/share/kinora/weights of an
// installation, or weights/ of the checkout that the program was built in: only those that exist. Then worker.models.
std::vector<std::filesystem::path> model_folders(const base::Config& config);

}  // namespace kinora::cli
