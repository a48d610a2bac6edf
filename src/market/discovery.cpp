#include "market/discovery.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "net/grpc.hpp"
#include "wire/byoc.hpp"
#include "wire/capabilities.hpp"

namespace kinora::market {
namespace {

namespace asio = boost::asio;
namespace log = base::log;
using Steady = std::chrono::steady_clock;
constexpr std::size_t kAddressBytes = 20;

std::string question_text(const std::string& capability) {
  wire::pb::OrchestratorRequest request;
  request.set_address(std::string(kAddressBytes, '\0'));  // off-chain: no address, no signature
  *request.mutable_capabilities() = wire::capabilities_for_byoc(capability);
  return request.SerializeAsString();
}

// The configured key, else the key of the open session, else whatever the node shows, which is then noted.
net::TlsTrust trust_for(const Node& node, const Session& session) {
  if (!node.address.url.starts_with("https:")) return {};
  if (!node.address.pin.empty()) return net::TlsTrust::pinned(node.address.pin);
  if (session.open && !session.pin.empty()) return net::TlsTrust::pinned(session.pin);
  return net::TlsTrust::learn();
}

}  // namespace

Discovery::Discovery(asio::any_io_executor executor, net::Client& client, std::shared_ptr<Book> book, MarketSettings settings, Clock clock,
                     std::function<void()> on_answer)
    : executor_(executor),
      client_(client),
      book_(std::move(book)),
      settings_(std::move(settings)),
      clock_(std::move(clock)),
      on_answer_(std::move(on_answer)),
      group_(std::move(executor)) {}

void Discovery::close() {
  closed_ = true;
  group_.cancel();
}

void Discovery::done(Question& question) {
  question.done = true;
  question.answered.notify();
  questions_.erase({question.node, question.capability});
  if (!closed_) on_answer_();
}

Task<void> Discovery::ask(std::shared_ptr<Discovery> self, std::shared_ptr<Question> question) {
  // Those who wait are told in any case, also when the question is cancelled.
  struct Done {
    Discovery& discovery;
    Question& question;
    ~Done() { discovery.done(question); }
  } tell{*self, *question};
  co_await self->enter_answer(*question);
}

Task<void> Discovery::enter_answer(const Question& question) {
  Node& node = book_->nodes()[question.node];
  const auto trust = trust_for(node, book_->session(node, question.capability, clock_()));
  const auto begun = Steady::now();
  auto answer = co_await net::grpc_call(client_, node.address.url, "/net.Orchestrator/GetOrchestrator", question_text(question.capability),
                                        trust, settings_.question_timeout);
  const auto latency = std::chrono::duration_cast<std::chrono::microseconds>(Steady::now() - begun);
  if (!answer) {
    // Another key than the session's: the session is over; after the suspension a new one notes the new key.
    const bool other_key = answer.error().code == base::ErrorCode::unauthenticated;
    log::warn("market", other_key ? "orchestrator shows another key" : "orchestrator does not answer",
              {{"node", node.address.url}, {"error", answer.error().message}});
    book_->unreachable(node, answer.error().message, other_key, clock_());
    co_return;
  }
  wire::pb::OrchestratorInfo info;
  if (!info.ParseFromString(answer->message) || !wire::check_size(info.capabilities())) {
    book_->unreachable(node, "answer is no valid OrchestratorInfo", true, clock_());
    co_return;
  }
  const auto entered = book_->enter(node, question.capability, info, answer->peer_pin, latency, clock_());
  if (!entered) log::debug("market", "orchestrator is no candidate", {{"node", node.address.url}, {"reason", entered.error().message}});
}

Discovery::Questions Discovery::ask_stale(const std::string& capability) {
  Questions asked;
  if (closed_ || !wire::is_capability_name(capability)) return asked;
  for (std::size_t i = 0; i < book_->nodes().size(); ++i) {
    if (!book_->stale(book_->nodes()[i], capability, settings_.poll_interval, clock_())) continue;
    auto& question = questions_[{i, capability}];
    if (!question) {
      question = std::make_shared<Question>(executor_, i, capability);
      group_.spawn(ask(shared_from_this(), question));
    }
    asked.push_back(question);
  }
  return asked;
}

void Discovery::begin(const std::string& capability) { ask_stale(capability); }

Task<void> Discovery::round(std::string capability) {
  const auto keep = shared_from_this();
  const auto questions = ask_stale(capability);
  const auto begun = Steady::now();
  auto check_after = settings_.discovery_timeout;
  for (const auto& question : questions) {
    while (!question->done) {
      const auto passed = Steady::now() - begun;
      if (passed >= settings_.discovery_cutoff) co_return;
      if (passed >= check_after) {
        if (book_->free_slots(capability, settings_.max_price, clock_()) > 0) co_return;
        check_after *= 2;
        continue;
      }
      co_await question->answered.wait(begun + std::min(check_after, settings_.discovery_cutoff));
    }
  }
}

}  // namespace kinora::market
