#pragma once
// What the market knows: its nodes, their sessions by capability, what they offer, how fast and how reliable they were,
// and from that the order in which to try them for a job. Pure of I/O: time is handed in. One thread.
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "market/address.hpp"
#include "market/market.hpp"
#include "market/suspension.hpp"
#include "wire/messages.hpp"

namespace kinora::market {

inline constexpr std::chrono::minutes kScoreMemory{10};  // a speed that old is forgotten, so that a node gets a new chance

// A capability's slots on a node: as announced, corrected by what we did since.
struct Offer {
  unsigned capacity = 0;
  unsigned in_use = 0;  // as announced; by us or by others
  int ours_since = 0;   // our jobs begun minus ended since the announcement
  bool warm = false;
  std::string weights = {};   // digest of the model's, as announced
  std::string unusable = {};  // why the model cannot be used, as announced
  unsigned free() const;
  double load() const;  // 0 idle .. 1 full
};

// Seconds per unit of work: exponential mean, newest counts 0.3.
class Speed {
 public:
  void measured(double seconds_per_unit, base::UnixMillis now);
  std::optional<double> value(base::UnixMillis now) const;

 private:
  std::optional<double> mean_;
  base::UnixMillis at_{};
};

// One session: the agreement with a node about one capability.
struct Session {
  bool open = false;
  std::string session_id;
  std::int64_t expires_unix_s = 0;
  std::chrono::seconds lifetime{0};
  std::string service_url;  // where jobs go
  std::string pin;          // key that GetOrchestrator's connection showed; empty for http
  wire::Price price;
  base::UnixMillis asked_at{};  // last answer
  base::UnixMillis used_at{};
  Speed speed;
  Suspension suspension;
  int running = 0;  // our jobs now
};

struct Node {
  OrchestratorAddress address;
  bool reachable = false;  // the last contact was answered
  std::string pin;         // shown last
  std::optional<std::chrono::microseconds> latency;
  Suspension suspension;
  std::string last_error;
  std::map<std::string, Offer, std::less<>> offers;      // by capability
  std::map<std::string, Session, std::less<>> sessions;  // by capability
  int running() const;
};

class Book {
 public:
  Book(const std::vector<OrchestratorAddress>& addresses, BackOff back_off);

  std::vector<Node>& nodes() { return nodes_; }
  const std::vector<Node>& nodes() const { return nodes_; }
  // Makes room by dropping the session that was unused longest, when there are too many.
  Session& session(Node& node, std::string_view capability, base::UnixMillis now);

  // Enters an answer of GetOrchestrator. unsupported: the answer does not serve the capability; invalid: an answer that
  // must be dropped (no transcoder address, no token).
  base::Status enter(Node& node, std::string_view capability, const wire::pb::OrchestratorInfo& info, const std::string& pin,
                     std::chrono::microseconds latency, base::UnixMillis now);
  // The node could not be asked or reached: its offers are void, its sessions closed when `close_sessions`.
  void unreachable(Node& node, std::string reason, bool close_sessions, base::UnixMillis now);

  // Whether the session has to be asked for again before it is used: never asked, knowledge older than `age`, token in
  // its last tenth. False while a suspension lasts.
  bool stale(const Node& node, std::string_view capability, std::chrono::milliseconds age, base::UnixMillis now) const;

  // Nodes to try, best first: open, affordable, with a free slot. The preferred one, then never measured ones (one job at a
  // time, to learn), then by expected seconds per unit, weighted with load. Avoided and suspended ones only when no
  // other node offers the capability at all.
  std::vector<std::size_t> candidates(std::string_view capability, const RunLimits& limits, base::UnixMillis now) const;
  unsigned free_slots(std::string_view capability, const std::optional<wire::Price>& max_price, base::UnixMillis now) const;

  void begun(Node& node, std::string_view capability, base::UnixMillis now);
  void ended(Node& node, std::string_view capability);
  void succeeded(Node& node, std::string_view capability, double seconds_per_unit, base::UnixMillis now);
  void failed(Node& node, std::string_view capability, std::string reason, base::UnixMillis now);
  // It answered "no capacity": full until the next announcement.
  void full(Node& node, std::string_view capability);

  std::vector<NodeStatus> status(base::UnixMillis now) const;

 private:
  bool usable(const Node& node, std::string_view capability, const std::optional<wire::Price>& max_price) const;
  std::vector<Node> nodes_;
  BackOff back_off_;
};

}  // namespace kinora::market
