#pragma once
// Supervises the kinora-runner of one device: starts it, waits for its address, polls its health, restarts it with back-off when it
// crashes or hangs. A crash costs the order it worked on; the next order waits for the restart.
//
// Threading: one executor run by one thread.
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "net/client.hpp"
#include "net/sync.hpp"
#include "proc/process.hpp"
#include "worker/settings.hpp"

namespace kinora::worker {

// One model of the runner's GET /models for one of its tasks.
struct RunnerModel {
  std::string id;
  std::string task;
  bool loaded = false;
  std::string weights = {};  // their digest; empty: not known
  friend bool operator==(const RunnerModel&, const RunnerModel&) = default;
};

// What lies in its folders and cannot be used.
struct UnusableModel {
  std::string id, reason;
  friend bool operator==(const UnusableModel&, const UnusableModel&) = default;
};

struct RunnerModels {
  std::vector<RunnerModel> usable;
  std::vector<UnusableModel> unusable;
  friend bool operator==(const RunnerModels&, const RunnerModels&) = default;
};

inline constexpr std::size_t kMaxModels = 4096;  // entries of the list, adapters too
inline constexpr std::size_t kMaxModelsBytes = 4 << 20;
inline constexpr std::size_t kMaxReasonBytes = 512;  // of why a model cannot be used; the rest is cut off
// The answer of GET /models: an array, or an object with "models". invalid: anything else. An entry names its "tasks", or its "task";
// one that names none is left out, and so is an id that cannot be asked for (tasks::is_model_id).
base::Result<RunnerModels> parse_models(std::string_view json);
// The url of the runner's first line {"url": "http://127.0.0.1:PORT"}; only loopback is accepted.
base::Result<std::string> parse_ready_line(std::string_view line);

struct RunnerSettings {
  std::filesystem::path program;
  DeviceSettings device;
  std::filesystem::path work_dir;
  std::vector<std::filesystem::path> models;  // folders of model folders; of two models with one name the first counts
  WorkerTimings timings;
};

class Runner {
 public:
  enum class State { starting, ready, down };
  // `changed` is notified when state or models change; it and `client` must outlive the Runner.
  Runner(boost::asio::any_io_executor executor, RunnerSettings settings, net::Client& client, net::Signal& changed);

  // Supervises until cancelled; the process has ended when it returns.
  net::Task<void> run();

  State state() const { return state_; }
  bool ready() const { return state_ == State::ready; }
  const std::string& url() const { return url_; }  // while ready
  const std::vector<RunnerModel>& models() const { return models_.usable; }
  const std::vector<UnusableModel>& unusable() const { return models_.unusable; }
  const std::string& device() const { return settings_.device.name; }
  // Why it is down, or how its last process ended; for people and failures.
  const std::string& detail() const { return detail_; }
  // Counts processes: what was asked of an older one is lost.
  unsigned generation() const { return generation_; }
  int pid() const { return pid_; }  // 0 while none runs
  // Kills the process: a task made no progress. run() starts another.
  void restart(std::string why);
  // A task ended: which models are loaded may have changed. Looked at with the next poll.
  void models_may_differ() { models_stale_ = true; }
  // Suspends until the process of `generation` has ended or `most` has passed: a broken stream becomes a told reason.
  net::Task<void> wait_for_end(unsigned generation, std::chrono::milliseconds most);

 private:
  net::Task<void> run_once();
  net::Task<base::Status> begin(proc::Process& process);
  net::Task<void> drain_output(proc::Process& process);
  net::Task<std::string> watch_health();
  net::Task<base::Status> refresh_models();
  void become(State state, std::string detail);
  // <work folder>/runner-<device>.url, while one runs: where `kinora models ps` asks it.
  std::filesystem::path url_file() const;

  boost::asio::any_io_executor executor_;
  RunnerSettings settings_;
  net::Client& client_;
  net::Signal& changed_;
  State state_ = State::starting;
  std::string url_;
  RunnerModels models_;
  std::string detail_;
  unsigned generation_ = 0;
  int pid_ = 0;
  bool was_ready_ = false;
  bool models_stale_ = false;
  std::optional<std::string> restart_why_;
  net::Signal restart_;
};

}  // namespace kinora::worker
