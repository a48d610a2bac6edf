#pragma once
// The job engine: accepts jobs, plans them into tasks, hands attempts to the Executor, retries, and finishes each job exactly once.
//
// Every change of state is one transaction that also holds its event; a job is accepted when that transaction is on the disk. What is
// in memory (ready queue, running attempts) is rebuilt from the rows by recover(), so kill -9 at any point loses nothing: a running
// attempt is offered again under the same attempt id, and the worker attaches to it or starts again.
//
// Threading: one executor run by one thread. Ownership: everything handed in outlives the engine; call stop() and await it before
// destroying (destroying without stop() is a crash as far as the rows are concerned: safe, but running work is cut off).
#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "jobs/artifacts.hpp"
#include "jobs/eta.hpp"
#include "jobs/events.hpp"
#include "jobs/executor.hpp"
#include "jobs/idempotency.hpp"
#include "jobs/job.hpp"
#include "jobs/outcome.hpp"
#include "jobs/planner.hpp"
#include "jobs/sdk_retry.hpp"
#include "jobs/uploads.hpp"
#include "store/blobs.hpp"
#include "store/database.hpp"

namespace kinora::jobs {

struct EngineSettings {
  PlanSettings plan;
  std::size_t max_active_jobs = 20'000;  // not terminal; more are refused with queue_full
  std::size_t max_running_attempts = 256;
  std::int64_t default_deadline_s = 3600;
  std::int64_t default_start_timeout_s = 3600;
  std::int64_t result_retention_s = 604'800;  // artifacts of jobs
  std::int64_t input_retention_s = 604'800;   // completed uploads
  std::int64_t upload_lifetime_s = 86'400;    // uploads not completed
  std::int64_t event_retention_s = 2'592'000;
  // New jobs and uploads are refused while the disk has less room than this; work that has begun may use it. 0: never.
  std::int64_t disk_reserve_bytes = 0;
  std::chrono::milliseconds poll_slots{250};    // how often free slots are asked for while something waits and nothing ends
  std::chrono::milliseconds store_again{1000};  // a job's end that the disk refused is written again after that
  std::chrono::seconds sweep_every{300};
};

// What brings media by URL into the store (developer-api 5.3.5, "Fetch guard").
struct UrlMedia {
  std::function<base::Status(std::string_view url)> check;  // may it be fetched at all?
  // Begins to fetch; ends by finish_upload() or fail_upload(). Of an upload that was on its way before a restart, once more.
  std::function<void(Upload upload)> fetch;
  std::function<void(const std::string& upload)> stop;  // nobody waits for it any more; it has ended
};

struct SubmitRequest {
  std::string project;
  std::string key;   // id of the API key
  json::value body;  // of POST /v1/jobs
  std::optional<IdempotencyScope> idempotency;
  std::optional<std::string> trace_id;
  std::optional<SdkTry> sdk{};            // of an SDK that sends no idempotency key
  std::optional<std::string> retry_of{};  // the job that this one runs again
  // Of a run's step: an id that the run chose. When there is a job of that id already, it is the answer (replayed).
  std::optional<std::string> id = std::nullopt;
  std::optional<JobParent> parent = std::nullopt;
  std::optional<std::string> prefer_node = std::nullopt;  // asked first: it has the inputs
  // Why the model that the body names is refused, when it is known that nobody has it; told with all else that is wrong. A repeat of a
  // request that was taken is answered all the same.
  std::optional<std::string> no_model = std::nullopt;
};
struct SubmitAnswer {
  Job job;
  bool replayed = false;  // an earlier request's job, or that of the chosen id
  bool implicit = false;  // found without an idempotency key
};
// What absent members leave as it is.
struct JobPatch {
  std::optional<std::vector<std::string>> tags;
  std::optional<json::object> metadata;
  std::optional<Priority> priority;          // while the job is queued only
  std::optional<std::int64_t> if_version{};  // version_conflict when the job is at another one
};
// What erasing an end user did; pending: jobs that were still at work and are being canceled: erase again.
struct Erased {
  std::int64_t jobs = 0, pending = 0;
};
enum class CancelResult { canceled, canceling, too_late };
struct CancelAnswer {
  Job job;
  CancelResult result = CancelResult::canceled;
};
// Where a delivered file of an attempt may go: answered for a PUT before its body is read.
struct AttemptTarget {
  std::string job, project;
  std::int64_t max_bytes = 0;
};

class Engine {
 public:
  Engine(boost::asio::any_io_executor executor, store::Database& database, store::Blobs& blobs, Executor& worker, Verifier& verifier,
         EngineSettings settings = {}, std::function<UnixMillis()> clock = base::wall_clock);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Makes the tables (blocks), reloads what is not terminal and starts scheduling.
  Task<base::Status> recover();
  // Starts nothing more and waits for what runs, at most that long. Then stop().
  Task<void> drain(std::chrono::milliseconds grace);
  // Stops scheduling, closes the streams of running attempts and waits for them; their rows stay as they are.
  Task<void> stop();
  // Room for new work? no_capacity while the disk's reserve is touched. Jobs and uploads ask by themselves.
  Outcome<void> check_disk() const;
  // New capacity, or a time has come (a test's clock moved).
  void wake();

