#pragma once
// The market: which orchestrator does a task. It knows several orchestrators, asks them what they offer, keeps a session
// per (orchestrator, capability), picks by price limit, measured speed and load, sends the order and follows its stream.
//
// Ownership: the Client must outlive the Market. Destroying the Market cancels its discovery; runs in progress must have
// ended before (they belong to the callers that await them).
// Threading: one executor (one thread); nothing is locked. Idle means silent: nothing is sent unless somebody calls
// run(), discover() or free_slots(), and then at most one question per orchestrator and capability is on its way.
#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "market/outcome.hpp"
#include "net/client.hpp"
#include "tasks/event.hpp"
#include "tasks/order.hpp"
#include "wire/price.hpp"

namespace kinora::market {

template <class T>
using Task = net::Task<T>;

// Wall clock, handed in so that tests can move it: session expiry, suspension, age of what is known.
using Clock = std::function<base::UnixMillis()>;

inline constexpr std::size_t kMaxOrchestrators = 256;
inline constexpr std::size_t kMaxSessionsPerNode = 1024;  // capabilities asked for; the least recently used goes
inline constexpr std::size_t kMaxNodesPerRun = 8;         // tried by one run() before it answers "refused"

struct MarketSettings {
  std::vector<std::string> orchestrators;             // address.hpp's form
  std::optional<wire::Price> max_price;               // wei per second; absent: any
  std::chrono::milliseconds poll_interval{2'000};     // knowledge older than this is renewed when it is used
  std::chrono::milliseconds question_timeout{2'500};  // one GetOrchestrator (go-livepeer's session refresh timeout)
  std::chrono::milliseconds discovery_timeout{500};   // a round ends after this with one good answer, else doubles ...
  std::chrono::milliseconds discovery_cutoff{6'000};  // ... and ends here in any case
  std::chrono::milliseconds answer_timeout{15'000};   // until the headers of a job's answer
  std::chrono::milliseconds silence_timeout{15'000};  // longest silence of a stream (the worker says ": hb" every 5 s)
  std::chrono::milliseconds late_timeout{60'000};     // a silent one is listened to for so long, if the caller wants (RunLimits::on_silent)
  std::chrono::milliseconds suspension_first{1'000};  // doubles with each failure in a row ...
  std::chrono::milliseconds suspension_longest{60'000};  // ... up to this
};

// What the caller asks of one run.
struct RunLimits {
  std::optional<wire::Price> max_price;  // the lower of this and the settings' holds
  std::vector<std::string> avoid;        // node URLs not to use, unless there is no other
  std::optional<std::string> prefer;     // node URL to use when it has a free slot
  std::chrono::seconds timeout{3600};    // of the whole run, from its start
  // Told of each node (its URL) right before the order goes to it, so that the caller can note where the work may be.
  std::function<void(std::string_view node)> on_node = {};
  // Told once when the node that works on it has gone silent; the run then goes on listening, for the result may come late. Without it a
  // silent node is lost.
  std::function<void(std::string_view node)> on_silent = {};
};

struct CapabilityStatus {
  std::string name;
  unsigned capacity = 0;  // as announced
  unsigned free = 0;      // estimate now
  bool warm = false;
  std::optional<wire::Price> price;
  std::optional<double> seconds_per_unit;  // measured here
  std::int64_t suspended_ms = 0;           // 0: usable
  std::string weights = {};                // digest of the model's, as announced; empty: not told
  std::string unusable = {};               // why the model cannot be used there, as announced: a stranger's text
};

struct NodeStatus {
  std::string url;
  std::string pin;  // configured or shown by the session; empty: not known
  bool reachable = false;
  std::optional<double> latency_ms;  // of the last answer
  unsigned running = 0;              // our jobs there now
  std::int64_t suspended_ms = 0;
  int failures = 0;  // in a row
  std::string last_error;
  std::vector<CapabilityStatus> capabilities;
};

using OnEvent = std::function<void(const tasks::TaskEvent&)>;

class Market {
 public:
  // Throws std::invalid_argument on an address that parse_address() refuses, or on more than kMaxOrchestrators.
  Market(boost::asio::any_io_executor executor, net::Client& client, MarketSettings settings, Clock clock = base::wall_clock);
  ~Market();
  Market(const Market&) = delete;
  Market& operator=(const Market&) = delete;

  // Runs one order of that capability (tasks::capability_name(order)). Goes on to the next node as long as no node has
  // accepted the work; what happens after that is the outcome, one more attempt is the caller's decision.
  // on_event gets Accepted and Progress as they arrive, and once a TaskFailure when the node goes silent; never the terminal events.
  // Cancelling the coroutine closes the stream: the work stops.
  Task<Outcome> run(std::string capability, tasks::TaskOrder order, RunLimits limits, OnEvent on_event);

  // Asks the orchestrators about the capability unless what is known is younger than poll_interval; joins a round that
  // is on its way. Answers the free slots.
  Task<unsigned> discover(std::string capability);

  // Free slots as far as known, at once. When what is known is older than poll_interval, a round begins in the background.
  unsigned free_slots(std::string_view capability);

  // Called whenever more slots may be free than before: an answer came, a run ended. One listener.
  void on_change(std::function<void()> listener);

  std::vector<NodeStatus> nodes() const;

  struct State;  // market.cpp

 private:
  std::shared_ptr<State> state_;
};

}  // namespace kinora::market
