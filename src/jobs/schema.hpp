#pragma once
// The tables of room jobs, by numbered steps (store::Database::migrate).
#include <span>
#include <string_view>

namespace kinora::jobs {

inline constexpr std::string_view kSchemaRoom = "jobs";
std::span<const std::string_view> schema_steps();

}  // namespace kinora::jobs
