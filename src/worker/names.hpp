#pragma once
// Names and texts that strangers chose, made safe for this machine. Pure.
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace kinora::worker {

inline constexpr std::size_t kMaxExtensionBytes = 8;

// The file name's extension as we use it for an input: "." and 1-8 of [a-z0-9], lower-cased; else empty. Some formats
// are told apart by it alone; nothing else of a client's file name reaches the disk.
std::string safe_extension(std::string_view file_name);

// Where an output that a program reported lies: `name` checked by tasks::is_file_name, no symbolic link on the way, a regular
// file inside `folder`. Errors: invalid (the name, a link, not a file), not_found.
base::Result<std::filesystem::path> output_path(const std::filesystem::path& folder, std::string_view name);

// `text` for strangers' eyes: every occurrence of `folder` and what follows it up to a blank or quote becomes "…".
std::string redacted(std::string_view text, const std::filesystem::path& folder);

}  // namespace kinora::worker
