#pragma once
#include <filesystem>
#include <vector>

namespace kinora::cli {

// Folders that hold model folders: KINORA_HOME/models, then the starter models: <prefix>/share/kinora/weights of an
// installation, or weights/ of the checkout that the program was built in. Only those that exist.
std::vector<std::filesystem::path> model_folders();

}  // namespace kinora::cli
