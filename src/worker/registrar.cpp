#include "worker/registrar.hpp"

#include "base/log.hpp"

namespace kinora::worker {
using base::ErrorCode;
using base::fail;

namespace {

constexpr std::size_t kMaxAnswerBytes = 64 * 1024;
constexpr std::chrono::seconds kRegisterDeadline{5};
constexpr std::chrono::seconds kUnregisterDeadline{2};

}  // namespace

Registrar::Registrar(boost::asio::any_io_executor executor, OrchestratorAddress orchestrator, const WorkerSettings& settings,
                     std::string token, net::Client& client, OffersNow offers_now, net::Signal& told)
    : orchestrator_(std::move(orchestrator)),
      settings_(settings),
      token_(std::move(token)),
      client_(client),
      offers_now_(std::move(offers_now)),
      told_(told),
      changed_(std::move(executor)) {}

net::Task<void> Registrar::run() {
  for (;;) {
    poked_ = false;
    const auto done = co_await round();
    const std::string error = done ? "" : done.error().message;
    if (!done && error != last_error_) {
      base::log::warn("worker", "cannot register", {{"orchestrator", orchestrator_.url}, {"error", error}});
    } else if (done && !registered_) {
      base::log::info("worker", "registered", {{"orchestrator", orchestrator_.url}, {"names", names_.size()}});
    }
    registered_ = done.has_value();
    last_error_ = error;
    told_.notify();
    const auto next = net::Clock::now() + settings_.timings.renew;
    while (!poked_ && net::Clock::now() < next) co_await changed_.wait(next);
  }
}

void Registrar::poke() {
  poked_ = true;
  changed_.notify();
}

net::Task<base::Status> Registrar::round() {
  const std::vector<Offer> offers = offers_now_();
  std::set<std::string> gone = names_;
  for (const Offer& offer : offers) {
    std::string body = boost::json::serialize(registration(offer, settings_, token_));
    names_.insert(offer.name);  // before the answer: a lost one may have counted
    KINORA_CO_OK(co_await post("/capability/register", std::move(body), kRegisterDeadline));
    gone.erase(offer.name);
  }
  for (const std::string& name : gone) KINORA_CO_OK(co_await withdraw(name, kRegisterDeadline));
  registered_offers_ = offers;
  co_return base::Status{};
}

net::Task<base::Status> Registrar::withdraw(std::string name, std::chrono::milliseconds deadline) {
  std::string body = boost::json::serialize(boost::json::object{{"name", name}, {"url", settings_.url + "/process"}});
  KINORA_CO_OK(co_await post("/capability/unregister", std::move(body), deadline));
  names_.erase(name);
  co_return base::Status{};
}

net::Task<void> Registrar::unregister() {
  const auto until = net::Clock::now() + kUnregisterDeadline;
  const std::set<std::string> names = names_;
  for (const std::string& name : names) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - net::Clock::now());
    if (left.count() <= 0 || !co_await withdraw(name, left)) break;  // the registrations end by their ttl
  }
  registered_ = false;
}

net::Task<base::Status> Registrar::post(std::string path, std::string body, std::chrono::milliseconds deadline) {
  net::ClientRequest request;
  request.method = "POST";
  request.url = orchestrator_.url + path;
  request.headers = {{"authorization", settings_.orchestrator_secret}, {"content-type", "application/json"}};
  request.body = std::move(body);
  request.deadline = deadline;
  if (orchestrator_.pin) request.trust = net::TlsTrust::pinned(*orchestrator_.pin);
  KINORA_CO_TRY(net::ClientResponse answer, co_await client_.send(std::move(request)));
  KINORA_CO_TRY(const std::string text, co_await answer.read_all(kMaxAnswerBytes));
  if (answer.status() / 100 == 2) co_return base::Status{};
  const ErrorCode code = answer.status() == 401 || answer.status() == 403 ? ErrorCode::unauthenticated : ErrorCode::unavailable;
  co_return fail(code, "the orchestrator answered " + std::to_string(answer.status()) + ": " + text.substr(0, 200));
}

}  // namespace kinora::worker
