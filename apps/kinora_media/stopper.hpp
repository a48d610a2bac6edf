#pragma once
// SIGTERM, SIGINT, SIGHUP: work is asked to stop; if it does not within kPatience (a decoder deep in a huge picture), the process
// says "canceled", removes what it made and ends.
#include <chrono>
#include <functional>
#include <stop_token>
#include <thread>

namespace kinora::media_app {

inline constexpr std::chrono::milliseconds kPatience{700};

// Blocks the signals for this thread and all that it starts. Before any thread.
void block_stop_signals();

class Stopper {
 public:
  // `give_up` runs on the watching thread; it does not return.
  explicit Stopper(std::function<void()> give_up);
  ~Stopper();
  std::stop_token token() const { return source_.get_token(); }

 private:
  void watch(std::stop_token ended);
  std::stop_source source_;
  std::function<void()> give_up_;
  std::jthread watcher_;
};

}  // namespace kinora::media_app
