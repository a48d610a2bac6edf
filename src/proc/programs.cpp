#include "proc/programs.hpp"

#include <unistd.h>

#include <string>

namespace kinora::proc {
namespace fs = std::filesystem;

base::Result<fs::path> executable_folder() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error) return base::fail(base::ErrorCode::io, "cannot read /proc/self/exe: " + error.message());
  return program.parent_path();
}

base::Result<fs::path> find_program(std::string_view name, const fs::path& folder) {
  fs::path place = folder;
  if (place.empty()) {
    KINORA_TRY(place, executable_folder());
  }
  std::error_code error;
  fs::path program = fs::absolute(place, error) / name;
  if (error || !fs::is_regular_file(program, error) || ::access(program.c_str(), X_OK) != 0) {
    return base::fail(base::ErrorCode::not_found, std::string(name) + " is not in " + place.string());
  }
  return program;
}

}  // namespace kinora::proc
