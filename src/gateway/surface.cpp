#include "gateway/surface.hpp"

#include <boost/system/system_error.hpp>

#include "base/log.hpp"
#include "gateway/route_docs.hpp"
#include "net/request_target.hpp"

namespace kinora::gateway {

struct Surface::Shared {
  const KeyStore& keys;
  base::UlidSource& ids;
  Clock clock;

  // One route, and whether it takes a query at all.
  struct Door {
    Access access;
    std::string scope;
    bool no_query = false;
    Endpoint endpoint;
  };
  tl::expected<void, Problem> admit(Call& call, const Door& door) const;
  Task<void> serve(net::Request& request, net::Response& response, const Door& door) const;
  Task<Answer> answer(Call& call, const Door& door) const;
};

tl::expected<void, Problem> Surface::Shared::admit(Call& call, const Door& door) const {
  const Access access = door.access;
  if (const auto version = call.request.headers.get("api-version"); version && *version != kApiVersion)
    return refuse({{"Api-Version", "invalid_field", "this node speaks version " + std::string(kApiVersion)}});
  if (door.no_query && !call.request.query.empty()) {
    base::FieldErrors errors;
    QueryReader(call.request.query, errors).finish();
    return refuse(std::move(errors));
  }
  if (access == Access::open || access == Access::own) return {};
  const auto text = key_of(call.request.headers);
  if (!text) {
    if (access == Access::either) return {};
    return refuse("unauthenticated", "an API key is needed: Authorization: Bearer <key>");
  }
  const auto record = keys.authenticate(*text, call.request.peer.address, clock());
  if (!record) {
    switch (record.error().code) {
      case base::ErrorCode::timeout: return refuse("key_expired", record.error().message);
      case base::ErrorCode::forbidden: return refuse("forbidden", record.error().message);
      default: return refuse("unauthenticated", record.error().message);
    }
  }
  if (!covers(record->scopes, door.scope)) return refuse("scope_missing", "the API key lacks the scope " + door.scope);
  call.caller = {record->id, record->project, record->scopes, record->models, record->tasks};
  return {};
}

Task<Answer> Surface::Shared::answer(Call& call, const Door& door) const {
  if (auto admitted = admit(call, door); !admitted) co_return tl::unexpected(std::move(admitted).error());
  co_return co_await door.endpoint(call);
}

Task<void> Surface::Shared::serve(net::Request& request, net::Response& response, const Door& door) const {
  Call call(request, response, ids.next_id("req", clock()));
  Answer result = refuse("internal", "the gateway failed; the request id leads to its log");
  try {
    result = co_await answer(call, door);
  } catch (const boost::system::system_error& error) {
    if (error.code() == boost::asio::error::operation_aborted) throw;  // the peer has gone, or the server stops
    base::log::error("gateway", "request failed", {{"request", call.request_id}, {"path", request.path}, {"error", error.what()}});
  } catch (const std::exception& error) {
    base::log::error("gateway", "request failed", {{"request", call.request_id}, {"path", request.path}, {"error", error.what()}});
  }
  if (!result) {
    result.error().request_id = call.request_id;
    if (response.started()) co_return;  // too late for another answer: the stream ends short, which the peer sees
    result = to_reply(result.error());
  }
  (void)co_await call.send(std::move(*result));
}

Surface::Surface(net::Router& router, const KeyStore& keys, base::UlidSource& ids, Clock clock)
    : router_(router), shared_(std::make_shared<Shared>(Shared{keys, ids, std::move(clock)})) {
  router_.on_refusal([shared = shared_](net::Request& request, net::Response& response, int status) -> Task<void> {
    Call call(request, response, shared->ids.next_id("req", shared->clock()));
    Problem problem;
    switch (status) {
      case 400:
        problem.code = "invalid_field";
        problem.detail = request.param(net::kMalformed);
        break;
      case 405:
        problem.code = "method_not_allowed";
        problem.detail = request.method + " is not allowed on " + request.path + "; allowed: " + std::string(request.param("allow"));
        break;
      default: problem.code = "not_found"; problem.detail = "there is nothing at " + request.path;
    }
    problem.request_id = call.request_id;
    Reply reply = to_reply(problem);
    if (status == 405) reply.headers.set("allow", std::string(request.param("allow")));
    (void)co_await call.send(std::move(reply));
  });
}

void Surface::add(std::string method, std::string pattern, Access access, std::string scope, Endpoint endpoint) {
  const RouteDoc* doc = find_route_doc(method, pattern);
  routes_->push_back({method, pattern, access, scope});
  Shared::Door door{access, std::move(scope), doc != nullptr && doc->query.empty(), std::move(endpoint)};
  router_.add(std::move(method), std::move(pattern),
              [shared = shared_, door = std::move(door)](net::Request& request, net::Response& response) {
                return shared->serve(request, response, door);
              });
}

}  // namespace kinora::gateway
