#include "kinora_media/stopper.hpp"

#include <csignal>
#include <ctime>

namespace kinora::media_app {
namespace {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, number);
  return set;
}

constexpr long kTickNanoseconds = 50'000'000;

}  // namespace

void block_stop_signals() {
  const sigset_t set = stop_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

Stopper::Stopper(std::function<void()> give_up)
    : give_up_(std::move(give_up)), watcher_([this](std::stop_token ended) { watch(std::move(ended)); }) {}

Stopper::~Stopper() = default;  // the jthread is asked to end and joined

void Stopper::watch(std::stop_token ended) {
  const sigset_t set = stop_signals();
  const timespec tick{0, kTickNanoseconds};
  std::chrono::steady_clock::time_point asked{};
  while (!ended.stop_requested()) {
    const int number = ::sigtimedwait(&set, nullptr, &tick);
    const auto now = std::chrono::steady_clock::now();
    if (number > 0 && !source_.stop_requested()) {
      asked = now;
      source_.request_stop();
    }
    if (source_.stop_requested() && now - asked > kPatience) give_up_();
  }
}

}  // namespace kinora::media_app
