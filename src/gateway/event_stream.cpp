#include "gateway/event_stream.hpp"

#include <algorithm>
#include <charconv>

namespace kinora::gateway {

std::optional<std::int64_t> parse_offset(std::string_view text) {
  std::int64_t value = 0;
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string> split_types(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    if (comma > 0) out.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return out;
}

tl::expected<StreamQuery, Problem> read_stream_query(const net::Request& request) {
  StreamQuery out;
  base::FieldErrors errors;
  QueryReader query(request.query, errors);
  out.after = query.integer("after", 0, std::numeric_limits<std::int64_t>::max());
  if (const auto types = query.text("types", 1024)) {
    out.types = split_types(*types);
    if (out.types.size() > kMaxTypePatterns)
      errors.push_back({"?types", "invalid_field", "at most " + std::to_string(kMaxTypePatterns) + " patterns"});
  }
  out.progress = query.integer("progress", 0, 1).value_or(1) == 1;
  query.finish();
  if (const auto last = request.headers.get("last-event-id"); last && !last->empty()) {
    out.after = parse_offset(*last);
    if (!out.after) errors.push_back({"Last-Event-ID", "invalid_field", "is not the id of an event of this API"});
  }
  if (!errors.empty()) return refuse(std::move(errors));
  return out;
}

bool may_be_dropped(std::string_view type) {
  return type == "job.progress" || type == "job.preview" || type == "job.log" || type == "step.progress";
}

bool ends_subject(std::string_view type) {
  for (const std::string_view subject : {"job.", "run."})
    if (type.starts_with(subject)) type.remove_prefix(subject.size());
  return type == "succeeded" || type == "partially_succeeded" || type == "failed" || type == "canceled" || type == "expired";
}

bool wanted(const StreamQuery& query, std::string_view type) {
  if (!query.progress && may_be_dropped(type)) return false;
  return query.types.empty() || std::ranges::any_of(query.types, [&](const std::string& pattern) { return jobs::matches(pattern, type); });
}

std::vector<const jobs::Event*> thin(const std::vector<jobs::Event>& batch, const StreamQuery& query, bool behind) {
  std::vector<const jobs::Event*> out;
  for (const auto& event : batch) {
    if (!wanted(query, event.type)) continue;
    if (behind && !out.empty() && may_be_dropped(event.type) && out.back()->type == event.type)
      out.back() = &event;
    else
      out.push_back(&event);
  }
  return out;
}

bool over_after(const std::vector<jobs::Event>& batch, bool over) {
  for (const jobs::Event& event : batch) over = (over || ends_subject(event.type)) && event.type != "run.retried";
  return over;
}

}  // namespace kinora::gateway
