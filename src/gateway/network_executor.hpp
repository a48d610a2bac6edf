#pragma once
// Carries the engine's attempts to workers over the market: completes each order with signed URLs and a token, runs it, and says
// how it ended in the engine's words.
#include "gateway/order_links.hpp"
#include "jobs/executor.hpp"
#include "market/market.hpp"

namespace kinora::gateway {

// A worker's queue, downloads and uploads come on top of the order's own deadline before the gateway gives the run up.
inline constexpr std::chrono::seconds kRunSlack{60};

class NetworkExecutor final : public jobs::Executor {
 public:
  // Both outlive this.
  NetworkExecutor(market::Market& market, const OrderLinks& links) : market_(market), links_(links) {}
  jobs::Task<jobs::AttemptOutcome> run(jobs::AttemptRequest request, jobs::AttemptObserver observer) override;
  unsigned free_slots(std::string_view task, std::string_view model) const override;

 private:
  market::Market& market_;
  const OrderLinks& links_;
};

jobs::AttemptOutcome to_attempt_outcome(market::Outcome outcome);

}  // namespace kinora::gateway
