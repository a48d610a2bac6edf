#pragma once
// Carries runs out: keeps the state of those at work, lets the scheduler decide, stores each transition in one transaction (run, steps,
// items, events), and then makes the jobs and child runs that it calls for. Their ids are derived, so that none is made twice: kill -9 at
// any point loses nothing and repeats nothing.
//
// Threading: the job engine's executor, one thread. Ownership: everything handed in outlives it. Order at start: jobs.recover(), recover().
#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "jobs/engine.hpp"
#include "runs/request.hpp"
#include "runs/rows.hpp"

namespace kinora::runs {

using jobs::Outcome;
using jobs::Task;

struct EngineSettings {
  std::size_t max_active_runs = 5'000;
  std::chrono::milliseconds store_again{1000};     // a change that the disk refused is written again after that
  std::chrono::milliseconds submit_again{1000};    // a job that the queue refused is offered again after that
  std::chrono::milliseconds progress_every{1000};  // step.progress of one step at most so often
  // Why nobody can do the task with that model ("" and "auto...": with any), as far as that is known for sure; nullopt: somebody may.
  std::function<Task<std::optional<std::string>>(std::string task, std::string model)> missing_model = {};
  // The digest of the weights that will do the task; nullopt: not known, then its results are not used again.
  std::function<Task<std::optional<std::string>>(std::string task, std::string model)> weights_digest = {};
};

struct CreateRequest {
  std::string project, key;
  json::value body;  // of POST /v1/runs
  std::optional<jobs::IdempotencyScope> idempotency = std::nullopt;
  std::optional<std::string> trace_id = std::nullopt;
};
struct CreateAnswer {
  Run run;
  bool replayed = false;
};

class Engine {
 public:
  Engine(boost::asio::any_io_executor executor, store::Database& database, jobs::Engine& jobs, EngineSettings settings = {},
         std::function<UnixMillis()> clock = base::wall_clock);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Before jobs.recover(): makes the tables and listens.
  base::Status prepare();
  // After it: reloads runs at work and goes on with them.
  Task<base::Status> recover();
  Task<void> stop();
  void wake();  // a time has come (a test's clock moved)

  Task<Outcome<CreateAnswer>> create(CreateRequest request);
  // As create() would, without making anything: the definition, checked.
  Task<Outcome<Definition>> validate(std::string project, json::value body);
  Task<Outcome<Run>> get(std::string project, std::string id);
  Task<Outcome<jobs::Listing<Run>>> list(std::string project, RunFilter filter, jobs::Page page);

  Task<Outcome<Run>> cancel(std::string project, std::string id, std::optional<std::string> reason);
  Task<Outcome<Run>> pause(std::string project, std::string id);
  Task<Outcome<Run>> resume(std::string project, std::string id);
  // Of a manual gate: {"approved", "by", "payload"?}.
  Task<Outcome<Run>> answer(std::string project, std::string id, std::string step, json::value answer);
  // Of every event gate of that name.
  Task<Outcome<Run>> signal(std::string project, std::string id, std::string name, json::value payload);
  struct Retry {
    std::vector<std::string> from;
    json::object overrides;  // step id -> partial step
    std::int64_t deadline_s = kDefaultDeadlineS;
  };
  Task<Outcome<Run>> retry(std::string project, std::string id, Retry what);
  // Cancels the end user's runs; those that have ended are deleted.
  Task<Outcome<ErasedRuns>> erase_end_user(std::string project, std::string end_user);

  // Saved workflows.
  Task<Outcome<std::pair<Workflow, WorkflowVersion>>> save(Workflow workflow, json::object args_schema, json::object definition);
  Task<Outcome<std::pair<Workflow, WorkflowVersion>>> save_version(std::string project, std::string id, json::object args_schema,
                                                                   json::object definition);

  // How far an item at work is, 0..1; from memory.
  double fraction(std::string_view run, std::size_t step, std::size_t index) const;
  // Seconds until the run ends, by what its tasks took before (eta.hpp).
  std::optional<double> eta_s(const Run& run, const Definition& definition) const;
  std::size_t active() const;

 private:
  class State;
  std::shared_ptr<State> state_;
};

// The public object of GET /v1/runs/{id}. `fraction` of an item at work.
json::object to_json(const Run& run, const Definition& definition, const jobs::Links& links,
                     const std::function<double(std::size_t step, std::size_t index)>& fraction, std::optional<double> eta_s);
json::object step_json(const Run& run, const Definition& definition, std::size_t step, const jobs::Links& links);
json::object item_json(const Step& step, const Item& item, std::size_t index, const jobs::Links& links);
json::object summary_json(const Run& run);  // of a list
json::object to_json(const Workflow& workflow, const WorkflowVersion& version);

}  // namespace kinora::runs
