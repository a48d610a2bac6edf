#pragma once
// The events on standard output: one JSON object a line, told apart by "type" (docs/protocol.md 4). Thread-safe.
#include <boost/json.hpp>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/result.hpp"
#include "media/progress.hpp"

namespace kinora::media_app {

// Progress is told this often, also when nothing moves: silence means a hang to those who listen.
inline constexpr std::chrono::milliseconds kTellEvery{500};

class Events {
 public:
  explicit Events(int descriptor);
  // Stops telling progress.
  ~Events();
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;

  void progress(const media::Progress& progress);
  // The last words. Only the first of them is written.
  void result(boost::json::object result);
  void error(const base::Error& error);

 private:
  void tell();
  void last_word(const boost::json::object& event);
  void write_line(const boost::json::object& event);

  int descriptor_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::mutex mutex_;
  std::condition_variable ended_;
  media::Progress progress_;
  bool over_ = false;
  std::thread teller_;
};

// {"code","fault","retryable","detail"}: input_invalid, schema_invalid (parameters), unsupported_media, media_too_large (the client's),
// canceled, worker_error.
boost::json::object error_object(const base::Error& error);

}  // namespace kinora::media_app
