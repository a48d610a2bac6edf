#pragma once
// The log of a job (GET /v1/jobs/{id}/logs), told from its event log: what happened, when, in which attempt. Pure.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "jobs/events.hpp"

namespace kinora::gateway {

namespace json = base::json;

// {seq, ts, level, attempt, source, message}; nullopt below that level.
std::optional<json::object> log_line(const jobs::Event& event, std::string_view level);

// One page: lines with seq > after and at least that level, at most `limit`.
class LogPage {
 public:
  LogPage(std::int64_t after, std::string_view level, std::size_t limit);
  void add(const jobs::Event& event);
  bool full() const { return has_more_; }
  json::object to_json() const;  // {data: [line], has_more}

 private:
  std::int64_t after_;
  std::string level_;
  std::size_t limit_;
  json::array lines_;
  bool has_more_ = false;
};

}  // namespace kinora::gateway
