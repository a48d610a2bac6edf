#include "gateway/idempotent_post.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "jobs/outcome.hpp"

namespace kinora::gateway {
namespace asio = boost::asio;

// Those who wait for an execution wait on its timer, which ends when it is done or after kIdempotencyWait.
struct IdempotentPosts::Flight {
  explicit Flight(const asio::any_io_executor& executor) : landed(executor, kIdempotencyWait) {}
  asio::steady_timer landed;
  bool done = false;
};

tl::expected<std::optional<jobs::IdempotencyScope>, Problem> idempotency_scope(const Call& call, const json::value& body) {
  const auto header = call.request.headers.get("idempotency-key");
  if (!header) return std::nullopt;
  const auto key = jobs::parse_idempotency_key(*header);
  if (!key) return refuse({{"Idempotency-Key", "invalid_field", key.error().message}});
  return jobs::IdempotencyScope{call.caller.project, call.request.method, call.request.path, *key,
                                jobs::fingerprint(call.request.method, call.request.path, call.caller.project, body)};
}

IdempotentPosts::IdempotentPosts(asio::any_io_executor executor, store::Database& database, std::function<base::UnixMillis()> clock)
    : executor_(std::move(executor)), database_(database), clock_(std::move(clock)) {}
IdempotentPosts::~IdempotentPosts() = default;

Task<Answer> IdempotentPosts::execute(const jobs::IdempotencyScope& scope, const Creation& create) {
  auto made = co_await create();
  const bool final = made || (tasks::http_status(made.error().code) < 500 && tasks::http_status(made.error().code) != 429 &&
                              tasks::http_status(made.error().code) != 409);
  if (!final) {
    (void)co_await database_.write([&](store::Connection& db) { return jobs::abandon_idempotent(db, scope); });
    co_return tl::unexpected(std::move(made).error());
  }
  const Reply reply = made ? made->reply : to_reply(made.error());
  const jobs::idempotent::Replay replay{reply.status, made && made->stored_body ? *made->stored_body : reply.body, ""};
  const auto expires = clock_() + kIdempotencyLife;
  const auto stored = co_await database_.write([&](store::Connection& db) { return jobs::finish_idempotent(db, scope, replay, expires); });
  if (!stored) co_return jobs::refuse(stored.error());
  if (!made) co_return tl::unexpected(std::move(made).error());
  co_return std::move(made->reply);
}

Task<Answer> IdempotentPosts::run(const Call& call, const json::value& body, Creation create) {
  const auto scope = idempotency_scope(call, body);
  if (!scope) co_return tl::unexpected(scope.error());
  if (!*scope) {
    auto made = co_await create();
    if (!made) co_return tl::unexpected(std::move(made).error());
    co_return std::move(made->reply);
  }
  const std::string name = (*scope)->project + "\n" + (*scope)->method + "\n" + (*scope)->path + "\n" + (*scope)->key;
  for (;;) {
    // An execution of this process that is at work: wait for its end, then look at what it left.
    if (const auto found = flights_.find(name); found != flights_.end()) {
      const auto flight = found->second;
      co_await flight->landed.async_wait(asio::as_tuple(asio::use_awaitable));
      if (!flight->done) {
        Problem busy;
        busy.code = "idempotency_in_progress";
        busy.detail = "the first request with this Idempotency-Key is still at work";
        busy.retry_after_ms = 1000;
        co_return tl::unexpected(std::move(busy));
      }
      continue;
    }
    const auto flight = std::make_shared<Flight>(executor_);
    flights_.emplace(name, flight);
    struct Landing {
      IdempotentPosts& posts;
      const std::string& name;
      Flight& flight;
      ~Landing() {
        flight.done = true;
        flight.landed.cancel();
        posts.flights_.erase(name);
      }
    } landing{*this, name, *flight};
    const auto now = clock_();
    auto state = co_await database_.write([&](store::Connection& db) { return jobs::begin_idempotent(db, **scope, now); });
    if (!state) co_return jobs::refuse(state.error());
    if (std::holds_alternative<jobs::idempotent::Mismatch>(*state))
      co_return refuse("idempotency_mismatch", "this Idempotency-Key was used with another body");
    if (auto* replay = std::get_if<jobs::idempotent::Replay>(&*state)) {
      Reply reply{replay->status,
                  {{"content-type", replay->status < 400 ? "application/json" : "application/problem+json"}},
                  std::move(replay->body),
                  false};
      reply.headers.set("idempotency-replayed", "true");
      co_return reply;
    }
    // Fresh; or in progress although nothing of this process is at work on it: the process that began it has died.
    co_return co_await execute(**scope, create);
  }
}

}  // namespace kinora::gateway
