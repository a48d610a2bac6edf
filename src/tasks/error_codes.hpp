#pragma once
// The stable error codes of the API (developer-api 5.14): one table for problem responses and for the `error` of jobs and attempts.
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/json.hpp"

namespace kinora::tasks {

namespace json = base::json;

// Whose fault a failure is: it decides about retry (worker, network, platform: elsewhere; client, policy: never).
enum class Fault { client, platform, worker, network, policy };
std::string_view name(Fault fault);
std::optional<Fault> parse_fault(std::string_view text);

struct ErrorSpec {
  std::string_view code;
  std::string_view title;
  int http_status;  // 0: never an answer's status, only a job's error
  Fault fault;
  bool retryable;  // the identical request may succeed later
};

std::span<const ErrorSpec> error_codes();
const ErrorSpec* find_error(std::string_view code);  // nullptr: unknown

// What is wrong, ready to be shown: an answer's problem+json, or a job's `error`.
struct Problem {
  std::string code = "internal";
  std::string detail = {};
  base::FieldErrors errors = {};  // each with pointer, code, detail
  std::optional<int> retry_after_ms = std::nullopt;
  std::optional<std::string> job = std::nullopt;
  std::optional<std::string> request_id = std::nullopt;
  // Overrides of the table, for failures that a worker reports.
  std::optional<Fault> fault = std::nullopt;
  std::optional<bool> retryable = std::nullopt;
};

// The object of 5.14: type, title, status (only with http_status), detail, code, fault, retryable, retry_after_ms, charged,
// errors, request_id, job. An unknown code is shown as it is with the rules of "internal".
json::object to_json(const Problem& problem);
// The HTTP status for the code; 500 when it has none.
int http_status(std::string_view code);
// The code for a library error: invalid -> invalid_field, not_found -> not_found, too_large -> body_too_large, ...
std::string_view code_for(base::ErrorCode code);

}  // namespace kinora::tasks
