#include "kinora/model_folders.hpp"

#include "kinora/home.hpp"
#include "proc/programs.hpp"

namespace kinora::cli {

namespace fs = std::filesystem;

std::vector<fs::path> model_folders(const base::Config& config) {
  std::vector<fs::path> candidates;
  std::error_code error;
  if (const auto home = Home::open()) {
    fs::create_directories(home->models(), error);  // so that a model pulled later is found by what runs already
    candidates.push_back(home->models());
  }
  if (const auto program = proc::executable_folder()) {
    candidates.push_back(*program / "../share/kinora/weights");
    candidates.push_back(*program / "../../../weights");  // build/<preset>/bin of a checkout
  }
  std::vector<fs::path> found;
  for (const fs::path& folder : candidates)
    if (fs::is_directory(folder, error)) found.push_back(fs::canonical(folder, error));
  for (const std::string& folder : config.list("worker.models")) found.emplace_back(folder);
  return found;
}

}  // namespace kinora::cli
