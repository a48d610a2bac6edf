#pragma once

namespace kinora::cli {

inline constexpr const char* kVersion = "0.1.0";

}  // namespace kinora::cli
