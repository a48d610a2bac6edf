#pragma once
// How long waiting will take, learned from how long tasks of the same capability took; and how right earlier promises were. Pure.
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/ulid.hpp"

namespace kinora::jobs {

// How far past promises were from what happened.
struct EtaAccuracy {
  std::int64_t jobs = 0;
  double mean_error_s = 0;      // of |promised - took|
  double mean_error_ratio = 0;  // of |promised - took| / max(took, 1 s)
};

class EtaBook {
 public:
  static constexpr double kNewestShare = 0.2;  // of a new measurement in the mean
  static constexpr std::size_t kMaxPromises = 50'000;

  // An attempt of this capability took so long.
  void learn(const std::string& capability, double seconds);
  std::optional<double> seconds(const std::string& capability) const;
  // Until the one at `position` (1: next) has been done when `places` work at once; nullopt: nothing is known.
  std::optional<double> until_done(const std::string& capability, std::int64_t position, std::size_t places) const;

  // The first promise for a job; its end tells how right it was.
  void promise(const std::string& job, double seconds, base::UnixMillis now);
  void succeeded(const std::string& job, base::UnixMillis now);
  void forget(const std::string& job) { promises_.erase(job); }
  const EtaAccuracy& accuracy() const { return accuracy_; }

 private:
  struct Promise {
    double seconds = 0;
    base::UnixMillis made_at{};
  };
  std::unordered_map<std::string, double> means_;
  std::unordered_map<std::string, Promise> promises_;
  EtaAccuracy accuracy_;
};

}  // namespace kinora::jobs
