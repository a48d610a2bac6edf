// What workers use (docs/protocol.md 5): signed GETs of inputs, PUTs of outputs with the token of the attempt.
#include "gateway/body_to_blob.hpp"
#include "gateway/content.hpp"
#include "gateway/services.hpp"
#include "tasks/order.hpp"

namespace kinora::gateway {
namespace {

Task<Answer> get_input(Call& call, const Services& services) {
  if (const auto ok = services.orders.check_input(call.request.path, call.request.query, services.clock()); !ok)
    co_return refuse("forbidden", ok.error().message);
  const std::string sha256(call.request.param("sha256"));
  if (!tasks::is_sha256(sha256)) co_return refuse("not_found", "no such input");
  co_return co_await send_blob(call, services.blobs, {.sha256 = sha256, .mime = "application/octet-stream", .disposition = {}});
}

Task<Answer> put_file(Call& call, const Services& services) {
  const std::string attempt(call.request.param("attempt"));
  const std::string name(call.request.param("name"));
  const auto token = key_of(call.request.headers);
  if (!token) co_return refuse("unauthenticated", "the token of the attempt is needed: Authorization: Bearer <token>");
  if (const auto ok = services.orders.check_upload(attempt, *token, services.clock()); !ok)
    co_return refuse("forbidden", ok.error().message);
  if (!tasks::is_file_name(name)) co_return refuse({{"name", "invalid_field", "is not a file name: 1-200 characters of [A-Za-z0-9._/-]"}});
  const auto target = services.engine.attempt_target(attempt);
  if (!target) co_return tl::unexpected(target.error());
  auto blob = co_await body_to_blob(call, services.blobs, static_cast<std::uint64_t>(target->max_bytes));
  if (!blob) co_return tl::unexpected(std::move(blob).error());
  const json::object answer{{"bytes", blob->bytes()}, {"sha256", blob->sha256()}};
  if (auto added = co_await services.engine.add_attempt_file(attempt, name, std::move(*blob)); !added)
    co_return tl::unexpected(std::move(added).error());
  co_return Reply::of(200, answer);
}

}  // namespace

void add_attempt_routes(Surface& surface, SharedServices services) {
  surface.add("GET", "/v1/attempts/{attempt}/inputs/{sha256}", Access::own, "",
              [services](Call& call) { return get_input(call, *services); });
  surface.add("PUT", "/v1/attempts/{attempt}/files/{name...}", Access::own, "",
              [services](Call& call) { return put_file(call, *services); });
}

}  // namespace kinora::gateway
