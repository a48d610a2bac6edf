#pragma once
// Sends deliveries: takes what is due from the store, calls the endpoints, writes down what came of it. Nothing is sent that is not a row,
// so a crash repeats a try at most; the receiver knows it by its webhook-id.
//
// Of a subject one delivery at a time when the endpoint is ordered; a receiver that does not answer holds up its own subjects only.
// Threading: one executor. Everything handed in outlives run().
#include <map>
#include <random>
#include <set>

#include "gateway/address.hpp"
#include "gateway/webhook_outbox.hpp"
#include "gateway/webhook_schedule.hpp"
#include "gateway/webhook_signature.hpp"
#include "jobs/engine.hpp"
#include "net/client.hpp"
#include "net/sync.hpp"

namespace kinora::gateway {

inline constexpr std::chrono::hours kSecretOverlap{24};
inline constexpr std::chrono::hours kDeliveriesKept{24 * 30};
inline constexpr std::size_t kMaxThinBytes = 20 * 1024;
inline constexpr std::size_t kMaxDetailedBytes = 256 * 1024;

struct WebhookSenderSettings {
  net::Reach reach = net::Reach::public_only;
  int at_once = 256;
  int at_once_per_endpoint = 8;  // 1 after an answer that asks for less
};

class WebhookSender {
 public:
  using Clock = std::function<base::UnixMillis()>;
  WebhookSender(boost::asio::any_io_executor executor, store::Database& database, jobs::Engine& engine, const WebhookKeys& keys,
                const jobs::Links& links, NewId new_id, Clock clock, WebhookSenderSettings settings);

  net::Task<void> run();  // until cancelled
  void wake();            // rows have changed, or time has
  // Until the delivery has been tried, or that time is over.
  net::Task<void> wait_for_try(std::string delivery, std::chrono::milliseconds time);

 private:
  struct Try {
    WebhookDelivery delivery;
    WebhookEndpoint endpoint;
    SecretGeneration secret;
    jobs::Event event;
  };
  struct Outcome {
    std::optional<std::int64_t> status;
    std::string excerpt, error;
    std::chrono::milliseconds took{};
    std::optional<std::chrono::seconds> retry_after;
  };
  net::Task<base::Result<std::int64_t>> expand();
  net::Task<base::Status> start_due();
  net::Task<void> deliver(WebhookDelivery delivery);
  net::Task<base::Result<Try>> load(WebhookDelivery delivery);
  net::Task<std::string> body_of(const Try& what, std::string& traceparent);
  net::Task<Outcome> call(const Try& what);
  net::Headers headers_of(const Try& what, const WebhookMessage& message) const;
  net::Task<base::Status> note(std::string delivery, Outcome outcome);
  net::Task<void> wait_for_change(std::uint64_t seen, net::Clock::time_point until);
  json::array saturated() const;

  boost::asio::any_io_executor executor_;
  store::Database& database_;
  jobs::Engine& engine_;
  const WebhookKeys& keys_;
  const jobs::Links& links_;
  NewId new_id_;
  Clock clock_;
  WebhookSenderSettings settings_;
  net::Client client_;
  net::Signal changed_;
  std::uint64_t changes_ = 0;         // of rows by others, counted so that none is missed between looking and waiting
  base::UnixMillis next_clearing_{};  // of old deliveries
  std::int64_t written_ = 0;          // cursor that was stored while nobody watched
  std::map<std::string, int> busy_;   // tries at work, by endpoint
  std::set<std::string> in_flight_;   // deliveries
  std::set<std::string> throttled_;   // endpoints that have asked for less
  std::mt19937_64 random_;
  net::TaskGroup tries_;
};

}  // namespace kinora::gateway
