#include "orchestrator/info.hpp"

#include <algorithm>

#include "wire/byoc.hpp"
#include "wire/capabilities.hpp"
#include "wire/version.hpp"

namespace kinora::orchestrator {
namespace {

constexpr auto kByoc = static_cast<std::uint32_t>(wire::Capability::byoc);
constexpr auto kLive = static_cast<std::uint32_t>(wire::Capability::live_video_to_video);
constexpr std::size_t kAddressBytes = 20;

wire::pb::PriceInfo price_info(const wire::Price& price) {
  wire::pb::PriceInfo message;
  message.set_priceperunit(price.wei);
  message.set_pixelsperunit(price.units);
  return message;
}

wire::pb::Capabilities::CapabilityConstraints::ModelConstraint constraint_of(const CapabilityStatus& capability) {
  wire::pb::Capabilities::CapabilityConstraints::ModelConstraint constraint;
  unsigned capacity = 0;
  unsigned in_use = 0;
  for (const auto& worker : capability.workers) {
    // A worker that lowered its capacity may run more than it has now.
    capacity += std::max(worker.capacity, worker.in_use);
    in_use += worker.in_use;
    if (worker.warm) constraint.set_warm(true);
    if (!worker.unusable.empty()) constraint.set_unusable(worker.unusable);
  }
  // Only when all agree: which of them does a job is decided later.
  const auto told = [&](const WorkerStatus& worker) { return worker.weights == capability.workers.front().weights; };
  if (std::ranges::all_of(capability.workers, told) && !capability.workers.empty())
    constraint.set_weights(capability.workers.front().weights);
  constraint.set_capacity(capacity);
  constraint.set_capacityinuse(in_use);
  return constraint;
}

wire::pb::Capabilities announce(std::span<const CapabilityStatus> offered) {
  wire::pb::Capabilities message;
  // Honest bits: sessions with tokens and external capabilities; no transcoding by segments, no fixed AI pipelines.
  for (const auto word : wire::make_bits({static_cast<int>(wire::Capability::auth_token), static_cast<int>(kByoc)})) {
    message.add_bitstring(word);
  }
  (*message.mutable_capacities())[static_cast<std::uint32_t>(wire::Capability::auth_token)] = 1;
  (*message.mutable_capacities())[kByoc] = 1;
  message.set_version(std::string(wire::kProtocolVersion));
  // Gateways of the reference read the constraints without looking whether they are there.
  auto* constraints = message.mutable_constraints();
  if (offered.empty()) return message;
  auto& models = *(*constraints->mutable_percapability())[kByoc].mutable_models();
  for (const auto& capability : offered) models[capability.name] = constraint_of(capability);
  return message;
}

}  // namespace

base::Status check_request(const wire::pb::OrchestratorRequest& request) {
  // Off-chain any signature passes, as in the reference without an Ethereum client; sizes must still be those of one.
  if ((!request.address().empty() && request.address().size() != kAddressBytes) || request.sig().size() > wire::kMaxSignatureBytes) {
    return base::fail(base::ErrorCode::unauthenticated, "Invalid orchestrator request: orchestrator req sig check failed");
  }
  if (!request.has_capabilities()) return {};
  if (const auto size = wire::check_size(request.capabilities()); !size) {
    return base::fail(base::ErrorCode::invalid, "Invalid orchestrator request: " + size.error().message);
  }
  const auto& constraints = request.capabilities().constraints().percapability();
  if (!request.ignorecapacitycheck() && constraints.contains(kLive)) {
    return base::fail(base::ErrorCode::exhausted, "Invalid orchestrator request: OrchestratorCapped");
  }
  return {};
}

wire::pb::OrchestratorInfo build_info(const OrchestratorSettings& settings, std::span<const CapabilityStatus> offered,
                                      const wire::pb::Capabilities* asked) {
  wire::pb::OrchestratorInfo info;
  info.set_transcoder(settings.service_url);
  info.set_address(std::string(kAddressBytes, '\0'));
  *info.mutable_capabilities() = announce(offered);
  wire::Price highest;
  for (const auto& capability : offered) {
    if (capability.price.wei == 0) continue;
    if (asked == nullptr) {
      auto* price = info.add_capabilities_prices();
      *price = price_info(capability.price);
      price->set_capability(kByoc);
      price->set_constraint(capability.name);
      continue;
    }
    const auto& wanted = asked->constraints().percapability();
    const auto byoc = wanted.find(kByoc);
    if (byoc != wanted.end() && byoc->second.models().contains(capability.name) && highest < capability.price) highest = capability.price;
  }
  if (highest.wei > 0) *info.mutable_price_info() = price_info(highest);
  return info;
}

}  // namespace kinora::orchestrator
