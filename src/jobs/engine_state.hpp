#pragma once
// The engine's inside: what is in memory about jobs that are not terminal. Split over engine_*.cpp by theme.
// Callbacks hold a weak_ptr to it, so that a destroyed engine leaves nothing behind that could run.
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <unordered_map>

#include "base/ulid.hpp"
#include "jobs/admission.hpp"
#include "jobs/change.hpp"
#include "jobs/engine.hpp"
#include "jobs/fair_queue.hpp"
#include "jobs/progress.hpp"
#include "jobs/redundancy.hpp"
#include "jobs/submission.hpp"

namespace kinora::jobs {

using TaskKey = JobProgress::TaskKey;

// A job that is not terminal.
struct ActiveJob {
  Job job;  // the newest state, its write queued or done
  std::vector<JobInput> inputs;
  std::map<TaskKey, TaskRow> tasks;
  JobProgress progress;
  int running = 0;  // attempts
  // Set once the job is on its way to this end (canceled, expired, failed): attempts are being stopped.
  struct Ending {
    Status status;
    std::string event;
    json::value error;
    std::optional<std::string> reason;
  };
  std::optional<Ending> ending;
  bool finishing = false;  // the terminal change is queued: nothing may follow
  // Of a job whose task is done by several nodes (engine_replicas.cpp).
  int released = 0;                // replicas that may run, by ordinal
  std::map<int, Replica> weighed;  // results compared or measured, by ordinal; group: the ordinal of its first
};
bool is_replicated(const ActiveJob& active);

// Tasks other than the job's own (cut, join) run on any node: they have no model.
inline std::string model_of(const Job& job, const TaskRow& task) {
  return task.task == job.task ? job.resolved_model.value_or("") : std::string();
}

inline std::string capability_of(std::string_view task, std::string_view model) { return std::string(task) + "\n" + std::string(model); }
inline std::string capability_of(const Job& job, const TaskRow& task) { return capability_of(task.task, model_of(job, task)); }

// An attempt that is being carried out.
struct RunningAttempt {
  std::string job;
  TaskKey task;
  Attempt row;
  std::map<std::string, AttemptFile> files;
  std::string capability;
  std::optional<json::object> verification;  // for the output: a flaw of what is delivered all the same, or that nobody looked at it
  bool late = false;                         // taken for lost; its result counts if it comes before another attempt's
  bool recovered = false;                    // was running before a restart: may have delivered files already
  bool seen_by_executor = false;             // no longer among Waiting::starting
  std::shared_ptr<boost::asio::cancellation_signal> cancel = std::make_shared<boost::asio::cancellation_signal>();
};

// What waits for one capability (task and model).
struct Waiting {
  FairQueue queue;
  UnixMillis blocked_until{};  // the last offer was refused: not before
  unsigned starting = 0;       // begun, but not yet seen by the executor's free_slots()
};

class Engine::State : public std::enable_shared_from_this<Engine::State> {
 public:
  State(boost::asio::any_io_executor executor, store::Database& database, store::Blobs& blobs, Executor& worker, Verifier& verifier,
        EngineSettings settings, std::function<UnixMillis()> clock);

  // engine.cpp
  Task<base::Status> recover();
  Task<void> drain(std::chrono::milliseconds grace);
  Task<void> stop();
  Job& touch(ActiveJob& active);  // the next version
  Event event(std::string_view subject, std::string_view project, std::string_view type, json::value data);
  // Queues the change; events are announced when it is on the disk.
  void store(Change change);
  Change change_of(ActiveJob& active, std::string_view event_type);
  // Deletes blobs that no row names any more.
  void collect(std::vector<std::string> sha256s);

  // engine_submit.cpp
  Task<Outcome<Admission>> admission_of(Submission wanted, const SubmitRequest& request, std::string id);
  Task<Outcome<SubmitAnswer>> submit(SubmitRequest request);
  void begin(Admitted admitted);
  void adopt(Job job, std::vector<JobInput> inputs, std::vector<TaskRow> tasks);
  void input_ready(const std::string& upload, const Artifact& artifact);
  void input_failed(const std::string& upload, const std::string& code, const std::string& detail);

  // engine_await.cpp: inputs that come later by themselves
  void await(Upload upload);
  void result_ended(const Job& job);
  void drop_inputs(const ActiveJob& ended);  // that are still on their way
  void bring_result(const Upload& upload, const Job& job);

  // engine_change.cpp
  Task<Outcome<Job>> patch(std::string project, std::string id, JobPatch patch);
  Task<Outcome<SubmitAnswer>> retry(std::string id, SubmitRequest request);
  Task<Outcome<void>> purge(std::string project, std::string id);
  Task<Outcome<Erased>> erase_end_user(std::string project, std::string end_user);

