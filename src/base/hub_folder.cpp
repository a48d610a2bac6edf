#include "base/hub_folder.hpp"

#include <fstream>

namespace kinora::base {

namespace fs = std::filesystem;

std::optional<HubSnapshot> find_hub_snapshot(const fs::path& folder) {
  constexpr std::string_view kPrefix = "models--";
  const std::string name = folder.filename().string();
  if (!name.starts_with(kPrefix) || name.size() == kPrefix.size()) return std::nullopt;
  HubSnapshot found{.id = name.substr(kPrefix.size()), .path = {}};
  if (const auto dashes = found.id.find("--"); dashes != std::string::npos) found.id.replace(dashes, 2, "/");

  std::error_code error;
  std::string commit;
  std::ifstream reference(folder / "refs/main");
  std::getline(reference, commit);
  const bool plain = !commit.empty() && commit.find('/') == std::string::npos && !commit.starts_with('.');
  if (plain && fs::is_directory(folder / "snapshots" / commit, error)) {
    found.path = folder / "snapshots" / commit;
    return found;
  }
  fs::file_time_type newest;
  for (const auto& entry : fs::directory_iterator(folder / "snapshots", error)) {
    if (!entry.is_directory(error) || entry.path().filename().string().starts_with('.')) continue;
    const auto written = entry.last_write_time(error);
    if (!found.path.empty() && written <= newest) continue;
    found.path = entry.path();
    newest = written;
  }
  return found.path.empty() ? std::nullopt : std::optional(found);
}

}  // namespace kinora::base
