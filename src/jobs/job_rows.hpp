#pragma once
// Rows of the tables jobs, job_inputs, job_tasks, attempts, attempt_files. All functions run inside a write or read of the database.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/job.hpp"
#include "store/sqlite.hpp"

namespace kinora::jobs {

// Media of a job, resolved to a blob (sha256 empty while its upload is not complete).
struct JobInput {
  std::string slot;
  int ordinal = 0;
  std::optional<std::string> artifact, upload;
  std::string sha256, name, mime;
  std::int64_t bytes = 0;
};

// An input of a task: a blob under a name.
struct TaskInput {
  std::string slot, name, sha256;
  std::int64_t bytes = 0;
};

enum class TaskState { queued, running, succeeded, failed, canceled };
std::string_view name(TaskState state);

// One step of a job.
struct TaskRow {
  std::string job;
  std::string step;  // run, cut, chunk, join
  int ordinal = 0;
  TaskState state = TaskState::queued;
  std::string task;
  json::object params;
  std::vector<TaskInput> inputs;
  std::string attempt;  // id of the current or next attempt
  int number = 1;       // of that attempt
  UnixMillis due_at{};  // not before (back-off)
  std::vector<std::string> avoid;
  std::optional<std::string> node;  // that the current attempt was given to
  double weight = 1;                // in the job's progress
  std::string result;               // JSON of the TaskResult, once succeeded
};

base::Status insert_job(store::Connection& connection, const Job& job, const std::vector<JobInput>& inputs);
base::Result<Job> find_job(store::Connection& connection, std::string_view id);  // not_found
// Writes the whole row unless it is terminal or not older: conflict. (A version may be skipped: one whose commit failed on a full disk.)
base::Status update_job(store::Connection& connection, const Job& job);
base::Result<std::vector<Job>> unfinished_jobs(store::Connection& connection);  // by creation
base::Result<Listing<Job>> list_jobs(store::Connection& connection, std::string_view project, const JobFilter& filter, const Page& page);
base::Result<std::vector<Job>> jobs_of_end_user(store::Connection& connection, std::string_view project, std::string_view end_user);
base::Status delete_job(store::Connection& connection, std::string_view id);

base::Result<std::vector<JobInput>> job_inputs(store::Connection& connection, std::string_view job);
base::Status set_input(store::Connection& connection, std::string_view job, const JobInput& input);

base::Status put_task(store::Connection& connection, const TaskRow& task);  // inserts or replaces
base::Result<std::vector<TaskRow>> job_tasks(store::Connection& connection, std::string_view job);

base::Status put_attempt(store::Connection& connection, const Attempt& attempt);
base::Result<std::vector<Attempt>> job_attempts(store::Connection& connection, std::string_view job);
// Closes every attempt of the job that is still open.
base::Status close_attempts(store::Connection& connection, std::string_view job, std::string_view state, UnixMillis now);

struct AttemptFile {
  std::string name, sha256;
  std::int64_t bytes = 0;
};
base::Status put_attempt_file(store::Connection& connection, std::string_view job, std::string_view attempt, const AttemptFile& file);
base::Result<std::vector<AttemptFile>> attempt_files(store::Connection& connection, std::string_view attempt);
base::Result<std::vector<std::string>> delivered_blobs(store::Connection& connection, std::string_view job);
// Lets go of what the job's attempts delivered (artifacts keep what they name).
base::Status drop_attempt_files(store::Connection& connection, std::string_view job);

}  // namespace kinora::jobs
