#pragma once
// Keeps this worker's offers registered with one orchestrator, and takes them away at the end (docs/protocol.md 2).
//
// Threading: one executor run by one thread.
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "net/client.hpp"
#include "net/sync.hpp"
#include "worker/offers.hpp"
#include "worker/settings.hpp"

namespace kinora::worker {

class Registrar {
 public:
  using OffersNow = std::function<std::vector<Offer>()>;
  // `settings`, `client` and `told` must outlive it. `offers_now` says what is offered at this moment; `told` is notified when a round of
  // registrations has ended.
  Registrar(boost::asio::any_io_executor executor, OrchestratorAddress orchestrator, const WorkerSettings& settings, std::string token,
            net::Client& client, OffersNow offers_now, net::Signal& told);

  // Registers at once, every timings.renew and after poke(), until cancelled.
  net::Task<void> run();
  void poke();  // the offers changed
  // Takes every registered name away; best effort within two seconds.
  net::Task<void> unregister();

  bool registered() const { return registered_; }  // all offers, in the last round
  // What is offered now is registered, or the last try failed: there is nothing to wait for.
  bool up_to_date() const { return registered_ ? registered_offers_ == offers_now_() : !last_error_.empty(); }

 private:
  net::Task<base::Status> post(std::string path, std::string body, std::chrono::milliseconds deadline);
  net::Task<base::Status> round();
  net::Task<base::Status> withdraw(std::string name, std::chrono::milliseconds deadline);

  OrchestratorAddress orchestrator_;
  const WorkerSettings& settings_;
  std::string token_;
  net::Client& client_;
  OffersNow offers_now_;
  net::Signal& told_;
  std::set<std::string> names_;           // that the orchestrator knows
  std::vector<Offer> registered_offers_;  // in the last round that succeeded
  bool registered_ = false;
  bool poked_ = false;
  std::string last_error_;
  net::Signal changed_;
};

}  // namespace kinora::worker
