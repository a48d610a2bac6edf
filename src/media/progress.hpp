#pragma once
// How a long operation tells how far it is, and how it is told to stop.
#include <cstdint>
#include <functional>
#include <stop_token>

namespace kinora::media {

struct Progress {
  double fraction = 0;            // 0..1, never falls
  std::int64_t frames_done = 0;   // video frames, or audio packets when there is no video
  std::int64_t frames_total = 0;  // 0: unknown
};

// `report` is called from the thread that runs the operation, once per frame or so: it must be cheap.
// When `stop` is requested, the operation ends with ErrorCode::canceled after the frame in work.
struct Control {
  std::stop_token stop;
  std::function<void(const Progress&)> report;
};

}  // namespace kinora::media
