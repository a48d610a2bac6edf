#pragma once
// Where our programs are: a folder from the settings when given, else the folder of the running executable.
#include <filesystem>
#include <string_view>

#include "base/result.hpp"

namespace kinora::proc {

// The folder of the running executable (/proc/self/exe), links resolved.
base::Result<std::filesystem::path> executable_folder();
// The absolute path of an executable file `name` (such as "kinora-media") in `folder`, or beside the running executable
// when `folder` is empty. not_found names the place that was looked at.
base::Result<std::filesystem::path> find_program(std::string_view name, const std::filesystem::path& folder = {});

}  // namespace kinora::proc
