#include "orchestrator/orchestrator.hpp"

#include <openssl/rand.h>

#include <stdexcept>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/log.hpp"
#include "orchestrator/info.hpp"
#include "orchestrator/job.hpp"
#include "orchestrator/state.hpp"
#include "wire/byoc.hpp"
#include "wire/messages.hpp"

namespace kinora::orchestrator {
namespace {

namespace log = base::log;
using State = Orchestrator::State;

template <std::size_t N>
std::array<std::uint8_t, N> random_bytes() {
  std::array<std::uint8_t, N> bytes;
  KINORA_CHECK(RAND_bytes(bytes.data(), static_cast<int>(N)) == 1);
  return bytes;
}

net::GrpcReply grpc_error(net::GrpcCode code, std::string message) {
  return tl::unexpected<net::GrpcStatus>(net::GrpcStatus{code, std::move(message)});
}

Task<net::GrpcReply> get_orchestrator(State& state, const std::string& message) {
  wire::pb::OrchestratorRequest request;
  if (!request.ParseFromString(message)) co_return grpc_error(net::GrpcCode::internal, "request is no OrchestratorRequest");
  // Errors of this method have code unknown, as a Go handler's plain error has.
  if (const auto checked = check_request(request); !checked) co_return grpc_error(net::GrpcCode::unknown, checked.error().message);
  const auto offered = state.workers().status();
  auto info = build_info(state.settings, offered, request.has_capabilities() ? &request.capabilities() : nullptr);
  const auto expiration = std::chrono::floor<std::chrono::seconds>(state.clock()) + kTokenLifetime;
  *info.mutable_auth_token() =
      state.tokens.issue(base::to_hex(random_bytes<wire::kSessionIdBytes / 2>()), expiration.time_since_epoch().count());
  co_return info.SerializeAsString();
}

Task<net::GrpcReply> end_session(State& state, const std::string& message) {
  wire::pb::EndTranscodingSessionRequest request;
  if (!request.ParseFromString(message)) co_return grpc_error(net::GrpcCode::internal, "request is no EndTranscodingSessionRequest");
  if (!state.tokens.verify(request.auth_token())) co_return grpc_error(net::GrpcCode::unknown, "Invalid auth token");
  co_return std::string{};  // sessions hold nothing here that would have to be freed
}

Task<net::GrpcReply> ping(const std::string& message) {
  wire::pb::PingPong request;
  if (!request.ParseFromString(message)) co_return grpc_error(net::GrpcCode::internal, "request is no PingPong");
  co_return std::string{};  // off-chain: the signature of the value is empty
}

bool shows_secret(const State& state, const net::Request& request) {
  const auto shown = request.headers.get("authorization").value_or("");
  return base::equal_secret(base::as_bytes(shown), base::as_bytes(state.settings.secret));
}

Task<void> say_ok(net::Response& response) { co_await response.send(200, {{"content-type", "application/json"}}, "ok"); }

Task<void> register_capability(State& state, net::Request& request, net::Response& response) {
  if (!shows_secret(state, request)) co_return co_await refuse(response, 400, "invalid authorization");
  const auto body = co_await request.body->read_all(kMaxRegistrationBytes);
  if (!body) co_return co_await refuse(response, body.error().code == base::ErrorCode::too_large ? 413 : 400, body.error().message);
  const auto registration = wire::parse_registration(*body);
  if (!registration) co_return co_await refuse(response, 400, registration.error().message);
  const bool is_new = !state.workers().known(registration->name);
  if (const auto added = state.registry.add(*registration, state.clock()); !added)
    co_return co_await refuse(response, 503, added.error().message);
  if (is_new) log::info("orchestrator", "capability registered", {{"name", registration->name}, {"worker", registration->url}});
  co_await say_ok(response);
}

Task<void> unregister_capability(State& state, net::Request& request, net::Response& response) {
  if (!shows_secret(state, request)) co_return co_await refuse(response, 400, "invalid authorization");
  const auto body = co_await request.body->read_all(kMaxRegistrationBytes);
  if (!body) co_return co_await refuse(response, body.error().code == base::ErrorCode::too_large ? 413 : 400, body.error().message);
  const auto parsed = wire::parse_unregistration(*body);
  if (!parsed) co_return co_await refuse(response, 400, parsed.error().message);
  state.registry.remove(parsed->name, parsed->url);
  co_await say_ok(response);
}

std::int64_t free_slots(State& state, std::string_view name) {
  std::int64_t total = 0;
  for (const auto& capability : state.workers().status()) {
    if (capability.name != name) continue;
    for (const auto& worker : capability.workers) total += worker.capacity > worker.in_use ? worker.capacity - worker.in_use : 0;
  }
  return total;
}

Task<void> job_token(State& state, net::Request& request, net::Response& response) {
  const auto header = request.headers.get("livepeer-eth-address");
  if (!header) co_return co_await refuse(response, 400, "Must have eth address and signature on address in Livepeer-Eth-Address header");
  const auto sender = wire::parse_address_header(*header);
  if (!sender) co_return co_await refuse(response, 400, "Invalid eth address header ");
  const auto capability = request.headers.get("livepeer-capability");
  if (!capability) co_return co_await refuse(response, 400, "Must have job capability header");
  const wire::JobToken token{*sender, state.workers().price(*capability), state.settings.service_url, free_slots(state, *capability)};
  co_await response.send(200, {{"content-type", "application/json"}}, wire::format_job_token(token));
}

}  // namespace

Orchestrator::State::State(boost::asio::any_io_executor executor_, OrchestratorSettings settings_, net::Client& client_, Clock clock_)
    : executor(std::move(executor_)),
      settings(std::move(settings_)),
      client(client_),
      clock(std::move(clock_)),
      tokens(random_bytes<32>()) {}

Registry& Orchestrator::State::workers() {
  registry.drop_expired(clock());
  return registry;
}

Task<void> refuse(net::Response& response, int status, std::string text) {
  co_await response.send(status, {{"content-type", "text/plain; charset=utf-8"}, {"x-content-type-options", "nosniff"}}, text + "\n");
}

Orchestrator::Orchestrator(boost::asio::any_io_executor executor, OrchestratorSettings settings, net::Client& client, Clock clock) {
  if (settings.secret.empty()) throw std::invalid_argument("the orchestrator needs a secret that workers show to register");
  wire::silence_protobuf();
  state_ = std::make_unique<State>(std::move(executor), std::move(settings), client, std::move(clock));
}

Orchestrator::~Orchestrator() = default;

void Orchestrator::mount(net::Router& router, net::GrpcService& grpc) {
  State& state = *state_;
  grpc.unary("/net.Orchestrator/GetOrchestrator", [&state](std::string message, const net::Request&) -> Task<net::GrpcReply> {
    co_return co_await get_orchestrator(state, message);
  });
  grpc.unary("/net.Orchestrator/EndTranscodingSession", [&state](std::string message, const net::Request&) -> Task<net::GrpcReply> {
    co_return co_await end_session(state, message);
  });
  grpc.unary("/net.Orchestrator/Ping",
             [](std::string message, const net::Request&) -> Task<net::GrpcReply> { co_return co_await ping(message); });
  const auto route = [&](std::string method, std::string pattern, Task<void> (*handler)(State&, net::Request&, net::Response&)) {
    router.add(std::move(method), std::move(pattern),
               [&state, handler](net::Request& request, net::Response& response) { return handler(state, request, response); });
  };
  route("POST", "/capability/register", register_capability);
  route("POST", "/capability/unregister", unregister_capability);
  route("GET", "/process/token", job_token);
  route("POST", "/process/request/{path...}", process_job);
  router.add("GET", "/healthz", [](net::Request&, net::Response& response) -> Task<void> {
    co_await response.send(200, {{"content-type", "text/plain; charset=utf-8"}}, "ok");
  });
}

std::vector<CapabilityStatus> Orchestrator::status() const {
  auto all = state_->workers().status();
  for (auto& capability : all) {
    if (const auto used = state_->usage.find(capability.name); used != state_->usage.end()) {
      capability.jobs = used->second.jobs;
      capability.metered_seconds = used->second.seconds;
    }
  }
  return all;
}

}  // namespace kinora::orchestrator