  // engine_schedule.cpp
  void wake();
  void tick();
  void enqueue(ActiveJob& active, TaskRow& task);
  void dispatch();
  void start(ActiveJob& active, TaskRow& task);
  void arm();
  void watch_deadlines(const Job& job);
  void forget_deadlines(const Job& job);
  void check_deadline(const std::string& id);
  // The time that a job which does not count its preparation spent in it, when it goes back to waiting.
  void give_back_preparation(ActiveJob& active);
  void end_job(ActiveJob& active, ActiveJob::Ending ending);
  void finish(ActiveJob& active, Change change);
  std::int64_t queue_position(std::string_view job) const;
  std::optional<double> queue_eta_s(std::string_view job) const;
  // Attempts of this capability that can run at once, as far as is known now.
  std::size_t places(std::string_view capability) const;
  // Room for new work? Refuses while the disk's reserve is touched.
  Outcome<void> check_disk() const;

  // engine_attempt.cpp
  using Running = std::shared_ptr<RunningAttempt>;
  Task<void> run_attempt(Running running);
  tasks::TaskOrder order_of(const ActiveJob& active, const TaskRow& task) const;
  void given_to(RunningAttempt& running, std::string_view node);
  void observe(const Running& running, const tasks::TaskEvent& event);
  void accepted(RunningAttempt& running, const tasks::Accepted& event);
  void progressed(RunningAttempt& running, const tasks::Progress& event);
  // engine_preview.cpp
  struct Preview {
    std::string artifact;
    double at = 0;  // fraction of the job
    std::int64_t step = 0;
    std::string bytes;
  };
  void preview(ActiveJob& active, const tasks::Progress& event);
  Task<void> keep_preview(std::string job, Preview picture);
  void begin_running(ActiveJob& active, Change* into);
  // The attempt no longer counts; ends the job when that is what it was waiting for.
  void leave(const Running& running);
  Task<std::optional<tasks::TaskFailure>> judge(Running running, tasks::TaskOrder order, const tasks::TaskResult& result);
  void refused(const Running& running, const outcome::Refused& why);
  void failed(const Running& running, tasks::TaskFailure failure, std::string_view state, const std::string& node);

  // engine_late.cpp
  void went_silent(const Running& running, const tasks::TaskFailure& lost);
  // A late result that verified takes the place of the attempt that is at work now; false: it came too late.
  bool take_late(const Running& running);
  void cancel_late(const std::string& job);
  // One that runs, or that is late; nullptr: neither.
  std::shared_ptr<RunningAttempt> find_attempt(const std::string& attempt) const;

  // engine_complete.cpp
  void succeeded(const Running& running, const tasks::TaskResult& result);
  // `change` holds the task and the attempt that ended.
  void complete_job(ActiveJob& active, Change change, const tasks::TaskResult& result,
                    const std::optional<json::object>& verification = std::nullopt);
  void complete_cut(ActiveJob& active, const Running& running, TaskRow& task, const tasks::TaskResult& result);
  void complete_chunk(ActiveJob& active, RunningAttempt& running, TaskRow& task, const tasks::TaskResult& result);
  Attempt close(RunningAttempt& running, std::string_view state);

  // engine_replicas.cpp
  void release_replicas(ActiveJob& active);
  std::vector<std::string> nodes_of_others(const ActiveJob& active, const TaskRow& task) const;
  std::vector<Replica> replicas_of(const ActiveJob& active) const;
  Task<void> weigh(std::string job);
  void replica_ended(const Running& running, Change change);

  // engine_sweep.cpp
  Task<base::Status> sweep();

  ActiveJob* find(const std::string& job);
  std::string new_id(std::string_view prefix) { return ids_.next_id(prefix, clock_()); }

  boost::asio::any_io_executor executor_;
  store::Database& database_;
  store::Blobs& blobs_;
  Executor& worker_;
  Verifier& verifier_;
  EngineSettings settings_;
  std::function<UnixMillis()> clock_;
  base::UlidSource ids_;
  EventFeed feed_;
  EtaBook eta_;

  std::unordered_map<std::string, ActiveJob> active_;
  std::unordered_map<std::string, std::shared_ptr<RunningAttempt>> running_;  // by attempt
  std::unordered_map<std::string, std::shared_ptr<RunningAttempt>> late_;     // taken for lost, but still listened to
  std::map<std::string, Waiting> waiting_;                                    // by capability: "task" LF "model"
  std::multimap<UnixMillis, std::pair<std::string, TaskKey>> delayed_;        // back-off
  std::multimap<UnixMillis, std::string> deadlines_;                          // jobs to look at
  std::multimap<std::string, Upload> awaited_results_;                        // by the job whose result they are
  UrlMedia url_media_;
  std::function<void(const Job&)> on_child_;
  std::function<base::Result<std::int64_t>(store::Connection&, UnixMillis)> on_sweep_;
  std::size_t admitting_ = 0;  // submits between admission and adopt()
  UnixMillis next_sweep_{};
  boost::asio::steady_timer timer_;
  boost::asio::steady_timer idle_;  // cancelled when the last attempt, a sweep or the last preview has ended
  bool tick_posted_ = false;
  bool sweeping_ = false;
  std::map<std::string, std::deque<Preview>> previews_;  // that wait, by job: written one after the other, in their order
  std::mt19937_64 random_{std::random_device{}()};       // which results are looked at: not for a worker to foresee
  bool draining_ = false;
  bool stopping_ = false;
  bool started_ = false;
};

}  // namespace kinora::jobs
