#include "worker/worker.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <thread>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/log.hpp"
#include "proc/programs.hpp"
#include "worker/worker_core.hpp"

namespace kinora::worker {
namespace {

std::string random_token() {
  std::array<std::uint8_t, 32> bytes{};
  KINORA_CHECK(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
  return base::to_base64url(bytes);
}

std::string name(Runner::State state) {
  switch (state) {
    case Runner::State::starting: return "starting";
    case Runner::State::ready: return "ready";
    case Runner::State::down: break;
  }
  return "down";
}

unsigned processors() { return std::max(1U, std::thread::hardware_concurrency()); }

}  // namespace

Worker::Core::Core(boost::asio::any_io_executor executor_, WorkerSettings settings_, net::Client& client_)
    : executor(executor_),
      settings(std::move(settings_)),
      client(client_),
      media_capacity(settings.media_slots > 0 ? settings.media_slots : processors()),
      ping_slots(settings.ping_slots),
      media_slots(media_capacity),
      changed(executor_),
      told(executor_),
      attempts(settings.timings.keep_outcome),
      orders(executor_) {
  if (settings.token.empty()) settings.token = random_token();
}

base::Status Worker::Core::open() {
  KINORA_TRY(folder, WorkFolder::open(settings.work_dir));
  cache.emplace(executor, folder->cache(), settings.cache_bytes);
  KINORA_TRY(const auto media_program, proc::find_program("kinora-media", settings.programs));
  proc::MediaToolSettings tool;
  tool.program = media_program;
  tool.limits = settings.media_limits;
  media.emplace(executor, std::move(tool));
  if (settings.devices.empty()) return {};
  KINORA_TRY(const auto runner_program, proc::find_program("kinora-runner", settings.programs));
  for (const DeviceSettings& device : settings.devices) {
    devices.push_back(std::make_unique<Device>(
        executor, RunnerSettings{runner_program, device, folder->root(), settings.models, settings.timings}, client, changed));
  }
  return {};
}

std::vector<Offer> Worker::Core::offers_now() const {
  std::vector<DeviceOffer> ready;
  for (const auto& device : devices) {
    if (device->runner.ready()) ready.push_back({device->runner.device(), device->runner.models(), device->runner.unusable()});
  }
  return offers(settings.ping_slots, media ? media_capacity : 0, ready);
}

net::Task<void> Worker::Core::run() {
  const auto self = shared_from_this();
  KINORA_CHECK(folder.has_value());  // open() came first
  net::TaskGroup parts(executor);
  for (const auto& device : devices) parts.spawn(device->runner.run());
  for (const OrchestratorAddress& address : settings.orchestrators) {
    registrars.push_back(
        std::make_unique<Registrar>(executor, address, settings, settings.token, client, [this] { return offers_now(); }, told));
    registering.push_back(parts.spawn(registrars.back()->run()));
  }
  bool canceled = false;
  try {
    while (!drained) {
      co_await changed.wait();
      for (const auto& registrar : registrars) registrar->poke();
    }
  } catch (const boost::system::system_error&) {
    canceled = true;
  }
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  draining = true;
  orders.cancel();
  parts.cancel();
  for (net::TaskGroup* group : {&orders, &parts}) {
    while (group->size() > 0) {
      try {
        co_await group->wait();
      } catch (const boost::system::system_error&) {  // told twice to stop: what is being ended is still waited for
      }
    }
  }
  if (canceled) throw boost::system::system_error(boost::asio::error::operation_aborted);
}

net::Task<void> Worker::Core::drain(std::chrono::milliseconds grace) {
  const auto self = shared_from_this();
  draining = true;
  bool late = false;
  const net::Timeout timeout(executor, net::Clock::now() + grace, [&] {
    late = true;
    orders.cancel();
  });
  for (const auto& member : registering) member->cancel();
  net::TaskGroup farewells(executor);
  for (const auto& registrar : registrars) farewells.spawn(registrar->unregister());
  co_await farewells.wait();
  co_await orders.wait();
  if (late) base::log::warn("worker", "gave back the orders that did not end in time");
  drained = true;
  changed.notify();
}

net::Task<void> Worker::Core::settle() {
  const auto self = shared_from_this();
  const auto until = net::Clock::now() + settings.timings.runner_start;
  const auto is_settled = [&] {
    return std::ranges::none_of(devices, [](const auto& device) { return device->runner.state() == Runner::State::starting; }) &&
           registrars.size() == settings.orchestrators.size() &&
           std::ranges::all_of(registrars, [](const auto& registrar) { return registrar->up_to_date(); });
  };
  // A device that changes makes the registrars tell.
  while (!is_settled() && net::Clock::now() < until) co_await told.wait(until);
}

Worker::Worker(boost::asio::any_io_executor executor, WorkerSettings settings, net::Client& client)
    : core_(std::make_shared<Core>(std::move(executor), std::move(settings), client)) {}

Worker::~Worker() {
  core_->draining = true;
  core_->orders.cancel();
}

base::Status Worker::open() { return core_->open(); }

net::Handler Worker::handler() {
  return [core = core_](net::Request& request, net::Response& response) { return core->handle(request, response); };
}

void Worker::routes(net::Router& router) { router.add("POST", "/process/{task}", handler()); }
void Worker::set_url(std::string url) { core_->settings.url = std::move(url); }
void Worker::set_tls_pin(std::string pin) { core_->settings.tls_pin = std::move(pin); }
void Worker::add_own_gateway(std::string url) { core_->settings.own_gateways.push_back(std::move(url)); }
net::Task<void> Worker::run() { return core_->run(); }
net::Task<void> Worker::settle() { return core_->settle(); }
net::Task<void> Worker::drain(std::chrono::milliseconds grace) { return core_->drain(grace); }
std::size_t Worker::running() const { return core_->orders.size(); }
const std::string& Worker::token() const { return core_->settings.token; }

bool Worker::registered() const {
  return !core_->registrars.empty() &&
         std::all_of(core_->registrars.begin(), core_->registrars.end(), [](const auto& r) { return r->registered(); });
}

std::vector<DeviceStatus> Worker::devices() const {
  std::vector<DeviceStatus> out;
  DeviceStatus media{.name = "media", .state = core_->media ? "ready" : "down"};
  media.slots = core_->media_slots.capacity();
  media.slots_in_use = core_->media_slots.in_use();
  out.push_back(std::move(media));
  for (const auto& device : core_->devices) {
    DeviceStatus status{.name = device->runner.device(), .state = name(device->runner.state())};
    status.slots = device->slots.capacity();
    status.slots_in_use = device->slots.in_use();
    for (const RunnerModel& model : device->runner.models()) {
      if (std::find(status.models.begin(), status.models.end(), model.id) == status.models.end()) status.models.push_back(model.id);
    }
    status.detail = device->runner.detail();
    out.push_back(std::move(status));
  }
  return out;
}

}  // namespace kinora::worker
