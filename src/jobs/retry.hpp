#pragma once
// What follows a failed attempt. Pure.
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/job.hpp"
#include "tasks/event.hpp"

namespace kinora::jobs {

struct RetryDecision {
  bool again = false;
  std::chrono::milliseconds after{0};
};

// `number`: of the attempt that failed, from 1. Client and policy faults are never tried again: the same input would fail the same way.
RetryDecision decide_retry(const tasks::TaskFailure& failure, int number, const RetryPolicy& policy);

// initial * coefficient^(number - 1), at most max.
std::chrono::milliseconds back_off(int number, const RetryPolicy& policy);

// A worker's free text without what clients must not see: paths of its machine, queries of URLs, long secrets (5.14).
std::string redact(std::string_view text);

}  // namespace kinora::jobs
