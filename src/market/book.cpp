#include "market/book.hpp"

#include <algorithm>
#include <tuple>

#include "base/printable.hpp"
#include "wire/auth_token.hpp"
#include "wire/byoc.hpp"
#include "wire/capabilities.hpp"

namespace kinora::market {
namespace {

constexpr double kNewestCounts = 0.3;
constexpr auto kByoc = static_cast<std::uint32_t>(wire::Capability::byoc);

template <class Map>
auto* find(Map& map, std::string_view key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

bool contains(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

std::chrono::seconds until(std::int64_t unix_s, base::UnixMillis now) {
  return std::chrono::seconds(unix_s) - std::chrono::floor<std::chrono::seconds>(now).time_since_epoch();
}

// Replaces what the node offers by what the answer says; all of our jobs that run now are in its count.
void read_offers(Node& node, const wire::pb::Capabilities& capabilities) {
  node.offers.clear();
  const auto& constraints = capabilities.constraints().percapability();
  const auto byoc = constraints.find(kByoc);
  if (byoc == constraints.end()) return;
  for (const auto& [name, constraint] : byoc->second.models()) {
    node.offers[name] = {.capacity = constraint.capacity(),
                         .in_use = constraint.capacityinuse(),
                         .ours_since = 0,
                         .warm = constraint.warm(),
                         .weights = wire::is_weights_digest(constraint.weights()) ? constraint.weights() : std::string(),
                         .unusable = base::printable(constraint.unusable(), wire::kMaxUnusableBytes)};
  }
}

}  // namespace

unsigned Offer::free() const {
  const auto taken = std::max<std::int64_t>(0, std::int64_t{in_use} + ours_since);
  return capacity > taken ? capacity - static_cast<unsigned>(taken) : 0;
}

double Offer::load() const { return capacity == 0 ? 1.0 : 1.0 - static_cast<double>(free()) / capacity; }

void Speed::measured(double seconds_per_unit, base::UnixMillis now) {
  const auto known = value(now);
  mean_ = known ? *known + kNewestCounts * (seconds_per_unit - *known) : seconds_per_unit;
  at_ = now;
}

std::optional<double> Speed::value(base::UnixMillis now) const { return now - at_ < kScoreMemory ? mean_ : std::nullopt; }

int Node::running() const {
  int total = 0;
  for (const auto& [name, session] : sessions) total += session.running;
  return total;
}

Book::Book(const std::vector<OrchestratorAddress>& addresses, BackOff back_off) : back_off_(back_off) {
  for (const auto& address : addresses) {
    Node& node = nodes_.emplace_back();
    node.address = address;
    node.pin = address.pin;
  }
}

Session& Book::session(Node& node, std::string_view capability, base::UnixMillis now) {
  Session* known = find(node.sessions, capability);
  if (known == nullptr) {
    while (node.sessions.size() >= kMaxSessionsPerNode) {
      const auto oldest = std::min_element(node.sessions.begin(), node.sessions.end(), [](const auto& a, const auto& b) {
        return std::tuple(a.second.running > 0, a.second.used_at) < std::tuple(b.second.running > 0, b.second.used_at);
      });
      node.sessions.erase(oldest);
    }
    known = &node.sessions[std::string(capability)];
  }
  known->used_at = now;
  return *known;
}

base::Status Book::enter(Node& node, std::string_view capability, const wire::pb::OrchestratorInfo& info, const std::string& pin,
                         std::chrono::microseconds latency, base::UnixMillis now) {
  if (info.transcoder().empty() || !info.has_auth_token()) {
    unreachable(node, "answer without service address or token", true, now);
    return base::fail(base::ErrorCode::invalid, node.last_error);
  }
  node.reachable = true;
  node.latency = latency;
  node.pin = pin;
  node.last_error.clear();
  // Answering is no success of work, but it ends a suspension that unreachability began.
  node.suspension.succeeded();
  read_offers(node, info.capabilities());
  Session& session = this->session(node, capability, now);
  session.asked_at = now;
  const auto asked = wire::capabilities_for_byoc(std::string(capability));
  const auto compatible = wire::check_compatible(asked, info.capabilities());
  session.open = compatible.has_value() && node.offers.contains(capability);
  session.service_url = info.transcoder();
  while (session.service_url.ends_with('/')) session.service_url.pop_back();
  session.pin = pin;
  session.session_id = info.auth_token().session_id();
  session.expires_unix_s = info.auth_token().expiration();
  session.lifetime = std::max(until(session.expires_unix_s, now), std::chrono::seconds(0));
  session.price = {.wei = info.price_info().priceperunit(), .units = info.has_price_info() ? info.price_info().pixelsperunit() : 1};
  if (!session.price.valid()) session.open = false;
  if (!session.open) return base::fail(base::ErrorCode::unsupported, "the node does not offer " + std::string(capability));
  return {};
}

void Book::unreachable(Node& node, std::string reason, bool close_sessions, base::UnixMillis now) {
  node.reachable = false;
  node.last_error = std::move(reason);
  node.offers.clear();
  // Several calls that fail together are one failure.
  if (!node.suspension.active(now)) node.suspension.failed(now, back_off_);
  if (!close_sessions) return;
  for (auto& [name, session] : node.sessions) {
    session.open = false;
    session.pin.clear();
    session.asked_at = {};
  }
}

bool Book::stale(const Node& node, std::string_view capability, std::chrono::milliseconds age, base::UnixMillis now) const {
  if (node.suspension.active(now)) return false;
  const Session* session = find(node.sessions, capability);
  if (session == nullptr || now - session->asked_at >= age || now < session->asked_at || !node.reachable) return true;
  return session->open && wire::needs_renewal(session->expires_unix_s, session->lifetime, now);
}

bool Book::usable(const Node& node, std::string_view capability, const std::optional<wire::Price>& max_price) const {
  const Session* session = find(node.sessions, capability);
  if (!node.reachable || session == nullptr || !session->open) return false;
  return !max_price || session->price <= *max_price;
}

std::vector<std::size_t> Book::candidates(std::string_view capability, const RunLimits& limits, base::UnixMillis now) const {
  std::vector<std::size_t> good;
  std::vector<std::size_t> last_resort;
  bool good_exists = false;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = nodes_[i];
    if (!usable(node, capability, limits.max_price)) continue;
    const bool is_good = !node.sessions.find(capability)->second.suspension.active(now) && !contains(limits.avoid, node.address.url);
    // A good node that is full is worth waiting for; a bad one beside it is not tried meanwhile.
    good_exists = good_exists || is_good;
    const Offer* offer = find(node.offers, capability);
    if (offer != nullptr && offer->free() > 0) (is_good ? good : last_resort).push_back(i);
  }
  const auto session_of = [&](std::size_t i) -> const Session& { return nodes_[i].sessions.find(capability)->second; };
  std::optional<double> best;
  for (const auto i : good) {
    if (const auto value = session_of(i).speed.value(now); value && (!best || *value < *best)) best = value;
  }
  const auto rank = [&](std::size_t i) {
    const Node& node = nodes_[i];
    const Session& session = session_of(i);
    const auto speed = session.speed.value(now);
    const bool explore = !speed && session.running == 0;
    // One that is being measured right now is taken for as fast as the fastest known.
    const double expected = speed.value_or(best.value_or(1.0)) * (1.0 + node.offers.find(capability)->second.load());
    const bool warm = node.offers.find(capability)->second.warm;
    return std::tuple(limits.prefer != node.address.url, !explore, expected, !warm, node.latency.value_or(std::chrono::hours(1)), i);
  };
  if (good_exists) {
    std::sort(good.begin(), good.end(), [&](std::size_t a, std::size_t b) { return rank(a) < rank(b); });
    return good;
  }
  // Lowest penalty first, as in a discovery round that finds too few.
  std::sort(last_resort.begin(), last_resort.end(), [&](std::size_t a, std::size_t b) {
    return std::tuple(session_of(a).suspension.until(), a) < std::tuple(session_of(b).suspension.until(), b);
  });
  return last_resort;
}

unsigned Book::free_slots(std::string_view capability, const std::optional<wire::Price>& max_price, base::UnixMillis now) const {
  RunLimits limits;
  limits.max_price = max_price;
  unsigned total = 0;
  for (const auto i : candidates(capability, limits, now)) total += nodes_[i].offers.find(capability)->second.free();
  return total;
}

void Book::begun(Node& node, std::string_view capability, base::UnixMillis now) {
  ++session(node, capability, now).running;
  if (Offer* offer = find(node.offers, capability)) ++offer->ours_since;
}

void Book::ended(Node& node, std::string_view capability) {
  if (Session* session = find(node.sessions, capability); session != nullptr && session->running > 0) --session->running;
  if (Offer* offer = find(node.offers, capability)) --offer->ours_since;
  // Names may share the slot that is free now; which ones, only the node knows: the full ones are asked about again.
  for (auto& [name, session] : node.sessions) {
    const Offer* offer = find(node.offers, name);
    if (name != capability && offer != nullptr && offer->free() == 0) session.asked_at = {};
  }
}

void Book::succeeded(Node& node, std::string_view capability, double seconds_per_unit, base::UnixMillis now) {
  Session& session = this->session(node, capability, now);
  session.suspension.succeeded();
  session.speed.measured(seconds_per_unit, now);
}

void Book::failed(Node& node, std::string_view capability, std::string reason, base::UnixMillis now) {
  node.last_error = std::move(reason);
  Suspension& suspension = session(node, capability, now).suspension;
  // Jobs that were running together when it broke are one failure.
  if (!suspension.active(now)) suspension.failed(now, back_off_);
}

void Book::full(Node& node, std::string_view capability) {
  if (Offer* offer = find(node.offers, capability)) {
    offer->in_use = offer->capacity;
    offer->ours_since = 0;
  }
}

std::vector<NodeStatus> Book::status(base::UnixMillis now) const {
  std::vector<NodeStatus> all;
  for (const Node& node : nodes_) {
    NodeStatus& status = all.emplace_back();
    status.url = node.address.url;
    status.pin = node.pin;
    status.reachable = node.reachable;
    if (node.latency) status.latency_ms = static_cast<double>(node.latency->count()) / 1000.0;
    status.running = static_cast<unsigned>(node.running());
    status.suspended_ms = node.suspension.left(now).count();
    status.failures = node.suspension.failures();
    status.last_error = node.last_error;
    for (const auto& [name, offer] : node.offers) {
      CapabilityStatus& capability = status.capabilities.emplace_back();
      capability.name = name;
      capability.capacity = offer.capacity;
      capability.free = offer.free();
      capability.warm = offer.warm;
      capability.weights = offer.weights;
      capability.unusable = offer.unusable;
      const Session* session = find(node.sessions, name);
      if (session == nullptr || !session->open) continue;
      capability.price = session->price;
      capability.seconds_per_unit = session->speed.value(now);
      capability.suspended_ms = session->suspension.left(now).count();
    }
  }
  return all;
}

}  // namespace kinora::market
