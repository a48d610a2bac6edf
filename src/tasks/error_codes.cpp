#include "tasks/error_codes.hpp"

#include <algorithm>
#include <array>

namespace kinora::tasks {
namespace {

constexpr Fault C = Fault::client, P = Fault::platform, W = Fault::worker, N = Fault::network;

// developer-api 5.14, row by row.
constexpr std::array kErrors{
    ErrorSpec{"invalid_json", "Body is not JSON", 400, C, false},
    ErrorSpec{"unknown_field", "Unknown field", 400, C, false},
    ErrorSpec{"invalid_field", "Invalid field", 400, C, false},
    ErrorSpec{"missing_field", "Missing field", 400, C, false},
    ErrorSpec{"cursor_mismatch", "Cursor belongs to another query", 400, C, false},
    ErrorSpec{"unauthenticated", "No valid key", 401, C, false},
    ErrorSpec{"key_expired", "Key has expired", 401, C, false},
    ErrorSpec{"budget_exceeded", "Budget exceeded", 402, C, false},
    ErrorSpec{"payment_required", "Payment required", 402, C, false},
    ErrorSpec{"price_cap_too_low", "Price cap too low", 402, C, false},
    ErrorSpec{"forbidden", "Not allowed", 403, C, false},
    ErrorSpec{"scope_missing", "Key lacks a scope", 403, C, false},
    ErrorSpec{"model_not_allowed", "Model not allowed for this key", 403, C, false},
    ErrorSpec{"origin_not_allowed", "Origin not allowed for this key", 403, C, false},
    ErrorSpec{"region_not_allowed", "Region not allowed", 403, C, false},
    ErrorSpec{"not_found", "Not found", 404, C, false},
    ErrorSpec{"model_not_found", "Model not found", 404, C, false},
    ErrorSpec{"task_not_found", "Task not found", 404, C, false},
    ErrorSpec{"method_not_allowed", "Method not allowed", 405, C, false},
    ErrorSpec{"not_cancelable", "Cannot be canceled", 409, C, false},
    ErrorSpec{"not_terminal", "Still at work", 409, C, false},
    ErrorSpec{"version_conflict", "Changed meanwhile", 412, C, false},
    ErrorSpec{"idempotency_in_progress", "First request with this key is still running", 409, C, true},
    ErrorSpec{"gone", "Gone", 410, C, false},
    ErrorSpec{"checksum_mismatch", "Checksum mismatch", 460, C, true},
    ErrorSpec{"events_gone", "Events are no longer kept", 410, C, false},
    ErrorSpec{"artifact_expired", "Artifact has expired", 410, C, false},
    ErrorSpec{"body_too_large", "Body too large", 413, C, false},
    ErrorSpec{"media_too_large", "Media too large", 413, C, false},
    ErrorSpec{"unsupported_media", "Unsupported media", 415, C, false},
    ErrorSpec{"schema_invalid", "Input does not fit the task", 422, C, false},
    ErrorSpec{"workflow_cycle", "Workflow has a cycle", 422, C, false},
    ErrorSpec{"workflow_type_error", "Workflow types do not fit", 422, C, false},
    ErrorSpec{"ref_unresolved", "Reference leads nowhere", 422, C, false},
    ErrorSpec{"expr_error", "Expression fails", 422, C, false},
    ErrorSpec{"idempotency_mismatch", "Idempotency key was used with another request", 422, C, false},
    ErrorSpec{"quote_mismatch", "Request differs from the quote", 422, C, false},
    ErrorSpec{"requirements_unsatisfiable", "Requirements cannot be met", 422, C, false},
    ErrorSpec{"adapter_incompatible", "Adapter does not fit the model", 422, C, false},
    ErrorSpec{"input_invalid", "Input media is broken", 422, C, false},
    ErrorSpec{"input_unavailable", "Input media cannot be fetched", 422, C, true},
    ErrorSpec{"content_blocked", "Content blocked", 422, Fault::policy, false},
    ErrorSpec{"rate_limited", "Too many requests", 429, C, true},
    ErrorSpec{"concurrency_limited", "Too many jobs at once", 429, C, true},
    ErrorSpec{"queue_full", "Queue is full", 429, P, true},
    ErrorSpec{"internal", "Internal error", 500, P, true},
    ErrorSpec{"no_capacity", "No capacity", 503, P, true},
    ErrorSpec{"no_worker_offers", "No worker offers this", 503, P, true},
    ErrorSpec{"maintenance", "In maintenance", 503, P, true},
    ErrorSpec{"upstream_timeout", "Upstream timed out", 504, P, true},
    ErrorSpec{"sync_timeout", "Not finished in time; the job goes on", 504, P, true},
    ErrorSpec{"worker_lost", "Worker lost", 0, N, true},
    ErrorSpec{"worker_error", "Worker failed", 0, W, true},
    ErrorSpec{"model_invalid", "Model cannot be used", 0, W, false},
    ErrorSpec{"not_finite", "Model computed numbers that are not finite", 0, W, false},
    ErrorSpec{"worker_oom", "Worker out of memory", 0, W, true},
    ErrorSpec{"worker_timeout", "Worker took too long", 0, W, true},
    ErrorSpec{"transfer_failed", "Media transfer failed", 0, N, true},
    ErrorSpec{"verification_failed", "Result failed verification", 0, W, true},
    ErrorSpec{"start_timeout", "Did not start in time", 0, P, true},
    ErrorSpec{"deadline_exceeded", "Deadline passed", 0, P, true},
    ErrorSpec{"destination_failed", "Destination refused the result", 0, C, true},
    ErrorSpec{"gate_rejected", "Rejected at a gate", 0, C, false},
    ErrorSpec{"upstream_failed", "An earlier step failed", 0, C, false},
    ErrorSpec{"canceled", "Canceled", 0, C, false},
    ErrorSpec{"fanout_too_large", "Fan-out too large", 0, C, false},
    ErrorSpec{"budget_exhausted", "Budget exhausted", 0, C, true},
};

}  // namespace

std::string_view name(Fault fault) {
  switch (fault) {
    case Fault::client: return "client";
    case Fault::platform: return "platform";
    case Fault::worker: return "worker";
    case Fault::network: return "network";
    case Fault::policy: break;
  }
  return "policy";
}

std::optional<Fault> parse_fault(std::string_view text) {
  for (const Fault fault : {Fault::client, Fault::platform, Fault::worker, Fault::network, Fault::policy})
    if (text == name(fault)) return fault;
  return std::nullopt;
}

std::span<const ErrorSpec> error_codes() { return kErrors; }

const ErrorSpec* find_error(std::string_view code) {
  const auto found = std::find_if(kErrors.begin(), kErrors.end(), [&](const ErrorSpec& error) { return error.code == code; });
  return found == kErrors.end() ? nullptr : &*found;
}

json::object to_json(const Problem& problem) {
  const ErrorSpec* spec = find_error(problem.code);
  const ErrorSpec& rules = spec != nullptr ? *spec : *find_error("internal");
  json::object out;
  out["type"] = "https://errors.kinora.dev/" + problem.code;
  out["title"] = rules.title;
  if (rules.http_status != 0) out["status"] = rules.http_status;
  out["detail"] = problem.detail;
  out["code"] = problem.code;
  out["fault"] = name(problem.fault.value_or(rules.fault));
  out["retryable"] = problem.retryable.value_or(rules.retryable);
  out["retry_after_ms"] = problem.retry_after_ms ? json::value(*problem.retry_after_ms) : json::value(nullptr);
  out["charged"] = {{"currency", "USD"}, {"amount", "0"}};
  json::array errors;
  for (const base::FieldError& error : problem.errors)
    errors.push_back({{"pointer", error.pointer}, {"code", error.code}, {"detail", error.detail}});
  out["errors"] = std::move(errors);
  if (problem.request_id) out["request_id"] = *problem.request_id;
  out["job"] = problem.job ? json::value(*problem.job) : json::value(nullptr);
  return out;
}

int http_status(std::string_view code) {
  const ErrorSpec* spec = find_error(code);
  return spec != nullptr && spec->http_status != 0 ? spec->http_status : 500;
}

std::string_view code_for(base::ErrorCode code) {
  using enum base::ErrorCode;
  switch (code) {
    case invalid: return "invalid_field";
    case not_found: return "not_found";
    case conflict: return "version_conflict";
    case unauthenticated: return "unauthenticated";
    case forbidden: return "forbidden";
    case too_large: return "body_too_large";
    case unsupported: return "unsupported_media";
    case exhausted: return "no_capacity";
    case unavailable: return "input_unavailable";
    case timeout: return "upstream_timeout";
    case canceled: return "canceled";
    case io:
    case internal: break;
  }
  return "internal";
}

}  // namespace kinora::tasks
