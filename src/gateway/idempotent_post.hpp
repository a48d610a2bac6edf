#pragma once
// Idempotency-Key (developer-api 5.4.1) for every creating POST but /v1/jobs, whose record is written by the engine together with the job.
#include <functional>
#include <map>
#include <memory>

#include "gateway/call.hpp"
#include "jobs/idempotency.hpp"
#include "store/database.hpp"

namespace kinora::gateway {

// What an execution leaves for replays.
struct Created {
  Reply reply;
  std::optional<std::string> stored_body;  // instead of reply.body, when that holds a secret
};
using Creation = std::function<Task<tl::expected<Created, Problem>>()>;

// The scope that the request's header asks for; nullopt without one. Problem: invalid_field.
tl::expected<std::optional<jobs::IdempotencyScope>, Problem> idempotency_scope(const Call& call, const json::value& body);

class IdempotentPosts {
 public:
  IdempotentPosts(boost::asio::any_io_executor executor, store::Database& database, std::function<base::UnixMillis()> clock);
  ~IdempotentPosts();
  // Runs `create` once per scope: replays, waits up to 5 s for a first one that is at work, refuses another body.
  Task<Answer> run(const Call& call, const json::value& body, Creation create);

 private:
  struct Flight;
  Task<Answer> execute(const jobs::IdempotencyScope& scope, const Creation& create);
  boost::asio::any_io_executor executor_;
  store::Database& database_;
  std::function<base::UnixMillis()> clock_;
  std::map<std::string, std::shared_ptr<Flight>> flights_;  // executions of this process, by scope
};

inline constexpr std::chrono::hours kIdempotencyLife{24};
inline constexpr std::chrono::seconds kIdempotencyWait{5};

}  // namespace kinora::gateway
