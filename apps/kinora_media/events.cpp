#include "kinora_media/events.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace kinora::media_app {
namespace {

using base::ErrorCode;

struct Stable {
  const char* code;
  const char* fault;
  bool retryable;
};

Stable stable(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid: return {"input_invalid", "client", false};
    case ErrorCode::conflict: return {"schema_invalid", "client", false};
    case ErrorCode::unsupported: return {"unsupported_media", "client", false};
    case ErrorCode::too_large: return {"media_too_large", "client", false};
    case ErrorCode::canceled: return {"canceled", "client", false};
    default: return {"worker_error", "worker", true};
  }
}

}  // namespace

boost::json::object error_object(const base::Error& error) {
  const Stable s = stable(error.code);
  return {{"code", s.code}, {"fault", s.fault}, {"retryable", s.retryable}, {"detail", error.message}};
}

Events::Events(int descriptor) : descriptor_(descriptor), teller_([this] { tell(); }) {}

Events::~Events() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  ended_.notify_all();
  teller_.join();
}

void Events::progress(const media::Progress& progress) {
  const std::lock_guard lock(mutex_);
  const double before = progress_.fraction;
  progress_ = progress;
  progress_.fraction = std::max(before, progress.fraction);
}

void Events::tell() {
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, kTellEvery, [this] { return over_; })) {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    boost::json::object event{{"type", "progress"},
                              {"fraction", progress_.fraction},
                              {"stage", "run"},
                              {"units_done", progress_.frames_done},
                              {"units_total", progress_.frames_total},
                              {"unit", "frame"}};
    if (progress_.frames_done > 0 && seconds > 0) event["fps"] = static_cast<double>(progress_.frames_done) / seconds;
    if (progress_.fraction > 0.001) event["eta_s"] = seconds / progress_.fraction * (1 - progress_.fraction);
    write_line(event);
  }
}

void Events::last_word(const boost::json::object& event) {
  {
    const std::lock_guard lock(mutex_);
    if (over_) return;
    over_ = true;
    write_line(event);
  }
  ended_.notify_all();
}

void Events::result(boost::json::object result) {
  result["type"] = "result";
  result["metrics"] = {{"seconds", std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count()},
                       {"units", progress_.frames_done}};
  last_word(result);
}

void Events::error(const base::Error& error) { last_word({{"type", "error"}, {"error", error_object(error)}}); }

void Events::write_line(const boost::json::object& event) {
  const std::string line = boost::json::serialize(event) + "\n";
  for (std::size_t sent = 0; sent < line.size();) {
    const ssize_t n = ::write(descriptor_, line.data() + sent, line.size() - sent);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // nobody listens any more; the work is ended by a signal then
    sent += static_cast<std::size_t>(n);
  }
}

}  // namespace kinora::media_app
