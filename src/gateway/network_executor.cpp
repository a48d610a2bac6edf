#include "gateway/network_executor.hpp"

namespace kinora::gateway {

jobs::AttemptOutcome to_attempt_outcome(market::Outcome outcome) {
  using Kind = market::Outcome::Kind;
  switch (outcome.kind) {
    case Kind::succeeded: return jobs::outcome::Succeeded{std::move(outcome.result), std::move(outcome.node)};
    case Kind::failed: return jobs::outcome::Failed{std::move(outcome.failure), std::move(outcome.node)};
    case Kind::lost: return jobs::outcome::Lost{std::move(outcome.node), std::move(outcome.detail)};
    case Kind::refused: break;
  }
  return jobs::outcome::Refused{.reason = std::move(outcome.detail)};
}

jobs::Task<jobs::AttemptOutcome> NetworkExecutor::run(jobs::AttemptRequest request, jobs::AttemptObserver observer) {
  links_.complete(request.order, base::wall_clock());
  market::RunLimits limits;
  limits.avoid = std::move(request.avoid_nodes);
  limits.prefer = std::move(request.prefer_node);
  limits.timeout = std::chrono::seconds{request.order.deadline_s} + kRunSlack;
  limits.on_node = std::move(observer.on_node);
  std::string capability = tasks::capability_name(request.order);
  co_return to_attempt_outcome(
      co_await market_.run(std::move(capability), std::move(request.order), std::move(limits), std::move(observer.on_event)));
}

unsigned NetworkExecutor::free_slots(std::string_view task, std::string_view model) const {
  std::string capability(task);
  if (!model.empty()) capability += ":" + std::string(model);
  return market_.free_slots(capability);
}

}  // namespace kinora::gateway
