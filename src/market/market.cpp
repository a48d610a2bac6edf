#include "market/market.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "base/log.hpp"
#include "market/book.hpp"
#include "market/discovery.hpp"
#include "market/job_call.hpp"
#include "wire/messages.hpp"

namespace kinora::market {
namespace {

namespace log = base::log;
using Steady = std::chrono::steady_clock;
constexpr int kTrustedPolls = 5;  // a free slot is believed for so many poll intervals; a new answer comes in the background

std::vector<OrchestratorAddress> parse_all(const std::vector<std::string>& texts) {
  if (texts.size() > kMaxOrchestrators) throw std::invalid_argument("more than 256 orchestrators");
  std::vector<OrchestratorAddress> addresses;
  for (const auto& text : texts) {
    auto address = parse_address(text);
    if (!address) throw std::invalid_argument("orchestrator " + text + ": " + address.error().message);
    addresses.push_back(std::move(*address));
  }
  return addresses;
}

std::optional<wire::Price> lower(const std::optional<wire::Price>& a, const std::optional<wire::Price>& b) {
  if (!a || !b) return a ? a : b;
  return *a <= *b ? a : b;
}

net::TlsTrust trust_for(const Session& session) { return session.pin.empty() ? net::TlsTrust{} : net::TlsTrust::pinned(session.pin); }

}  // namespace

std::string_view name(Outcome::Kind kind) {
  switch (kind) {
    case Outcome::Kind::succeeded: return "succeeded";
    case Outcome::Kind::failed: return "failed";
    case Outcome::Kind::lost: return "lost";
    case Outcome::Kind::refused: return "refused";
  }
  return "";
}

struct Market::State : std::enable_shared_from_this<State> {
  State(boost::asio::any_io_executor executor, net::Client& client_, MarketSettings settings_, Clock clock_)
      : client(client_),
        settings(std::move(settings_)),
        clock(std::move(clock_)),
        book(std::make_shared<Book>(parse_all(settings.orchestrators), BackOff{settings.suspension_first, settings.suspension_longest})),
        discovery(std::make_shared<Discovery>(std::move(executor), client, book, settings, clock, [this] { changed(); })) {}

  net::Client& client;
  MarketSettings settings;
  Clock clock;
  std::shared_ptr<Book> book;
  std::shared_ptr<Discovery> discovery;
  std::function<void()> listener;

  void changed() const {
    if (listener) listener();
  }
  // A node with a free slot answered not long ago.
  bool knows_a_slot(const std::string& capability, const RunLimits& limits) const;
  Task<CallEnd> call(std::size_t index, const std::string& capability, const tasks::TaskOrder& order, Steady::time_point deadline,
                     const OnEvent& on_event);
  Outcome conclude(std::size_t index, const std::string& capability, CallEnd end);
};

namespace {

// Our job counts as running there while this lives.
class Occupied {
 public:
  Occupied(std::shared_ptr<Market::State> state, Node& node, const std::string& capability);
  ~Occupied();
  Occupied(const Occupied&) = delete;
  Occupied& operator=(const Occupied&) = delete;