  // Jobs. Problems carry the codes of 5.14.
  Task<Outcome<SubmitAnswer>> submit(SubmitRequest request);
  Task<Outcome<Job>> get(std::string project, std::string id);
  Task<Outcome<Listing<Job>>> list(std::string project, JobFilter filter, Page page);
  Task<Outcome<CancelAnswer>> cancel(std::string project, std::string id, std::optional<std::string> reason);
  Task<Outcome<Job>> patch(std::string project, std::string id, JobPatch patch);
  // A new job like that one (`request.body` is not read). not_terminal; gone when its data was removed.
  Task<Outcome<SubmitAnswer>> retry(std::string id, SubmitRequest request);
  Task<Outcome<void>> remove(std::string project, std::string id);  // takes its data away (purge.hpp); not_terminal
  // Cancels the end user's jobs and takes the data of those that have ended away.
  Task<Outcome<Erased>> erase_end_user(std::string project, std::string end_user);
  Task<Outcome<std::vector<Attempt>>> attempts(std::string project, std::string id);
  // Told after each commit that changed a job with a parent. One listener, kept until the engine ends.
  void on_child(std::function<void(const Job&)> listener);
  // Without it media by URL is refused. Set before recover().
  void set_url_media(UrlMedia url_media);
  // 1 = next; 0 = not waiting for a slot.
  std::int64_t queue_position(std::string_view job) const;
  // Seconds until a waiting job is done, by what tasks like it took; nullopt: not waiting, or nothing was measured yet.
  std::optional<double> queue_eta_s(std::string_view job) const;
  const EtaAccuracy& eta_accuracy() const;
  // What attempts of this task took in the mean, on the model that jobs named ("": none); nullopt: nothing was measured yet.
  std::optional<double> mean_seconds(std::string_view task, std::string_view model) const;

  // Events. feed().wait() tells when to read again.
  Task<Outcome<std::vector<Event>>> events(EventQuery query);
  Task<Outcome<std::int64_t>> oldest_event_offset();
  Task<Outcome<std::int64_t>> newest_event_offset();
  EventFeed& feed();

  // Files that workers deliver. attempt_target(): not_found for an attempt that is not running. add_attempt_file() replaces one of that
  // name.
  Outcome<AttemptTarget> attempt_target(std::string_view attempt) const;
  Task<Outcome<void>> add_attempt_file(std::string attempt, std::string name, store::Blob blob);

  // Artifacts and uploads.
  // One file that the gateway has stored and probed (`media`: null when it is no media).
  struct NewArtifact {
    std::string project, filename, mime;
    json::value media;
    json::object source;
    std::optional<std::int64_t> retention_s;
  };
  Task<Outcome<Artifact>> create_artifact(NewArtifact artifact, store::Blob blob);
  Task<Outcome<Artifact>> artifact(std::string project, std::string id);
  // Without project: for signed URLs, whose signature names the artifact.
  Task<Outcome<Artifact>> artifact(std::string id);
  Task<Outcome<ArtifactFile>> artifact_file(std::string id, std::string name);
  Task<Outcome<std::vector<ArtifactFile>>> artifact_files(std::string id);
  Task<Outcome<Listing<Artifact>>> artifacts(std::string project, Page page, std::optional<std::string> kind);
  Task<Outcome<void>> remove_artifact(std::string project, std::string id);
  // A client has read all of it: of an ephemeral job, it goes soon.
  Task<Outcome<void>> fetched(const Artifact& artifact);

  // Fills in id, status and times. With a promised sha256 that the project has, the upload is complete at once.
  Task<Outcome<Upload>> create_upload(Upload upload);
  Task<Outcome<Upload>> upload(std::string project, std::string id);
  Task<Outcome<Upload>> upload(std::string id);
  Task<Outcome<void>> put_part(std::string upload, int number, store::Blob blob);
  // processing: joins the parts into one blob and checks promised bytes and sha256. Then the gateway probes it and calls finish or fail.
  Task<Outcome<store::Blob>> assemble_upload(std::string project, std::string id, std::optional<std::vector<UploadPart>> declared);
  Task<Outcome<Artifact>> finish_upload(std::string project, std::string id, store::Blob blob, std::string mime, json::value media);
  Task<Outcome<Upload>> fail_upload(std::string project, std::string id, tasks::Problem problem);
  Task<Outcome<void>> cancel_upload(std::string project, std::string id);

  // Expired artifacts, uploads, events, idempotency rows and blobs without owner; runs by itself every sweep_every.
  Task<base::Status> sweep();
  // A further room's old rows: called in the sweep's transaction, on the writer's thread; gives how many went. Set before recover().
  void on_sweep(std::function<base::Result<std::int64_t>(store::Connection&, UnixMillis)> also);

  struct Counts {
    std::size_t queued = 0, running_attempts = 0, active_jobs = 0;
  };
  Counts counts() const;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace kinora::jobs
