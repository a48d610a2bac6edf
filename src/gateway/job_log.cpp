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

std::optional<json::object> log_line(const jobs::Event& event, std::string_view level) {
  const auto own = level_of(event.type);
  if (rank(own) < rank(level)) return std::nullopt;
  const json::value* attempt = member(&event.data, "attempt");
  return json::object{{"seq", event.seq},    {"ts", base::to_rfc3339(event.time)},
                      {"level", own},        {"attempt", attempt != nullptr ? *attempt : json::value()},
                      {"source", "gateway"}, {"message", message_of(event)}};
}

LogPage::LogPage(std::int64_t after, std::string_view level, std::size_t limit) : after_(after), level_(level), limit_(limit) {}

void LogPage::add(const jobs::Event& event) {
  if (event.seq <= after_ || has_more_) return;
  auto line = log_line(event, level_);
  if (!line) return;
  has_more_ = lines_.size() >= limit_;
  if (!has_more_) lines_.push_back(std::move(*line));
}

json::object LogPage::to_json() const { return {{"object", "list"}, {"data", lines_}, {"has_more", has_more_}}; }

}  // namespace kinora::gateway