 private:
  std::shared_ptr<Market::State> state_;
  Node& node_;
  const std::string& capability_;
};

Occupied::Occupied(std::shared_ptr<Market::State> state, Node& node, const std::string& capability)
    : state_(std::move(state)), node_(node), capability_(capability) {
  state_->book->begun(node_, capability_, state_->clock());
}

Occupied::~Occupied() { state_->book->ended(node_, capability_); }

bool is_nodes_fault(const tasks::TaskFailure& failure) {
  return failure.fault == tasks::Fault::worker || failure.fault == tasks::Fault::network;
}

}  // namespace

bool Market::State::knows_a_slot(const std::string& capability, const RunLimits& limits) const {
  const auto now = clock();
  const auto candidates = book->candidates(capability, limits, now);
  return std::ranges::any_of(candidates, [&](std::size_t i) {
    return now - book->nodes()[i].sessions.at(capability).asked_at < kTrustedPolls * settings.poll_interval;
  });
}

Task<CallEnd> Market::State::call(std::size_t index, const std::string& capability, const tasks::TaskOrder& order,
                                  Steady::time_point deadline, const OnEvent& on_event) {
  Node& node = book->nodes()[index];
  const Session& session = book->session(node, capability, clock());
  JobCall job{.service_url = session.service_url,
              .trust = trust_for(session),
              .capability = capability,
              .order = &order,
              .deadline = deadline,
              .answer_timeout = settings.answer_timeout,
              .silence_timeout = settings.silence_timeout};
  // Who listens to events hears of a silence at once, and may still get the result.
  if (on_event)
    job.on_silent = [this, &node, &capability, &on_event] {
      const auto lost = tasks::failure("worker_lost", "the node has gone silent");
      book->failed(node, capability, lost.detail, clock());
      on_event(lost);
    };
  const Occupied occupied(shared_from_this(), node, capability);
  co_return co_await call_job(client, std::move(job), on_event);
}

// Learns from how a call ended and says it in the caller's words; "refused" means: try the next node.
Outcome Market::State::conclude(std::size_t index, const std::string& capability, CallEnd end) {
  Node& node = book->nodes()[index];
  Outcome outcome;
  outcome.node = node.address.url;
  outcome.worker = std::move(end.worker);
  outcome.detail = end.detail;
  outcome.seconds = end.seconds;
  switch (end.kind) {
    case CallEnd::Kind::succeeded:
      outcome.kind = Outcome::Kind::succeeded;
      book->succeeded(node, capability, end.seconds / std::max(1.0, end.result.units), clock());
      outcome.result = std::move(end.result);
      return outcome;
    case CallEnd::Kind::failed:
      outcome.kind = Outcome::Kind::failed;
      if (is_nodes_fault(end.failure)) book->failed(node, capability, end.failure.code + ": " + end.failure.detail, clock());
      outcome.failure = std::move(end.failure);
      return outcome;
    case CallEnd::Kind::lost:
      outcome.kind = Outcome::Kind::lost;
      book->failed(node, capability, end.detail, clock());
      break;
    case CallEnd::Kind::no_capacity: book->full(node, capability); return outcome;
    case CallEnd::Kind::unreachable: book->unreachable(node, end.detail, end.error == base::ErrorCode::unauthenticated, clock()); break;
    case CallEnd::Kind::rejected: book->failed(node, capability, end.detail, clock()); break;
  }
  log::warn("market", "job did not end well",
            {{"node", node.address.url}, {"capability", capability}, {"end", name(outcome.kind)}, {"detail", outcome.detail}});
  return outcome;
}

Market::Market(boost::asio::any_io_executor executor, net::Client& client, MarketSettings settings, Clock clock)
    : state_(std::make_shared<State>(std::move(executor), client, std::move(settings), std::move(clock))) {
  wire::silence_protobuf();
}

Market::~Market() {
  state_->listener = nullptr;
  state_->discovery->close();
}

Task<Outcome> Market::run(std::string capability, tasks::TaskOrder order, RunLimits limits, OnEvent on_event) {
  const auto state = state_;
  const auto deadline = Steady::now() + limits.timeout;
  limits.max_price = lower(limits.max_price, state->settings.max_price);
  // Where a free slot is known, nobody waits for slower nodes to answer.
  bool asked = !state->knows_a_slot(capability, limits);
  if (asked) {
    co_await state->discovery->round(capability);
  } else {
    state->discovery->begin(capability);
  }
  Outcome outcome;
  outcome.detail = "no orchestrator has a free slot for " + capability;
  std::vector<std::size_t> tried;
  while (tried.size() < kMaxNodesPerRun) {
    // Asked anew for each try: what happened at the last one has been learnt.
    const auto candidates = state->book->candidates(capability, limits, state->clock());
    const auto next = std::ranges::find_if(candidates, [&](std::size_t i) { return std::ranges::find(tried, i) == tried.end(); });
    if (next == candidates.end()) {
      if (std::exchange(asked, true)) break;
      co_await state->discovery->round(capability);
      continue;
    }
    tried.push_back(*next);
    if (limits.on_node) limits.on_node(state->book->nodes()[*next].address.url);
    outcome = state->conclude(*next, capability, co_await state->call(*next, capability, order, deadline, on_event));
    state->changed();
    if (outcome.kind != Outcome::Kind::refused) co_return outcome;
  }
  outcome.node.clear();
  co_return outcome;
}

Task<unsigned> Market::discover(std::string capability) {
  const auto state = state_;
  co_await state->discovery->round(capability);
  co_return state->book->free_slots(capability, state->settings.max_price, state->clock());
}

unsigned Market::free_slots(std::string_view capability) {
  state_->discovery->begin(std::string(capability));
  return state_->book->free_slots(capability, state_->settings.max_price, state_->clock());
}

void Market::on_change(std::function<void()> listener) { state_->listener = std::move(listener); }

std::vector<NodeStatus> Market::nodes() const { return state_->book->status(state_->clock()); }

}  // namespace kinora::market
