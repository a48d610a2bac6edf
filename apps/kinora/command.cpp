#include "kinora/command.hpp"

#include <cstdio>

#include "base/json.hpp"

namespace kinora::cli {

int report(const Context& context, const base::Error& error) {
  std::fprintf(stderr, "kinora: %s\n", error.message.c_str());
  if (context.json) {
    const std::string_view code = context.problem->empty() ? base::name(error.code) : *context.problem;
    const base::json::object body{{"error", {{"code", code}, {"detail", error.message}}}};
    std::printf("%s\n", base::json::serialize(body).c_str());
  }
  switch (error.code) {
    case base::ErrorCode::exhausted: return kExitCapacity;
    case base::ErrorCode::canceled: return kExitInterrupted;
    default: return kExitFailed;
  }
}

int report_usage(const Context& context, const base::Error& error) {
  report(context, error);
  return kExitUsage;
}

}  // namespace kinora::cli
