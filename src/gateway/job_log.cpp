#include "gateway/job_log.hpp"

#include <fmt/format.h>

#include "base/time.hpp"

namespace kinora::gateway {
namespace {

int rank(std::string_view level) { return level == "error" ? 3 : level == "warn" ? 2 : level == "info" ? 1 : 0; }

std::string_view level_of(std::string_view type) {
  if (type == "job.failed" || type == "job.expired") return "error";
  if (type == "job.retrying" || type == "job.canceled") return "warn";
  return type == "job.progress" || type == "job.preview" ? "debug" : "info";
}

const json::value* member(const json::value* value, std::string_view key) {
  return value != nullptr && value->is_object() ? value->as_object().if_contains(key) : nullptr;
}

std::string text(const json::value* value) {
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::string message_of(const jobs::Event& event) {
  std::string message = event.type;
  if (const auto phase = text(member(&event.data, "phase")); !phase.empty()) message += " " + phase;
  if (const json::value* progress = member(&event.data, "progress"))
    if (const json::value* fraction = member(progress, "fraction"); fraction != nullptr && fraction->is_number())
      message += fmt::format(" {:.0f}%", 100 * fraction->to_number<double>());
  const json::value* error = member(&event.data, "error");
  const std::string code = text(error).empty() ? text(member(error, "code")) : text(error);
  if (!code.empty()) message += ": " + code;
  if (const auto detail = text(member(error, "detail")); !detail.empty()) message += ": " + detail;
  return message;
}

}  // namespace

LogPage::LogPage(std::int64_t after, std::string_view level, std::size_t limit) : after_(after), level_(rank(level)), limit_(limit) {}

void LogPage::add(const jobs::Event& event) {
  const auto level = level_of(event.type);
  if (event.seq <= after_ || rank(level) < level_ || has_more_) return;
  if (lines_.size() >= limit_) {
    has_more_ = true;
    return;
  }
  const json::value* attempt = member(&event.data, "attempt");
  lines_.push_back(json::object{{"seq", event.seq},
                                {"ts", base::to_rfc3339(event.time)},
                                {"level", level},
                                {"attempt", attempt != nullptr ? *attempt : json::value()},
                                {"source", "gateway"},
                                {"message", message_of(event)}});
}

json::object LogPage::to_json() const { return {{"object", "list"}, {"data", lines_}, {"has_more", has_more_}}; }

}  // namespace kinora::gateway
