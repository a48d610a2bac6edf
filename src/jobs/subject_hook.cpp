#include "jobs/subject_hook.hpp"

#include <algorithm>

#include "base/ulid.hpp"

namespace kinora::jobs {

using store::Connection;

bool is_event_pattern(std::string_view text) {
  if (text == "*") return true;
  if (text.empty() || text.size() > 64) return false;
  if (text.ends_with(".*")) text.remove_suffix(2);
  const bool letters = std::ranges::all_of(
      text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.'; });
  return letters && !text.empty() && text.front() != '.' && text.back() != '.' && text.find("..") == std::string_view::npos;
}

std::vector<std::string> read_event_patterns(base::ObjectReader& in, std::string_view key) {
  std::vector<std::string> out;
  const json::array* items = in.array(key, kMaxEventPatterns);
  if (items == nullptr) return out;
  for (const json::value& item : *items) {
    if (item.is_string() && is_event_pattern(item.get_string()))
      out.emplace_back(item.get_string());
    else
      in.error(key, "invalid_field", R"(must hold types of events such as "job.succeeded" or "job.*")");
  }
  return out;
}

std::optional<SubjectHook> read_subject_hook(base::ObjectReader& body, std::string_view key, base::FieldErrors& errors) {
  if (body.object(key) == nullptr) return std::nullopt;
  base::ObjectReader in(*body.member(key), body.pointer(key), errors);
  SubjectHook out;
  out.url = in.string("url", kMaxHookUrlBytes).value_or("");
  out.endpoint = in.string("endpoint", 64).value_or("");
  out.events = read_event_patterns(in, "events");
  in.finish();
  if (out.url.empty() == out.endpoint.empty()) body.error(key, "invalid_field", "must name either a url or an endpoint");
  if (!out.endpoint.empty() && !base::is_id("whk", out.endpoint)) in.error("endpoint", "invalid_field", "must be whk_ and a ULID");
  return out;
}

json::object to_json(const SubjectHook& hook) {
  return {{"url", hook.url.empty() ? json::value() : json::value(hook.url)},
          {"endpoint", hook.endpoint.empty() ? json::value() : json::value(hook.endpoint)},
          {"events", json::value_from(hook.events)}};
}

base::Status put_subject_hook(Connection& connection, std::string_view subject, const SubjectHook& hook) {
  KINORA_TRY(const auto put, connection.run("INSERT OR REPLACE INTO subject_hooks(subject, url, endpoint, events) VALUES(?, ?, ?, ?)",
                                            subject, hook.url, hook.endpoint, json::serialize(json::value_from(hook.events))));
  static_cast<void>(put);
  return {};
}

base::Result<std::optional<SubjectHook>> find_subject_hook(Connection& connection, std::string_view subject) {
  KINORA_TRY(auto row, connection.query("SELECT url, endpoint, events FROM subject_hooks WHERE subject = ?", subject));
  KINORA_TRY(const bool there, row.step());
  if (!there) return std::nullopt;
  SubjectHook hook{std::string(row.text(0)), std::string(row.text(1)), {}};
  const json::value patterns = json::parse(row.text(2));
  for (const json::value& pattern : patterns.as_array()) hook.events.emplace_back(pattern.as_string());
  return hook;
}

base::Status drop_subject_hook(Connection& connection, std::string_view subject) {
  KINORA_TRY(const auto gone, connection.run("DELETE FROM subject_hooks WHERE subject = ?", subject));
  static_cast<void>(gone);
  return {};
}

}  // namespace kinora::jobs
