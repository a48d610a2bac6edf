#pragma once
// Structured logs on stderr: one line a message, `time level component message key=value ...`, or JSON with json=true.
// Values are quoted where needed. Never log secrets, query strings or media paths of users.
//   log::info("market", "session opened", {{"node", url}, {"latency_ms", latency}});
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace kinora::base::log {

enum class Level { debug, info, warn, error, off };

struct Field {
  Field(std::string_view key_, std::string_view value_) : key(key_), value(value_), quoted(true) {}
  Field(std::string_view key_, const char* value_) : Field(key_, std::string_view(value_)) {}
  Field(std::string_view key_, const std::string& value_) : Field(key_, std::string_view(value_)) {}
  template <class Number>
    requires std::is_arithmetic_v<Number>
  Field(std::string_view key_, Number value_) : key(key_), value(std::to_string(value_)), quoted(false) {}
  std::string_view key;
  std::string value;
  bool quoted;
};
using Fields = std::initializer_list<Field>;

// Process-wide; call once at start, before threads. Default: info, text.
void configure(Level minimum, bool as_json);
void write(Level level, std::string_view component, std::string_view message, Fields fields = {});

inline void debug(std::string_view component, std::string_view message, Fields fields = {}) {
  write(Level::debug, component, message, fields);
}
inline void info(std::string_view component, std::string_view message, Fields fields = {}) {
  write(Level::info, component, message, fields);
}
inline void warn(std::string_view component, std::string_view message, Fields fields = {}) {
  write(Level::warn, component, message, fields);
}
inline void error(std::string_view component, std::string_view message, Fields fields = {}) {
  write(Level::error, component, message, fields);
}

}  // namespace kinora::base::log
