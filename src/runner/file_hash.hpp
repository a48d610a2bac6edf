#pragma once
#include <filesystem>
#include <stop_token>
#include <string>

#include "base/result.hpp"

namespace kinora::runner {

// The SHA-256 of a file, 64 lower-case hex digits. Errors: io; canceled when asked to stop.
base::Result<std::string> file_sha256(const std::filesystem::path& file, const std::stop_token& stop);

}  // namespace kinora::runner
