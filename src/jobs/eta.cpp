#include "jobs/eta.hpp"

#include <algorithm>
#include <cmath>

namespace kinora::jobs {

void EtaBook::learn(const std::string& capability, double seconds) {
  if (!(seconds >= 0)) return;
  const auto [known, first] = means_.try_emplace(capability, seconds);
  if (!first) known->second += kNewestShare * (seconds - known->second);
}

std::optional<double> EtaBook::seconds(const std::string& capability) const {
  const auto known = means_.find(capability);
  if (known == means_.end()) return std::nullopt;
  return known->second;
}

std::optional<double> EtaBook::until_done(const std::string& capability, std::int64_t position, std::size_t places) const {
  const auto one = seconds(capability);
  if (!one || position < 1 || places == 0) return std::nullopt;
  // They leave in rounds of `places`.
  const std::int64_t rounds = (position + static_cast<std::int64_t>(places) - 1) / static_cast<std::int64_t>(places);
  return *one * static_cast<double>(rounds);
}

void EtaBook::promise(const std::string& job, double seconds, base::UnixMillis now) {
  if (promises_.size() < kMaxPromises) promises_.try_emplace(job, Promise{seconds, now});
}

void EtaBook::succeeded(const std::string& job, base::UnixMillis now) {
  const auto made = promises_.find(job);
  if (made == promises_.end()) return;
  const double took = std::chrono::duration<double>(now - made->second.made_at).count();
  const double error = std::abs(made->second.seconds - took);
  ++accuracy_.jobs;
  const auto count = static_cast<double>(accuracy_.jobs);
  accuracy_.mean_error_s += (error - accuracy_.mean_error_s) / count;
  accuracy_.mean_error_ratio += (error / std::max(took, 1.0) - accuracy_.mean_error_ratio) / count;
  promises_.erase(made);
}

}  // namespace kinora::jobs
