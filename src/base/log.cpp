#include "base/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>

#include "base/json.hpp"
#include "base/time.hpp"

namespace kinora::base::log {
namespace {

std::atomic<Level> minimum_level{Level::info};
std::atomic<bool> json_lines{false};

spdlog::logger& sink() {
  static const auto logger = [] {
    auto made = std::make_shared<spdlog::logger>("kinora", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->set_level(spdlog::level::trace);
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *logger;
}

std::string_view level_name(Level level) {
  switch (level) {
    case Level::debug: return "debug";
    case Level::info: return "info";
    case Level::warn: return "warn";
    case Level::error: return "error";
    case Level::off: return "off";
  }
  return "info";
}

std::string quote(std::string_view text) { return json::serialize(json::string(text)); }

bool plain(std::string_view text) {
  return !text.empty() && text.find_first_of(" \t\r\n\"=\\") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x20; });
}

}  // namespace

void configure(Level minimum, bool as_json) {
  minimum_level = minimum;
  json_lines = as_json;
}

void write(Level level, std::string_view component, std::string_view message, Fields fields) {
  if (level < minimum_level.load(std::memory_order_relaxed) || level == Level::off) return;
  const std::string now = to_rfc3339(wall_clock());
  std::string line;
  if (json_lines.load(std::memory_order_relaxed)) {
    line =
        fmt::format(R"({{"time":"{}","level":"{}","component":{},"message":{})", now, level_name(level), quote(component), quote(message));
    for (const Field& field : fields) line += fmt::format(",{}:{}", quote(field.key), field.quoted ? quote(field.value) : field.value);
    line += '}';
  } else {
    line = fmt::format("{} {:<5} {}: {}", now, level_name(level), component, message);
    for (const Field& field : fields) line += fmt::format(" {}={}", field.key, plain(field.value) ? field.value : quote(field.value));
  }
  sink().log(spdlog::level::info, line);
}

}  // namespace kinora::base::log
