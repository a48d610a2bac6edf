#pragma once
// The parts of a Worker and how an order goes through them. Use Worker.
#include <boost/asio/any_io_executor.hpp>
#include <map>
#include <memory>
#include <optional>

#include "proc/media_tool.hpp"
#include "worker/attempt.hpp"
#include "worker/job.hpp"
#include "worker/registrar.hpp"
#include "worker/runner.hpp"
#include "worker/slots.hpp"
#include "worker/worker.hpp"

namespace kinora::worker {

// A device: its runner and the one place on it.
struct Device {
  Device(boost::asio::any_io_executor executor, RunnerSettings settings, net::Client& client, net::Signal& changed)
      : runner(std::move(executor), std::move(settings), client, changed) {}
  Runner runner;
  Slots slots{1};  // a network fills its device
};

// Where an order goes.
struct Place {
  std::string device;  // as `accepted` names it
  Slots::Slot slot;
  Program program;  // empty: ping
};

struct Worker::Core : std::enable_shared_from_this<Worker::Core> {
  Core(boost::asio::any_io_executor executor, WorkerSettings settings, net::Client& client);

  base::Status open();
  net::Task<void> handle(net::Request& request, net::Response& response);
  net::Task<void> run();
  net::Task<void> drain(std::chrono::milliseconds grace);
  net::Task<void> settle();

  bool authorized(const net::Request& request) const;
  bool disk_is_full() const;  // orders that are at work may use the reserve
  // nullopt: no free place now.
  std::optional<Place> place(const tasks::TaskOrder& order);
  std::shared_ptr<Attempt> begin(tasks::TaskOrder order, Place place);
  struct Ending;
  net::Task<void> work(tasks::TaskOrder order, std::shared_ptr<Attempt> attempt, Place place, std::shared_ptr<Ending> ending);
  net::Task<Outcome<tasks::TaskResult>> execute(const tasks::TaskOrder& order, const Program& program, ProgressReport report);
  tasks::TaskResult answer_ping(const std::string& device) const;
  std::vector<Offer> offers_now() const;

  boost::asio::any_io_executor executor;
  WorkerSettings settings;
  net::Client& client;
  unsigned media_capacity;
  Slots ping_slots;
  Slots media_slots;
  std::optional<WorkFolder> folder;
  std::optional<InputCache> cache;
  std::optional<proc::MediaTool> media;
  net::Signal changed;
  net::Signal told;  // a round of registrations has ended
  std::vector<std::unique_ptr<Device>> devices;
  std::vector<std::unique_ptr<Registrar>> registrars;
  std::vector<std::shared_ptr<net::TaskGroup::Member>> registering;
  AttemptTable attempts;
  bool draining = false;
  bool drained = false;
  net::TaskGroup orders;
  Disk disk;  // the last member: joined before what its work uses goes
};

}  // namespace kinora::worker
