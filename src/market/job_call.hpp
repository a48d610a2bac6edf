#pragma once
// One external-capability job at one orchestrator: sends the order, follows the event stream, says how it ended.
#include <chrono>
#include <functional>
#include <string>

#include "market/market.hpp"

namespace kinora::market {

struct JobCall {
  std::string service_url;
  net::TlsTrust trust;
  std::string capability;
  const tasks::TaskOrder* order = nullptr;
  std::chrono::steady_clock::time_point deadline;
  std::chrono::milliseconds answer_timeout;
  std::chrono::milliseconds silence_timeout;
  // Told once at the first silence; the stream is then listened to for kLatePatience silences more. Absent: it is given up.
  std::function<void()> on_silent = {};
};
inline constexpr int kLatePatience = 4;

struct CallEnd {
  enum class Kind {
    succeeded,
    failed,
    lost,
    no_capacity,  // 503: full, otherwise healthy
    unreachable,  // no connection, or another key: nothing was begun
    rejected      // any other answer than an event stream
  };
  Kind kind = Kind::lost;
  base::ErrorCode error = base::ErrorCode::unavailable;  // of unreachable
  std::string detail;
  std::string worker;
  tasks::TaskResult result;
  tasks::TaskFailure failure;
  double seconds = 0;
};

Task<CallEnd> call_job(net::Client& client, JobCall call, const OnEvent& on_event);

}  // namespace kinora::market
