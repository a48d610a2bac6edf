#pragma once
#include <filesystem>

#include "base/bytes.hpp"

namespace kinora::gateway {

inline constexpr std::size_t kSecretBytes = 32;

// Reads the secret (64 hex digits); makes it when the file is absent, mode 0600, so that signed URLs outlive a restart.
// Errors: io, invalid (the file holds something else).
base::Result<base::Bytes> load_or_create_secret(const std::filesystem::path& file);

}  // namespace kinora::gateway
