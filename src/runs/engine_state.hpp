#pragma once
// The inside of the run engine (engine.hpp): runs that are at work, and their changes on the way to the disk.
#include <boost/asio/steady_timer.hpp>
#include <set>
#include <unordered_map>

#include "base/ulid.hpp"
#include "runs/engine.hpp"
#include "runs/scheduler.hpp"

namespace kinora::runs {

struct ActiveRun {
  std::string root;         // the run at the top of its tree; itself
  std::size_t counted = 0;  // its instances, as in Engine::State::instances_
  Run run;
  Definition definition;
  Touched pending;                                          // not yet given to the database
  std::vector<std::pair<std::string, StepResult>> results;  // by step key, to be stored with the next change
  std::vector<std::string> released;                        // jobs whose artifacts may go
  bool rewritten = false;                                   // the definition has changed: it is to be stored again
  bool storing = false;                                     // a change is on its way; the next one waits for it
  bool changed = false;                                     // something is pending
  std::optional<UnixMillis> due;
  struct Key {
    std::string step_key;
    std::optional<std::string> weights;  // that the key counts on; the job tells which did it
  };
  std::map<std::string, Key> keys;         // by work id
  std::map<std::size_t, UnixMillis> told;  // when step.progress was told last
};

class Engine::State : public std::enable_shared_from_this<Engine::State> {
 public:
  State(boost::asio::any_io_executor executor, store::Database& database, jobs::Engine& jobs, EngineSettings settings,
        std::function<UnixMillis()> clock);

  // engine.cpp
  ActiveRun* find(std::string_view id);
  ActiveRun& adopt(Run run, Definition definition);
  // Settles by what the whole tree has already, and counts what the run has then.
  void settle_in_tree(ActiveRun& active);
  std::string root_of(const Run& run);
  void forget(const std::string& id);  // a run that has ended
  Task<base::Status> count_tree(std::string root);
  void advance(ActiveRun& active);  // settle, then flush
  void flush(ActiveRun& active);
  void stored(const std::string& id, const std::shared_ptr<struct Change>& change, const base::Result<std::vector<std::int64_t>>& offsets);
  void arm();
  void tick();
  Task<void> settled(std::string id);  // returns when nothing of the run is on its way to the disk
  Task<Outcome<Run>> change(std::string project, std::string id, std::function<Outcome<void>(ActiveRun&)> what);

  // engine_create.cpp
  Task<Outcome<std::pair<Definition, json::object>>> read(std::string project, RunRequest& request);
  Task<std::optional<std::string>> missing_model(const json::object& body);  // of a job
  Task<std::optional<tasks::Problem>> missing_models(Definition definition);
  Task<Outcome<CreateAnswer>> create(CreateRequest request, std::optional<std::string> id, std::optional<jobs::JobParent> parent,
                                     int depth);
  Task<base::Status> recover();

  // engine_work.cpp
  void start(const std::string& run, std::size_t step, std::size_t index);
  Task<void> start_item(std::string run, std::size_t step, std::size_t index, std::string work);
  Task<void> start_child(std::string run, std::size_t step, std::size_t index, std::string work);
  Task<std::optional<StepResult>> known_result(std::string run, std::size_t step, std::string work, json::object body);
  Task<std::optional<std::string>> preferred_node(std::string run, std::size_t step);
  void stop_item(const std::string& run, std::size_t step, std::size_t index);
  void news(const std::string& run, std::size_t step, std::size_t index, const std::string& work, ItemNews news);
  void on_job(const jobs::Job& job);
  void child_ended(const Run& child);
  std::string new_id(std::string_view prefix) { return ids_.next_id(prefix, clock_()); }

  boost::asio::any_io_executor executor_;
  store::Database& database_;
  jobs::Engine& jobs_;
  EngineSettings settings_;
  std::function<UnixMillis()> clock_;
  base::UlidSource ids_;
  std::unordered_map<std::string, ActiveRun> active_;
  std::set<std::pair<UnixMillis, std::string>> due_;
  std::map<std::string, std::size_t> instances_;  // of trees at work, by the run at the top
  std::set<std::string> starting_;                // work that is being made
  std::vector<jobs::Job> early_;                  // heard of before recover() was through
  boost::asio::steady_timer timer_;
  bool started_ = false;
  bool stopping_ = false;
};

// One transition, as one transaction writes it.
struct Change {
  Run run;                                               // without steps; definition and args only when they are to be stored
  std::vector<std::pair<std::size_t, StepState>> steps;  // without items
  std::vector<std::tuple<std::size_t, std::size_t, Item>> items;
  std::vector<jobs::Event> events;
  std::vector<std::pair<std::string, StepResult>> results;
  std::vector<std::string> released;
  std::vector<std::pair<std::size_t, std::size_t>> start, stop;
  UnixMillis now{};
};
base::Status write_details(store::Connection& connection, const Change& change, std::vector<std::int64_t>& offsets);
// Takes what is pending of the run out of it.
Change take_change(ActiveRun& active, const std::function<std::string(std::string_view)>& new_id, UnixMillis now);

}  // namespace kinora::runs
